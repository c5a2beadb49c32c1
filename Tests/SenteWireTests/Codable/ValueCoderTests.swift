// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteWire
import Testing

@Suite("Codable types as values")
struct ValueCoderTests {
    struct Address: Codable, Equatable {
        var city: String
        var zip: String?
    }

    enum Role: String, Codable { case admin, guest }

    enum Shape: Codable, Equatable {
        case circle(radius: Double)
        case point
        case pair(Int, Int)
    }

    struct User: Codable, Equatable {
        var id: Int
        var name: String
        var score: Double
        var ratio: Float
        var small: UInt8
        var large: UInt64
        var active: Bool
        var role: Role
        var address: Address?
        var tags: [String]
        var nested: [[Int?]]
        var counts: [String: Int]
        var byNumber: [Int: String]
        var shapes: [Shape]
        var data: Value
        var topic: Keyword

        enum CodingKeys: String, CodingKey {
            case id = "user/id"
            case name, score, ratio, small, large, active, role, address, tags, nested, counts, byNumber,
                shapes, data
            case topic
        }
    }

    static let user = User(
        id: -1, name: "Ü", score: 0.5, ratio: 0.1, small: 255, large: .max, active: true, role: .guest,
        address: Address(city: "Oslo", zip: nil), tags: ["a", "b"], nested: [[1, nil], []], counts: ["x": 1],
        byNumber: [7: "seven"], shapes: [.circle(radius: 2), .point, .pair(1, 2)],
        data: .set([.keyword("k")]),
        topic: "chat/room")

