// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("sente-lite's vectors spell")
struct SenteLiteVectorsTests {
    static let frames: [(Outbound, String)] = [
        (.subscribe(channel: "room"), #"[:sente-lite/subscribe {:channel-id "room"}]"#),
        (.subscribe(channel: ":kw/chan"), "[:sente-lite/subscribe {:channel-id :kw/chan}]"),
        (.subscribe(channel: ":no keyword"), #"[:sente-lite/subscribe {:channel-id ":no keyword"}]"#),
        (.subscribe(channel: ":"), #"[:sente-lite/subscribe {:channel-id ":"}]"#),
        (.unsubscribe(channel: "räum"), #"[:sente-lite/unsubscribe {:channel-id "räum"}]"#),
        (
            .publish(channel: "room", data: [.keyword("text"): "hi"], excludeSender: false),
            #"[:sente-lite/publish {:channel-id "room", :data {:text "hi"}}]"#
        ),
        (
            .publish(channel: "room", data: .null, excludeSender: true),
            #"[:sente-lite/publish {:channel-id "room", :data nil, :exclude-sender? true}]"#
        ),
        (.ping(stamp: 42), "[:chsk/ws-ping]"),
        (.ping(stamp: nil), "[:chsk/ws-ping]"),
        (.pong(original: nil), "[:chsk/ws-pong]"),
        (.pong(original: 42), "[:chsk/ws-pong]"),
        (.event(Event(id: "my/ev", data: [1, 2.5, nil])), "[:my/ev [1 2.5 nil]]"),
        (.event(Event(id: "my/ev")), "[:my/ev]"),
        (.event(Event(id: "my/ev", data: 1), callback: "cb"), #"[[:my/ev 1] "cb"]"#),
        (.event(Event(id: "my/ev"), callback: "cb"), #"[[:my/ev] "cb"]"#),
        (.event(Event(id: "sente-lite/rpc", data: 1)), "[:sente-lite/rpc 1]"),
    ]

    @Test("every word as its frame, exactly, without white space before it", arguments: frames)
    func encoding(_ outbound: Outbound, _ frame: String) throws {
        let coder = SenteLiteVectors(format: .edn)
        let message = try coder.encode(outbound, at: Vectors.now)
        #expect(message == .text(frame))
        try Dialect.senteLiteVectors.check(outbound, limit: SizeLimits())
    }

    @Test("in Transit what they spell in EDN", arguments: frames)
    func transit(_ outbound: Outbound, _ frame: String) throws {
        let coder = SenteLiteVectors(format: .transitJSON)
        let message = try coder.encode(outbound, at: Vectors.now)
        #expect(message.kind == .text)
        #expect(try WireFormat.transitJSON.decode(message.bytes) == Vectors.edn(frame))
    }

    @Test("nothing that this dialect cannot say", arguments: VectorChecks.refusedByLite.map(\.0))
    func refuses(_ outbound: Outbound) {
        let coder = SenteLiteVectors(format: .edn)
        #expect(throws: SenteError.self) { try coder.encode(outbound, at: Vectors.now) }
    }
}
