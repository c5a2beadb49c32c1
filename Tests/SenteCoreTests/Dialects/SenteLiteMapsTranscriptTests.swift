// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// Recordings of real servers, read where `SENTE_SHARED` says they are.
@Suite(
    "A recorded conversation with a real server",
    .enabled(if: Transcript.folder != nil, "SENTE_SHARED does not name the folder of the recordings"))
struct SenteLiteMapsTranscriptTests {
    private enum Said {
        /// The word whose frame was recorded, at the wall time its own stamp shows.
        case word(Outbound, at: Int64 = 0)
        /// A probe that nobody should send: refused, for this reason.
        case probe(Outbound, naming: String)
    }

    private static let recordings: [(String, WireFormat)] =
        Transcript.names.map { ($0, .json) } + [("lite-v1-edn", .edn)]

    /// Names are texts in JSON, and keywords in EDN.
    private static func key(_ name: String, _ format: WireFormat) -> Value {
        format == .edn ? .keyword(Keyword(name)) : .string(name)
    }

    /// What the recorded client said, in all recordings.
    private static func said(_ key: (String) -> Value) -> [Said] {
        [
            .word(.ping(stamp: 1_234_567_890_123)),
            .word(.pong(original: nil), at: 1),
            .word(.subscribe(channel: "news")),
            .word(.subscribe(channel: "news")),
            .word(.subscribe(channel: "news")),
            .word(.publish(channel: "news", data: [key("hello"): "all", key("n"): 1], excludeSender: false)),
            // {"type": "publish", "channel-id": "news", "data": 2, "exclude-sender?": true}
            .probe(.publish(channel: "news", data: 2, excludeSender: true), naming: "`data` is a number"),
            .word(.listChannels),
            .word(.listSubscriptions),
            .word(.request(channel: "news", data: [key("q"): 1], limit: 1_000)),
            .word(.answer(requestID: "nope", data: 1, isError: false)),
            .word(.unsubscribe(channel: "news")),
            .word(.unsubscribe(channel: "news")),
            .word(.event(Event(id: "anything", data: [key("data"): [1, 2.5, nil, true, "é✓"]]))),
            .word(.event(Event(id: "sente-lite/message", data: [key("no-type"): 1]))),
            // {broken
            .probe(.event(Event(id: "sente-lite/message", data: "{broken")), naming: "`data` is text"),
            // [1,2]
            .probe(.event(Event(id: "sente-lite/message", data: [1, 2])), naming: "`data` is an array"),
            .word(.ping(stamp: nil)),
        ]
    }

    @Test(
        "every frame of its client is one of our words, value for value; its probes are refused",
        arguments: recordings)
    func client(_ name: String, _ format: WireFormat) throws {
        let frames = try Transcript.frames(name, "c2s")
        let said = Self.said { Self.key($0, format) }
        try #require(frames.count == said.count)
        for (text, said) in zip(frames, said) {
            switch said {
            case .word(let outbound, let milliseconds):
                try Dialect.senteLiteMaps.check(outbound, limit: SizeLimits())
                let moment = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: milliseconds)
                let coder = SenteLiteMaps(format: format, writesKeywords: format == .edn)
                let ours = try format.decode(coder.encode(outbound, at: moment).bytes)
                let theirs = try format.decode(Array(text.utf8))
                #expect(Self.withoutDoubledKeys(ours, but: theirs, format) == theirs, "\(text)")
                #expect(ours.mapValue?.keys.first == theirs.mapValue?.keys.first)
            case .probe(let outbound, let naming):
                let error = #expect(throws: SenteError.self, "\(text)") {
                    try Dialect.senteLiteMaps.check(outbound, limit: SizeLimits())
                }
                #expect(error?.code == .invalidArgument)
                #expect(error?.message.contains(naming) == true, "\(text): \(error?.message ?? "")")
            }
        }
    }

    /// Our flags, written in both spellings, where the recorded client left them out.
    private static func withoutDoubledKeys(
        _ ours: Value, but theirs: Value, _ format: WireFormat
    ) -> Value {
        guard var map = ours.mapValue else { return ours }
        for name in ["error", "error?", "exclude-sender", "exclude-sender?"] {
            let key = key(name, format)
            if theirs.mapValue?[key] == nil { map[key] = nil }
        }
        return .map(map)
    }

    /// What each frame of the server means, told by its own values.
    private static func heard(_ key: @escaping (String) -> Value) -> [(ValueMap) -> Inbound] {
        let greeting: (ValueMap) -> Inbound = {
            .greeting(
                Identity(
                    connectionID: $0[key("conn-id")]?.stringValue ?? "?",
                    serverTime: $0[key("server-time")]?.integerValue))
        }
        let subscribed: (ValueMap) -> Inbound = { _ in
            .reply(.next(.subscribe, channel: "news"), .subscribed(retained: []))
        }
        let delivery: (ValueMap) -> Inbound = {
            .delivery(
                ChannelMessage(
                    channel: "news", data: [key("hello"): "all", key("n"): 1],
                    time: $0[key("broadcast-time")]?.integerValue)
            )
        }
        let ping: (ValueMap) -> Inbound = { .ping(stamp: $0[key("timestamp")]?.integerValue) }
        let unsubscribed: (ValueMap) -> Inbound = { _ in
            .reply(.next(.unsubscribe, channel: "news"), .unsubscribed)
        }
        let echo: (ValueMap) -> Inbound = {
            var fields = $0
            fields[key("type")] = nil
            return .event(Event(id: "echo", data: .map(fields)))
        }
        return [
            greeting, greeting, { _ in .pong(stamp: 1_234_567_890_123) }, { _ in .pongAcknowledged },
            subscribed, subscribed, subscribed, delivery,
            {
                let id = $0[key("message-id")]?.stringValue
                return .reply(
                    .next(.publish, channel: "news"),
                    .published(PublishReceipt(outcome: .acknowledged, messageID: id, deliveredTo: 2)))
            },
            delivery,
            {
                var info = ChannelInfo(name: "news")
                info.maximumSubscribers = 1_000
                info.messageRetention = 0
                info.requestLimitMilliseconds = 30_000
                info.messageCount = 1
                info.createdAt = $0[key("channels")]?["news"]?.mapValue?[key("created-at")]?.integerValue
                return .reply(.next(.channels, channel: nil), .channels([info]))
            },
            { _ in .reply(.next(.subscriptions, channel: nil), .subscriptions(["news"])) },
            {
                let id = $0[key("request-id")]?.stringValue ?? "?"
                return .reply(.next(.request, channel: "news"), .forwarded(requestID: id, deliveredTo: 1))
            },
            ping, ping, { _ in .noise }, unsubscribed, unsubscribed, echo, echo, echo,
            { _ in .pong(stamp: nil) },
            ping, ping,
        ]
    }

    @Test("every frame of its server is understood", arguments: recordings)
    func server(_ name: String, _ format: WireFormat) throws {
        let frames = try Transcript.frames(name, "s2c")
        let heard = Self.heard { Self.key($0, format) }
        try #require(frames.count == heard.count)
        for (text, expected) in zip(frames, heard) {
            let coder = SenteLiteMaps(format: format)
            let fields = try #require(try format.decode(Array(text.utf8)).mapValue)
            #expect(coder.hear(text) == [expected(fields)], "\(text)")
        }
        let coder = try DialectDetector().detect(.text(try #require(frames.first)))
        #expect(coder.dialect == .senteLiteMaps && coder.format == format)
    }
}