    @Test("come back as they were, with keys as text and as keywords")
    func roundTrip() throws {
        for keys in [ValueEncoder.Keys.strings, .keywords] {
            let value = try ValueEncoder(keys: keys).encode(Self.user)
            #expect(try ValueDecoder().decode(User.self, from: value) == Self.user)
        }
        let value = try ValueEncoder().encode(Self.user)
        #expect(value["user/id"] == -1)
        #expect(value["large"] == Value(UInt64.max))
        #expect(value["address"] == ["city": "Oslo"])
        #expect(
            value["shapes"] == [["circle": ["radius": 2.0]], ["point": [:]], ["pair": ["_0": 1, "_1": 2]]])
        #expect(value["data"] == .set([.keyword("k")]))
        #expect(value["topic"] == .keyword("chat/room"))
        #expect(value.mapValue?.keys.first == "user/id")
        #expect(try ValueEncoder(keys: .keywords).encode(Self.user)[Keyword("user/id")] == -1)
    }

    @Test("go through the bytes of a format")
    func bytes() throws {
        let address = Address(city: "Köln", zip: "1")
        let bytes = try ValueEncoder().encode(address, as: .json)
        #expect(String(decoding: bytes, as: UTF8.self) == "{\"city\":\"Köln\",\"zip\":\"1\"}")
        #expect(try ValueDecoder().decode(Address.self, from: bytes, as: .json) == address)
        #expect(throws: WireError.self) { try ValueDecoder().decode(Address.self, from: [0], as: .json) }
    }

    @Test("read what servers of other tongues write: keywords as text, integer keys, lists and sets")
    func lenient() throws {
        #expect(try ValueDecoder().decode(Role.self, from: .keyword("admin")) == .admin)
        #expect(try ValueDecoder().decode([Int: String].self, from: [7: "x"]) == [7: "x"])
        #expect(try ValueDecoder().decode([Int].self, from: .list([1, 2.0])) == [1, 2])
        #expect(try ValueDecoder().decode(Set<Int>.self, from: .set([1, 2])) == [1, 2])
        #expect(try ValueDecoder().decode([String: Int].self, from: [.keyword("a/b"): 1]) == ["a/b": 1])
        #expect(try ValueDecoder().decode(Double.self, from: 3) == 3)
        #expect(try ValueDecoder().decode(Int?.self, from: nil) == nil)
        #expect(try ValueDecoder().decode(UInt64.self, from: Value(UInt64.max)) == .max)
    }

    @Test("of Foundation have their own kind of value and are read of text as well")
    func foundation() throws {
        struct Kinds: Codable, Equatable {
            var date: Date
            var data: Data
            var id: UUID
            var url: URL
            var price: Decimal
        }
        let id = try #require(UUID(uuidString: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"))
        let kinds = Kinds(
            date: Date(timeIntervalSince1970: 1_795_255_200.123), data: Data([1, 2, 255]), id: id,
            url: try #require(URL(string: "https://example.org/a?b")),
            price: try #require(Decimal(string: "19.95")))
        let value = try ValueEncoder().encode(kinds)
        #expect(value["date"]?.description == "#inst \"2026-11-21T10:00:00.123-00:00\"")
        #expect(value["data"] == .bytes([1, 2, 255]))
        #expect(value["id"] == .uuid(UniqueID(high: 0xF81D_4FAE_7DEC_11D0, low: 0xA765_00A0_C91E_6BF6)))
        #expect(value["url"] == .uri("https://example.org/a?b"))
        #expect(value["price"]?.description == "19.95M")
        #expect(try ValueDecoder().decode(Kinds.self, from: value) == kinds)
        let json = try WireFormat.json.decode(WireFormat.json.encode(value))
        #expect(try ValueDecoder().decode(Kinds.self, from: json) == kinds)
        #expect(try ValueDecoder().decode(Date.self, from: 1500) == Date(timeIntervalSince1970: 1.5))
        for (type, wrong) in [(Date.self, "x"), (Data.self, "x"), (UUID.self, "x"), (Decimal.self, "x")]
            as [(any Decodable.Type, Value)]
        {
            #expect(throws: DecodingError.self) { try ValueDecoder().decode(type, from: wrong) }
        }
        #expect(throws: EncodingError.self) { try ValueEncoder().encode(Date(timeIntervalSince1970: .nan)) }
    }

    @Test("keep dates to the microsecond, also the far ones without a trap")
    func dates() {
        var generator = SplitMix(state: 5)
        for _ in 0..<1000 {
            let date = Date(timeIntervalSinceReferenceDate: Double.random(in: -4e9...4e9, using: &generator))
            let again = Value(date).dateValue
            #expect(abs(again?.timeIntervalSince(date) ?? 1) < 1e-6)
        }
        for seconds in [Double.infinity, -.infinity, .nan, 1e300, -1e300, 9.2e15] {
            #expect(Value(Date(timeIntervalSince1970: seconds)).dateValue != nil)
        }
        #expect(Value(Date.distantPast).dateValue == .distantPast)
        #expect(Value(Date.distantFuture).dateValue == .distantFuture)
    }

    @Test("that do not fit are refused with the path to where")
    func mismatches() throws {
        struct Outer: Codable { var inner: [Address] }
        func failure(_ value: Value) -> DecodingError? {
            return #expect(throws: DecodingError.self) {
                _ = try ValueDecoder().decode(Outer.self, from: value)
            }
        }
        guard case .keyNotFound(let key, let context) = failure(["inner": [["city": "a"], [:]]]) else {
            Issue.record("a missing key")
            return
        }
        #expect(key.stringValue == "city")
        #expect(context.codingPath.map(\.stringValue) == ["inner", "1"])
        guard case .typeMismatch(_, let wrong) = failure(["inner": [["city": 5]]]) else {
            Issue.record("a wrong type")
            return
        }
        #expect(wrong.codingPath.map(\.stringValue) == ["inner", "0", "city"])
        #expect(wrong.debugDescription == "There is the number 5 where text is wanted.")
        guard case .valueNotFound = failure(["inner": nil]) else {
            Issue.record("null")
            return
        }
        for (type, value) in [
            (UInt8.self, 256), (UInt8.self, -1), (Int.self, 1.5), (Int.self, Value(UInt64.max)),
            (Float.self, 1e300),
            (Bool.self, 1), ([Int].self, .map(["a": 1])), ([String: Int].self, .vector([1])),
            (Int.self, .double(.nan)),
        ] as [(any Decodable.Type, Value)] {
            #expect(throws: DecodingError.self, "\(type) of \(value)") {
                _ = try ValueDecoder().decode(type, from: value)
            }
        }
    }

    @Test("that do not fit are refused with a sentence that says what is wrong with the value")
    func sentences() {
        for (type, value, sentence) in [
            (Int.self, 2.5, "There is the number 2.5 where a whole number is wanted."),
            (Int.self, .double(.nan), "There is the number ##NaN where a whole number is wanted."),
            (Int8.self, 300, "There is the number 300, and it does not fit Int8, which holds -128 to 127."),
            (UInt8.self, 1e30, "There is the number 1e+30, and it does not fit UInt8, which holds 0 to 255."),
            (Int8.self, "300", "There is the text “300” where a whole number is wanted."),
            (
                Float.self, 1e300,
                "There is the number 1e+300, and it does not fit Float, which ends at ±3.4028235e+38."
            ),
            (Bool.self, 1, "There is the number 1 where true or false is wanted."),
            (String.self, true, "There is true where text is wanted."),
            (String.self, nil, "There is null where text is wanted."),
            (Double.self, .keyword("a"), "There is the keyword :a where a number is wanted."),
            (Keyword.self, 1, "There is the number 1 where a keyword or text is wanted."),
            ([Int].self, [:], "There is a map where a vector, a list or a set is wanted."),
            (Address.self, [], "There is a vector where a map is wanted."),
            (
                Date.self, "x",
                "There is the text “x” where an instant, text as 2026-11-21T10:00:00Z or a finite number of "
                    + "milliseconds since 1970 is wanted."
            ),
            (
                Date.self, .double(.nan),
                "There is the number ##NaN where an instant, text as 2026-11-21T10:00:00Z or a finite number of "
                    + "milliseconds since 1970 is wanted."
            ),
            (Data.self, "?", "There is the text “?” where bytes or text in base64 is wanted."),
            (
                UUID.self, Value(String(repeating: "é", count: 41)),
                "There is the text “\(String(repeating: "é", count: 40))…” where a UUID or text of 8-4-4-4-12 "
                    + "hexadecimal digits is wanted."
            ),
            (URL.self, "", "There is the text “” where a URI that Foundation reads or its text is wanted."),
            (
                Decimal.self, .double(.infinity),
                "There is the number ##Inf where a number that Decimal holds or its text is wanted."
            ),
        ] as [(any Decodable.Type, Value, String)] {
            let error = #expect(throws: DecodingError.self) {
                _ = try ValueDecoder().decode(type, from: value)
            }
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                #expect(context.debugDescription == sentence)
            default: Issue.record("\(type) of \(value): \(String(describing: error))")
            }
        }
    }

    @Test("may hold values in other coders too")
    func foreignCoders() throws {
        let value: Value = ["a": [1, 2.5, nil, true, "x"], "b": [:]]
        #expect(try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value)) == value)
        #expect(
            try JSONDecoder().decode([Keyword].self, from: JSONEncoder().encode(["a/b" as Keyword])) == [
                "a/b"
            ])
        #expect(throws: EncodingError.self) { try JSONEncoder().encode(Value.map([[1]: 2])) }
    }
}

