// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// Rule 14: with a server that announces nothing, the bytes are those of a client without flow.
@Suite("A server that announces nothing")
struct PlainServerTests {
    @Test(
        "Whatever apps do and networks break, not one byte tells a client with everything on from one without",
        arguments: Dialect.detected)
    func bytes(_ dialect: Dialect) async {
        var policy = FlowPolicy()
        policy.batching?.linger = .milliseconds(10)
        policy.compression = MessageCompression(level: .adaptive, minimumBytes: 1, isUsedBesideDeflate: true)
        policy.chunking = ChunkPolicy(size: 64)
        var total = 0
        for seed in 1...30 as ClosedRange<UInt64> {
            // A world takes its thread for long, and others have time limits.
            await Task.yield()
            let streams = [policy, .off].map { flow in
                let random = RandomWorld(seed: seed, dialect, flow: flow)
                random.world.bytesOnTheWay = []
                random.advance(by: .seconds(200))
                return random.world.bytesOnTheWay ?? []
            }
            total += streams[0].count
            guard streams[0] == streams[1] else {
                Issue.record(
                    "Seed \(seed), from byte \(zip(streams[0], streams[1]).prefix { $0 == $1 }.count).")
                return
            }
        }
        #expect(total > 100_000)
    }

    /// What a client says first, written down.
    private static let firstWords: [(greeting: String, words: [String])] = [
        (
            #"{"type":"welcome","conn-id":"c1","session-id":"s1"}"#,
            [
                #"{"type":"subscribe","channel-id":"a"}"#,
                #"{"type":"publish","channel-id":"a","data":{"n":1}}"#,
                #"{"type":"flow-ack","n":2}"#,
            ]
        ),
        (
            #"[:chsk/handshake ["u1" "token" {:sente-lite-version "2.0.0"} true]]"#,
            [
                #"[:sente-lite/subscribe {:channel-id "a"}]"#,
                #"[:sente-lite/publish {:channel-id "a", :data {"n" 1}}]"#,
                #"[:flow/ack {"n" 2}]"#,
            ]
        ),
        (
            #"[[:chsk/handshake ["u1" nil nil]] nil]"#,
            [#"[[:flow/ack {"n" 2}] nil]"#]
        ),
    ]

    @Test("The first bytes of each dialect are what they were before there was flow", arguments: 0..<3)
    func firstBytes(_ index: Int) {
        let (greeting, words) = Self.firstWords[index]
        var said: [String] = []
        let detector = DialectDetector()
        var configuration = SessionConfiguration()
        configuration.compressor = { _, _ in WireSetup.store }
        var client = ClientEngine(configuration: configuration, random: Generator(seed: 1)) {
            (first, sizes) throws(SenteError) in try detector.detect(first, sizes: sizes)
        }
        let now = Moment(instant: Instant(nanoseconds: 1), wallMilliseconds: 1_700_000_000_000)
        var link = LinkID(0)
        func perform(_ body: (inout [Effect]) -> Void) {
            var effects: [Effect] = []
            body(&effects)
            for effect in effects {
                if case .openLink(let id, _) = effect { link = id }
                if case .transmit(_, let messages) = effect { said += messages.map(\.message.string) }
            }
        }
        perform { client.handle(.command(.connect(CallID(1), limit: nil)), at: now, into: &$0) }
        let commands: [Command] = [
            .subscribe(CallID(2), channel: "a", InboxID(1), scoped: false),
            .submit(
                CallID(3),
                Submission(.publish(channel: "a", data: ["n": 1], excludeSender: false), awaits: .reply)),
            // An app may have events of these names.
            .submit(
                CallID(4),
                Submission(
                    .event(Event(id: index == 0 ? "flow-ack" : "flow/ack", data: ["n": 2])),
                    awaits: .written)),
        ]
        for command in commands.suffix(words.count) {
            perform { client.handle(.command(command), at: now, into: &$0) }
        }
        perform { client.handle([.opened(LinkOpening())], of: link, at: now, into: &$0) }
        perform { client.handle([.received([.text(greeting)])], of: link, at: now, into: &$0) }
        #expect(said == words)
    }
}
