// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Sente's MessagePack")
struct SenteMessagePackTests {
    private func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.utf8.count, by: 2).compactMap { position in
            UInt8(hex.dropFirst(position).prefix(2), radix: 16)
        }
    }

    @Test(
        "writes and reads the packer's extension types",
        arguments: [
            ("c70e006368736b2f68616e647368616b65", .keyword("chsk/handshake")), ("d5006b77", .keyword("kw")),
            ("c70301666f6f", .symbol("foo")), ("d40261", .character("a")),
            ("d40490", .set([])), ("d60493010302", .set([1, 3, 2])),
            ("d5030103", .ratio(Ratio(BigInteger(1), BigInteger(3))!)),
            (
                "c7240935353065383430302d653239622d343164342d613731362d343436363535343430303030",
                .uuid(UniqueID("550e8400-e29b-41d4-a716-446655440000")!)
            ),
            ("c70cff2869758000000000695735a5", .instant(Timestamp(milliseconds: 1_767_323_045_678))),
            ("c70cff3b9ac9ffffffffffffffffff", .instant(Timestamp(milliseconds: -1, nanoseconds: 999_999))),
            ("d42a07", .tagged("msgpack/ext42", .bytes([7]))), ("c400", .bytes([])),
            ("d37fffffffffffffff", .integer(.max)), ("ce80000000", 2_147_483_648),
            ("cb3ff0000000000000", 1.0),
        ] as [(String, Value)])
    func extensions(hex: String, value: Value) throws {
        #expect(try WireFormat.senteMessagePack.decode(bytes(hex)) == value)
        #expect(try WireFormat.senteMessagePack.encode(value) == bytes(hex))
    }

    @Test("numbers map keys as they come and writes the number of those that come again")
    func cachedKeys() throws {
        let value: Value = [
            [.keyword("n"): 0, "n": 1], .set([[.keyword("n"): 2]]), ["n": [.keyword("n"): 3]],
            [1: 2, "x": 4],
        ]
        let written = try WireFormat.senteMessagePack.encode(value)
        #expect(
            written
                == bytes(
                    "9482d4006e00a16e01" + "c7060491" + "81d4080002" + "81d4080181d4080003" + "820102a17804"))
        #expect(try WireFormat.senteMessagePack.decode(written) == value)
        // A key that comes uncached again takes a number again.
        #expect(
            try WireFormat.senteMessagePack.decode(bytes("9381a16101" + "81a16102" + "82a16203d4080204"))
                == [["a": 1], ["a": 2], ["b": 4]])
    }

    @Test("numbers no more than 256 keys")
    func manyKeys() throws {
        let map = ValueMap((0..<300).map { (.keyword(Keyword("k\($0)")), .integer(Int64($0))) })
        let value: Value = [.map(map), .map(map)]
        let written = try WireFormat.senteMessagePack.encode(value)
        #expect(try WireFormat.senteMessagePack.decode(written) == value)
        let once = try WireFormat.senteMessagePack.encode([.map(map)])
        #expect(written.count < 2 * once.count - 256)
    }

    @Test("writes large bytes where they belong, whatever stands around them")
    func largeBytes() throws {
        func random(_ count: Int) -> Value {
            var generator = SplitMix(state: UInt64(count))
            return .bytes((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
        let sizes = [65_535, 65_536, 65_537, 100_000]
        let values: [Value] =
            sizes.map(random) + [
                [random(70_000), .set([random(70_001), 1, [random(70_002)]]), random(70_003), "end"],
                .set([.set([random(65_536)]), random(65_537)]), [random(65_536), .set([])],
                ["a": random(80_000), "b": .tagged("msgpack/ext42", random(80_001))],
            ]
        for value in values {
            let bytes = try WireFormat.senteMessagePack.encode(value)
            #expect(try WireFormat.senteMessagePack.decode(bytes) == value)
            var behind: [UInt8] = [1, 2]
            try WireFormat.senteMessagePack.encode(value, into: &behind)
            #expect(behind == [1, 2] + bytes)
        }
        #expect(throws: WireError.self) {
            try WireFormat.senteMessagePack.encode(values[3], limits: WireLimits(maximumBytes: 100_000))
        }
    }

    @Test("reads Java's arrays of numbers as vectors")
    func numbers() throws {
        #expect(try WireFormat.senteMessagePack.decode(bytes("d70500000001ffffffff")) == [1, -1])
        #expect(try WireFormat.senteMessagePack.decode(bytes("d6063fc00000")) == [1.5])
        #expect(try WireFormat.senteMessagePack.decode(bytes("d7073ff8000000000000")) == [1.5])
    }

    @Test("makes of lists, decimals and big integers what the packer makes of them")
    func lossy() throws {
        let value: Value = [.list([1]), .decimal(BigDecimal("1.50")!), .bigInteger(BigInteger(7))]
        #expect(
            try WireFormat.senteMessagePack.decode(WireFormat.senteMessagePack.encode(value)) == [
                [1], 1.5, 7,
            ])
    }

    @Test(
        "says what it cannot say, and where it stands",
        arguments: [
            .uri("x:y"), .tagged("t", 1), .tagged("msgpack/ext8", .bytes([1])),
            .bigInteger(BigInteger(UInt64.max)),
        ] as [Value])
    func unencodable(value: Value) {
        let error = #expect(throws: WireError.self) {
            try WireFormat.senteMessagePack.encode(["a": [1, [.keyword("k"): value]]])
        }
        #expect(error?.kind == .unencodable)
        #expect(error?.path == ["a", 1, .keyword("k")])
    }

    @Test(
        "refuses bytes that lie",
        arguments: [
            ("", .incomplete), ("c1", .malformed), ("ddffffffff", .incomplete), ("dfffffffff01", .incomplete),
            ("dbffffffff61", .incomplete), ("c6ffffffff", .incomplete), ("c9ffffffff00", .incomplete),
            ("0101", .malformed), ("a2c328", .invalidText), ("a1ff", .invalidText), ("d40800", .malformed),
            ("81d4080001", .malformed), ("d60492010203", .malformed), ("d40401", .malformed),
            ("d5030100", .malformed), ("d5026162", .malformed), ("c70209aaaa", .invalidText),
            ("c702096161", .malformed), ("c705050000000000", .malformed), ("c703ff000000", .malformed),
            ("c70cff3b9aca000000000000000000", .malformed), ("c70cff000000007fffffffffffffff", .outOfRange),
            ("c7000491", .incomplete), ("92d404910101", .malformed),
        ] as [(String, WireError.Kind)])
    func wrong(hex: String, kind: WireError.Kind) {
        let error = #expect(throws: WireError.self) { try WireFormat.senteMessagePack.decode(bytes(hex)) }
        #expect(error?.kind == kind)
        #expect(error?.offset != nil)
    }

    @Test("stops at the limit of depth without recursion")
    func depth() {
        let nested = [UInt8](repeating: 0x91, count: 1_000_000) + [1]
        let error = #expect(throws: WireError.self) { try WireFormat.senteMessagePack.decode(nested) }
        #expect(error?.kind == .tooDeep)
    }
}
