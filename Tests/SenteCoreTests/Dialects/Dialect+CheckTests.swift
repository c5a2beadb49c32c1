// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire
import Testing

@Suite("Before a link exists, the map dialect")
struct DialectCheckTests {
    private func refusal(_ outbound: Outbound, _ limit: SizeLimits = SizeLimits()) -> SenteError? {
        do throws(SenteError) {
            try Dialect.senteLiteMaps.check(outbound, limit: limit)
            return nil
        } catch { return error }
    }

    @Test(
        "lets pass what its servers understand",
        arguments: SenteLiteMapsTests.frames.map(\.0) + [
            .subscribe(channel: String(repeating: "x", count: 1_024)), .subscribe(channel: "räum 1/✓:a"),
            .publish(channel: "c", data: [:], excludeSender: false),
            .event(Event(id: "welcome", data: ["a": 1])),
            .event(Event(id: "chat/ping")), .event(Event(id: "Ping")),
            .publish(channel: "c", data: ["type": "ping", "channel-id": "x"], excludeSender: false),
        ])
    func passes(_ outbound: Outbound) {
        #expect(refusal(outbound) == nil)
    }

    @Test(
        "Before it is known which dialect the server speaks, what any of them can say passes",
        arguments: [
            .event(Event(id: "test/echo", data: 1)), .event(Event(id: "test/echo"), callback: "ab12"),
            .event(Event(id: "plain", data: ["a": 1])),
            .request(channel: "c", data: .null, limit: 1), .subscribe(channel: "c"),
        ] as [Outbound])
    func unknownDialect(_ outbound: Outbound) throws {
        try Dialect.check(outbound, for: nil, limit: SizeLimits())
    }

    @Test(
        "What none of them can say is refused with the first one's reason",
        arguments: [.subscribe(channel: ""), .event(Event(id: "no namespace", data: 1))] as [Outbound])
    func unencodableInAll(_ outbound: Outbound) throws {
        let reason = try #require(refusal(outbound))
        #expect(throws: reason) { try Dialect.check(outbound, for: nil, limit: SizeLimits()) }
    }

    static let wrong: [(Outbound, argument: String)] = [
        (.subscribe(channel: ""), "channel"),
        (.unsubscribe(channel: ""), "channel"),
        (.publish(channel: "", data: .null, excludeSender: false), "channel"),
        (.request(channel: "", data: .null, limit: 1), "channel"),
        (.subscribe(channel: String(repeating: "x", count: 1_025)), "channel"),
        (.subscribe(channel: String(repeating: "é", count: 513)), "channel"),
        (.subscribe(channel: "a\nb"), "channel"),
        (.subscribe(channel: "a\u{0}"), "channel"),
        (.subscribe(channel: "a\u{7F}"), "channel"),
        (.subscribe(channel: "a\u{85}"), "channel"),
        (.publish(channel: "c", data: 2, excludeSender: true), "data"),
        (.publish(channel: "c", data: "text", excludeSender: false), "data"),
        (.publish(channel: "c", data: [1, 2], excludeSender: false), "data"),
        (.publish(channel: "c", data: true, excludeSender: false), "data"),
        (.publish(channel: "c", data: .set([1]), excludeSender: false), "data"),
        (.publish(channel: "c", data: .bytes([1]), excludeSender: false), "data"),
        (.publish(channel: "c", data: .keyword("k"), excludeSender: false), "data"),
        (.request(channel: "c", data: 2.5, limit: 1), "data"),
        (.request(channel: "c", data: [], limit: 1), "data"),
        (.event(Event(id: "hello", data: "text")), "data"),
        (.event(Event(id: "hello", data: [1])), "data"),
        (.event(Event(id: "sente-lite/message", data: 1)), "data"),
        (.event(Event(id: "hello", data: ["type": 1])), "type"),
        (.event(Event(id: "hello", data: [.keyword("type"): 1])), "type"),
        (.event(Event(id: "sente-lite/message", data: ["type": "ping"])), "type"),
        (.event(Event(id: "")), "id"),
        (.event(Event(id: "subscribe", data: ["channel-id": "a"])), "id"),
        (.event(Event(id: "unsubscribe")), "id"),
        (.event(Event(id: "publish")), "id"),
        (.event(Event(id: "rpc-request")), "id"),
        (.event(Event(id: "rpc-response")), "id"),
        (.event(Event(id: "ping")), "id"),
        (.event(Event(id: "pong")), "id"),
        (.event(Event(id: "list-channels")), "id"),
        (.event(Event(id: "get-subscriptions")), "id"),
    ]

    @Test("refuses a wrong argument, names it, and says what would be right", arguments: wrong)
    func refuses(_ outbound: Outbound, _ argument: String) throws {
        let error = try #require(refusal(outbound))
        #expect(error.code == .invalidArgument)
        #expect(error.outcome == .notSent)
        #expect(
            error.message.contains("`\(argument)`") || error.message.contains("“\(argument)”"),
            "\(error.message)")
        #expect(error.message.contains(":") && error.message.hasSuffix("."))
        #expect(error.message.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
        #expect(!error.isRetryable)
    }

    @Test("a message right at the limit passes, one byte more does not, and the error has both numbers")
    func sizes() throws {
        let frame = Outbound.publish(channel: "c", data: ["text": "0123456789"], excludeSender: false)
        let weight = frame.weight
        #expect(refusal(frame, SizeLimits(outgoingMessage: weight)) == nil)
        let error = try #require(refusal(frame, SizeLimits(outgoingMessage: weight - 1)))
        #expect(error.code == .messageTooLarge)
        #expect(error.outcome == .notSent)
        #expect(error.message.contains("\(weight)") && error.message.contains("\(weight - 1)"))
    }

    @Test("tells what its servers can do")
    func capabilities() {
        let capabilities = Dialect.senteLiteMaps.capabilities
        #expect(
            capabilities
                == Capabilities(
                    acknowledgesPublish: true, answersEvents: false, answersInOrder: false,
                    retainsMessages: true)
        )
        #expect(SenteLiteMaps(format: .json).dialect == .senteLiteMaps)
    }
}
