// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire
import Testing

/// What the vector dialects refuse, and what the sentence has to name.
enum VectorChecks {
    static let events: [(Outbound, String)] = [
        (.event(Event(id: "")), "`id`"), (.event(Event(id: "plain", data: 1)), "no namespace"),
        (.event(Event(id: "plain"), callback: "cb"), "no namespace"),
        (.event(Event(id: "a b/c")), "no keyword"), (.event(Event(id: "a/b c")), "no keyword"),
        (.event(Event(id: "[:my/ev 1]")), "no keyword"),
        (.event(Event(id: "chsk/ws-ping")), "word of the protocol"),
        (.event(Event(id: "chsk/ws-ping"), callback: "cb-2"), "word of the protocol"),
        (.event(Event(id: "chsk/ws-pong")), "word of the protocol"),
        (.event(Event(id: "chsk/handshake", data: ["x"])), "word of the protocol"),
        (.event(Event(id: "chsk/uidport-open")), "word of the protocol"),
        (.event(Event(id: "chsk/anything-new")), "word of the protocol"),
    ]

    static let refusedByLite: [(Outbound, String)] =
        events + [
            (.event(Event(id: "sente-lite/subscribe")), "word of the protocol"),
            (.event(Event(id: "sente-lite/unsubscribe")), "word of the protocol"),
            (.event(Event(id: "sente-lite/publish", data: [:])), "word of the protocol"),
            (.subscribe(channel: ""), "`channel`"), (.unsubscribe(channel: "a\nb"), "`channel`"),
            (.publish(channel: "", data: .null, excludeSender: false), "`channel`"),
            (.publish(channel: "c", data: 2, excludeSender: true), "`data` is a number"),
            (.publish(channel: "c", data: "s", excludeSender: false), "`data` is text"),
            (.publish(channel: "c", data: [1, 2], excludeSender: false), "`data` is an array"),
            (.publish(channel: "c", data: .set([1]), excludeSender: false), "`data` is a set"),
            (.request(channel: "c", data: [:], limit: 1), "carry no requests"),
            (.answer(requestID: "r", data: [:], isError: false), "carry no requests"),
            (.listChannels, "do not tell their channels"), (.listSubscriptions, "do not tell their channels"),
        ]

    static let refusedBySente: [(Outbound, String)] =
        events + [
            (.subscribe(channel: "c"), "no channels"), (.unsubscribe(channel: "c"), "no channels"),
            (.publish(channel: "c", data: [:], excludeSender: false), "no channels"),
            (.listChannels, "no channels"), (.listSubscriptions, "no channels"),
            (.request(channel: "c", data: [:], limit: 1), "no requests"),
            (.answer(requestID: "r", data: [:], isError: false), "no requests"),
        ]
}

@Suite("Before a link exists, the vector dialects")
struct DialectCheckVectorsTests {
    private func refusal(_ outbound: Outbound, _ dialect: Dialect) -> SenteError? {
        do throws(SenteError) {
            try dialect.check(outbound, limit: SizeLimits())
            return nil
        } catch { return error }
    }

    private func expectRefusal(_ outbound: Outbound, _ dialect: Dialect, _ text: String) throws {
        let error = try #require(refusal(outbound, dialect))
        #expect(error.outcome == .notSent)
        #expect(error.message.contains(text), "\(error.message)")
        #expect(error.message.hasSuffix("."))
        let isUnsupported = text.hasPrefix("no ") && !text.contains("namespace") && !text.contains("keyword")
        let isMissing = isUnsupported || text.contains("carry no") || text.contains("do not tell")
        #expect(error.code == (isMissing ? .unsupported : .invalidArgument))
        #expect(!error.isRetryable)
    }

    @Test(
        "sente-lite's refuses what its servers drop, and says what would be right",
        arguments: VectorChecks.refusedByLite)
    func lite(_ outbound: Outbound, _ text: String) throws {
        try expectRefusal(outbound, .senteLiteVectors, text)
    }

    @Test("Sente's refuses what it has no word for", arguments: VectorChecks.refusedBySente)
    func sente(_ outbound: Outbound, _ text: String) throws {
        try expectRefusal(outbound, .sente, text)
    }

    @Test(
        "let pass any namespaced keyword as an id, and any data",
        arguments: [Dialect.senteLiteVectors, .sente])
    func passes(_ dialect: Dialect) {
        for id: Keyword in ["my-app/hello", "a.b.c/d", "ns/ünï", "chsky/x", "my/chsk", "ns/a.b", "ns/+!?*"] {
            for data: Value in [.null, 1, "text", [1, nil], [:], .set([1]), .keyword("plain")] {
                #expect(refusal(.event(Event(id: id, data: data)), dialect) == nil)
                #expect(refusal(.event(Event(id: id, data: data), callback: "cb"), dialect) == nil)
            }
        }
    }

    @Test(
        "refuse what is too large at the call, with both numbers",
        arguments: [Dialect.senteLiteVectors, .sente])
    func sizes(_ dialect: Dialect) throws {
        let event = Outbound.event(Event(id: "my/ev", data: .string(String(repeating: "x", count: 500))))
        let error = #expect(throws: SenteError.self) {
            try dialect.check(event, limit: SizeLimits(outgoingMessage: 100))
        }
        #expect(error?.code == .messageTooLarge)
        #expect(error?.message.contains("\(event.weight)") == true && error?.message.contains("100") == true)
    }

    @Test("tell what their servers can do")
    func capabilities() {
        for dialect in [Dialect.senteLiteVectors, .sente] {
            #expect(!dialect.capabilities.acknowledgesPublish)
            #expect(dialect.capabilities.answersEvents)
        }
        #expect(Dialect.senteLiteVectors.capabilities.answersInOrder)
        #expect(!Dialect.sente.capabilities.answersInOrder)
        #expect(SenteLiteVectors(format: .edn).dialect == .senteLiteVectors)
        #expect(SenteVectors(format: .edn).dialect == .sente)
    }
}
