// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("The client's engine")
struct ClientEngineTests {
    /// An engine with what a driver keeps beside it.
    private struct Rig {
        var engine: ClientEngine
        var reading: ClientEngine.Reading
        var now = Moment(instant: Instant(nanoseconds: 1_000_000_000), wallMilliseconds: 1_700_000_000_000)
        var link = LinkID(0)
        var effects: [Effect] = []
        private var lastNumber: UInt64 = 0

        init(
            _ configuration: SessionConfiguration = SessionConfiguration(),
            _ detector: DialectDetector = DialectDetector()
        ) {
            engine = ClientEngine(configuration: configuration, random: Generator(seed: 1)) {
                (first, sizes) throws(SenteError) in try detector.detect(first, sizes: sizes)
            }
            reading = ClientEngine.Reading(at: now)
        }

        mutating func number() -> UInt64 {
            lastNumber += 1
            return lastNumber
        }

        mutating func tell(_ input: Input) {
            effects = []
            engine.handle(input, at: now, into: &effects)
            perform()
        }

        mutating func perform() {
            for effect in effects {
                switch effect {
                case .openLink(let id, _): link = id
                case .subscription(let channel, _):
                    reading.note(engine.wish(WireName(channel)), for: WireName(channel))
                case .record(let signal): reading.note(signal, at: now.instant)
                default: break
                }
            }
            engine.refresh(&reading)
        }

        mutating func report(_ reports: [LinkReport]) {
            effects = []
            engine.handle(reports, of: link, at: now, into: &effects)
            perform()
        }

        /// Open, on a server that greets so.
        mutating func open(_ greeting: String) {
            tell(.command(.connect(CallID(number()), limit: nil)))
            report([.opened(LinkOpening()), .received([.text(greeting)])])
        }

        mutating func wait(_ duration: Duration) {
            now.instant = now.instant.advanced(by: duration)
            now.wallMilliseconds += duration.wholeMilliseconds
        }
    }

    @Test("A reading knows every wish in order, by what the effects told")
    func reading() {
        var rig = Rig()
        func subscribe(_ channel: String) {
            rig.tell(
                .command(
                    .subscribe(
                        CallID(rig.number()), channel: channel, InboxID(rig.number()), scoped: false)))
        }
        for number in (0..<300).reversed() { subscribe("c\(number)") }
        subscribe("c5")
        rig.tell(.command(.unsubscribe(CallID(rig.number()), channel: "c7")))
        subscribe("c7")
        let expected = (0..<300).reversed().filter { $0 != 7 }.map { "c\($0)" } + ["c7"]
        #expect(rig.reading.subscriptions == expected)
        #expect(rig.engine.subscriptions == expected)
        #expect(rig.reading.subscription("c7") == SubscriptionStatus())
        #expect(rig.reading.subscription("c300") == nil)
        let metrics = rig.reading.metrics(at: rig.now.instant).subscriptions
        #expect(metrics.wished == 300 && metrics.confirmed == 0)
    }

    private static let welcome = #"{"type":"welcome","conn-id":"c","server-time":1}"#
    private static let handshake = #"[[:chsk/handshake ["u" nil]] nil]"#

    @Test("The answers that came while the process slept count, although their limits are over")
    func slept() {
        var rig = Rig()
        rig.open(Self.welcome)
        let call = CallID(rig.number())
        let publish = Outbound.publish(channel: "a", data: [:], excludeSender: false)
        rig.tell(.command(.submit(call, publish, limit: .seconds(10), awaits: .reply)))
        rig.wait(.seconds(300))
        let result = #"{"type":"publish-result","channel-id":"a","success":true,"delivered-to":2}"#
        rig.report([.progress, .received([.text(result)])])
        let answers = rig.effects.compactMap {
            if case .resolve(call, let result) = $0 { result } else { nil }
        }
        #expect(answers == [.success(.published(PublishReceipt(outcome: .acknowledged, deliveredTo: 2)))])
        #expect(rig.engine.status.state == .open)
    }

    @Test("Of a batch of events each counts its own share of the message, and together no more than it")
    func shares() {
        var configuration = SessionConfiguration()
        configuration.inbox = InboxPolicy(maximumBytes: 10_000)
        var rig = Rig(configuration)
        rig.open(Self.handshake)
        let inbox = InboxID(rig.number())
        rig.tell(.command(.openInbox(inbox)))
        rig.tell(.command(.listen(inbox, .allEvents)))
        let events = (0..<100).map { "[:my/ev \($0)]" }.joined(separator: " ")
        rig.report([.received([.text("[[\(events)]]")])])
        #expect(rig.engine.take(inbox).count == 100)
        #expect(rig.reading.metrics(at: rig.now.instant).missed == 0)
    }

    @Test("A reply that comes late or twice is counted as such, and is no message that cannot be read")
    func lateReplies() throws {
        var rig = Rig()
        rig.open(Self.handshake)
        let call = CallID(rig.number())
        rig.tell(.command(.submit(call, .event(Event(id: "my/q")), limit: .seconds(10), awaits: .reply)))
        var written: [Message] = []
        for case .transmit(_, let batch) in rig.effects { written += batch.map(\.message) }
        let callback = try #require(try Vectors.edn(written[0].string)[1]?.stringValue)
        for _ in 0..<3 { rig.report([.received([.text(#"[7 "\#(callback)"]"#)])]) }
        rig.report([.received([.text(#"[7 "somebody"]"#)])])
        guard case .record(.undecodable)? = rig.effects.first, rig.effects.count == 2 else {
            Issue.record("\(rig.effects)")
            return
        }
        let metrics = rig.reading.metrics(at: rig.now.instant)
        #expect(metrics.ignored.lateReplies == 2 && metrics.undecodable == 1)
    }

    @Test(
        "What unfolds beyond the incoming limit ends the link with 1009, be it the first message or a later one"
    )
    func unfoldsTooFar() {
        let compressor = Compressor { bytes, output throws(WireError) in
            output.append(contentsOf: bytes)
        } decompress: { _, _, limit throws(WireError) in
            throw WireError(.tooLarge, "More than \(limit) bytes.")
        }
        for isFirst in [true, false] {
            var rig = Rig(SessionConfiguration(), DialectDetector(compressor: compressor))
            rig.tell(.command(.connect(CallID(rig.number()), limit: nil)))
            let link = rig.link
            let greeting = Message.binary([0] + Array(Self.handshake.utf8))
            rig.report([.opened(LinkOpening())])
            if !isFirst { rig.report([.received([greeting])]) }
            #expect(rig.engine.status.state == (isFirst ? .connecting : .open))
            rig.report([.received([.binary([1, 2, 3])])])
            #expect(rig.effects.contains(.closeLink(link, .messageTooBig, reason: "")))
            let status = rig.engine.status
            #expect(status.state == .reconnecting)
            #expect(status.lastError?.closeCode == .messageTooBig && status.lastClose?.code == .messageTooBig)
            #expect(status.lastError?.message.contains("limits.incomingMessage") == true)
        }
    }
}
