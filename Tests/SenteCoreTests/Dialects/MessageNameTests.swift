// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("MessageName")
struct MessageNameTests {
    private static let now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 0)
    private static let publish = Outbound.publish(channel: "c", data: ["n": 1], excludeSender: false)

    private static func spelled(_ outbound: Outbound, by coder: some DialectCoder) throws -> Value {
        try coder.spell(.identified("m1", outbound), at: now)
    }

    @Test("In maps it is a field of the message, as text or keyword like the others")
    func maps() throws {
        let event = Outbound.event(Event(id: "hello", data: ["a": 1]))
        let text = SenteLiteMaps(format: .json)
        #expect(try Self.spelled(Self.publish, by: text)["message-id"] == "m1")
        #expect(try Self.spelled(event, by: text) == ["type": "hello", "a": 1, "message-id": "m1"])
        let keywords = SenteLiteMaps(format: .edn, writesKeywords: true)
        let spelled = try Self.spelled(Self.publish, by: keywords)
        #expect(spelled.mapValue?[.keyword("message-id")] == "m1")
    }

    @Test(
        "In vectors it is a key of the data, beside a callback too; data that is no map has no place for it")
    func vectors() throws {
        let coder = SenteVectors(format: .edn)
        let map: Value = .map([.keyword("message-id"): "m1", .keyword("a"): 1])
        let event = Event(id: "x/y", data: .map([.keyword("a"): 1]))
        #expect(
            try Self.spelled(.event(event, callback: "cb"), by: coder)
                == [[.keyword("x/y"), map], "cb"])
        #expect(
            try Self.spelled(.event(Event(id: "x/y", data: 5)), by: coder) == [[.keyword("x/y"), 5], .null])
        let lite = SenteLiteVectors(format: .edn)
        #expect(try Self.spelled(.event(event), by: lite) == [.keyword("x/y"), map])
        let published = try Self.spelled(Self.publish, by: lite).arrayValue?[1]
        #expect(published?.mapValue?[.keyword("message-id")] == "m1")
    }

    @Test("To session and checks it is the message itself")
    func forwards() throws {
        let named = Outbound.identified("m1", Self.publish)
        let capabilities = Dialect.senteLiteMaps.capabilities
        #expect(named.channel == "c")
        #expect(named.correlation(in: capabilities) == Self.publish.correlation(in: capabilities))
        #expect(named.weight > Self.publish.weight)
        #expect(throws: SenteError.self) {
            try Dialect.senteLiteMaps.check(
                .identified("m1", .publish(channel: "c", data: 5, excludeSender: false)), limit: SizeLimits())
        }
    }
}