/// Types that use Codable in the ways the compiler does not.
@Suite("Codable written by hand")
struct HandwrittenCoderTests {
    class Animal: Codable {
        var name: String
        init(name: String) { self.name = name }
    }

    final class Dog: Animal {
        var age: Int
        enum CodingKeys: String, CodingKey { case age }
        init(name: String, age: Int) {
            self.age = age
            super.init(name: name)
        }
        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            age = try container.decode(Int.self, forKey: .age)
            try super.init(from: container.superDecoder())
        }
        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(age, forKey: .age)
            try super.encode(to: container.superEncoder())
        }
    }

    @Test("reaches the superclass under its own key")
    func superclass() throws {
        let value = try ValueEncoder().encode(Dog(name: "Rex", age: 3))
        #expect(value == ["age": 3, "super": ["name": "Rex"]])
        let dog = try ValueDecoder().decode(Dog.self, from: value)
        #expect(dog.name == "Rex" && dog.age == 3)
    }

    struct Nested: Codable, Equatable {
        var x: Int
        var y: [Int]
        enum Outer: String, CodingKey { case box, list }
        enum Inner: String, CodingKey { case x }

        init(x: Int, y: [Int]) { (self.x, self.y) = (x, y) }
        init(from decoder: any Decoder) throws {
            let outer = try decoder.container(keyedBy: Outer.self)
            x = try outer.nestedContainer(keyedBy: Inner.self, forKey: .box).decode(Int.self, forKey: .x)
            var list = try outer.nestedUnkeyedContainer(forKey: .list)
            y = []
            while !list.isAtEnd {
                if try list.decodeNil() { continue }
                y.append(try list.decode(Int.self))
            }
            #expect(throws: DecodingError.self) { try list.decode(Int.self) }
        }
        func encode(to encoder: any Encoder) throws {
            var outer = encoder.container(keyedBy: Outer.self)
            var first = outer.nestedContainer(keyedBy: Inner.self, forKey: .box)
            try first.encode(0, forKey: .x)
            // Asking twice must add to the same container.
            var second = outer.nestedContainer(keyedBy: Inner.self, forKey: .box)
            try second.encode(x, forKey: .x)
            var list = outer.nestedUnkeyedContainer(forKey: .list)
            for number in y { try list.encode(number) }
            try list.encodeNil()
        }
    }

    @Test("nests containers without types of their own")
    func nested() throws {
        let value = try ValueEncoder().encode(Nested(x: 1, y: [2, 3]))
        #expect(value == ["box": ["x": 1], "list": [2, 3, nil]])
        #expect(try ValueDecoder().decode(Nested.self, from: value) == Nested(x: 1, y: [2, 3]))
    }

    struct Confused: Encodable {
        func encode(to encoder: any Encoder) throws {
            var list = encoder.unkeyedContainer()
            try list.encode(1)
            var map = encoder.container(keyedBy: Nested.Outer.self)
            try map.encode(1, forKey: .box)
            _ = map.nestedContainer(keyedBy: Nested.Inner.self, forKey: .box)
        }
    }

    struct ConfusedBelow: Encodable {
        func encode(to encoder: any Encoder) throws {
            var list = encoder.unkeyedContainer()
            _ = list.nestedUnkeyedContainer()
            var map = encoder.container(keyedBy: Nested.Outer.self)
            _ = map.nestedUnkeyedContainer(forKey: .box)
            var single = encoder.singleValueContainer()
            try single.encode(1)
        }
    }

    struct ConfusedEarly: Encodable {
        func encode(to encoder: any Encoder) throws {
            _ = encoder.unkeyedContainer()
            var map = encoder.container(keyedBy: Nested.Outer.self)
            _ = map.superEncoder()
        }
    }

    struct Mirror: Encodable {
        func encode(to encoder: any Encoder) throws {
            var single = encoder.singleValueContainer()
            try single.encode(self)
        }
    }

    struct Endless: Encodable {
        var depth = 0
        func encode(to encoder: any Encoder) throws {
            var list = encoder.unkeyedContainer()
            try list.encode(Endless())
        }
    }

    struct Tower: Encodable {
        func encode(to encoder: any Encoder) throws {
            var list = encoder.unkeyedContainer()
            for _ in 0..<100_000 { list = list.nestedUnkeyedContainer() }
        }
    }

    struct Nothing: Encodable {
        func encode(to encoder: any Encoder) throws {}
    }

    @Test("that contradicts itself or never ends is refused, not a crash")
    func misuse() throws {
        #expect(throws: EncodingError.self) { try ValueEncoder().encode(Confused()) }
        #expect(throws: EncodingError.self) { try ValueEncoder().encode(ConfusedBelow()) }
        #expect(throws: EncodingError.self) { try ValueEncoder().encode(ConfusedEarly()) }
        #expect(throws: EncodingError.self) { try ValueEncoder().encode(Mirror()) }
        #expect(throws: EncodingError.self) { try ValueEncoder().encode(Endless()) }
        #expect(throws: EncodingError.self) { try ValueEncoder().encode(Tower()) }
        #expect(try ValueEncoder().encode(Nothing()) == [:])
    }
}
