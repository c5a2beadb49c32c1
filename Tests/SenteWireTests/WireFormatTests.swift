// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Wire formats")
struct WireFormatTests {
    /// A format of one's own: one byte, a number.
    private static let byte = WireFormat(name: "byte", isBinary: true) { value, bytes, _ throws(WireError) in
        bytes.append(0xAA)
        guard let integer = value.integerValue, let byte = UInt8(exactly: integer) else {
            throw WireError(.unencodable, "Only numbers from 0 to 255 can be said.")
        }
        bytes.append(byte)
    } decode: { bytes, _ throws(WireError) in
        guard bytes.count == 2, bytes[0] == 0xAA else {
            throw WireError(.malformed, "Two bytes are wanted.", offset: 0)
        }
        return Value(bytes[1])
    }

    @Test("are equal by name")
    func names() {
        #expect(WireFormat.json == .json(JSONOptions(keywords: .colon), named: "json"))
        #expect(WireFormat.json != Self.byte)
        #expect(Set([WireFormat.json, .json, Self.byte]).count == 2)
        #expect(WireFormat.json.description == "json" && !WireFormat.json.isBinary && Self.byte.isBinary)
    }

    @Test("of one's own work as the built-in ones, limits and clean failure included")
    func own() throws {
        #expect(try Self.byte.decode(Self.byte.encode(7)) == 7)
        var bytes: [UInt8] = [1]
        #expect(throws: WireError.self) { try Self.byte.encode("x", into: &bytes) }
        #expect(bytes == [1])
        let error = #expect(throws: WireError.self) {
            try Self.byte.encode(1, limits: WireLimits(maximumBytes: 1))
        }
        #expect(error?.kind == .tooLarge)
    }

    @Test("read parts of arrays and raw memory in place")
    func places() throws {
        let bytes = Array("xx[1]yy".utf8)
        #expect(try WireFormat.json.decode(bytes[2..<5]) == [1])
        let value = try bytes.withUnsafeBytes { raw in
            try WireFormat.json.decode(UnsafeRawBufferPointer(rebasing: raw[2..<5]))
        }
        #expect(value == [1])
        #expect(throws: WireError.self) {
            try WireFormat.json.decode(UnsafeRawBufferPointer(start: nil, count: 0))
        }
    }

    @Test("describe their errors in a sentence with the place")
    func errors() {
        let reading = #expect(throws: WireError.self) { try WireFormat.json.decode(Array("[1,x]".utf8)) }
        #expect(reading?.description == "A JSON value must begin here. (at byte 3)")
        let writing = #expect(throws: WireError.self) { try WireFormat.json.encode(["a": [.tagged("t", 1)]]) }
        #expect(writing?.description.hasSuffix("(at [\"a\" 0])") == true)
    }

    @Test("hold limits within what the stack bears")
    func limits() {
        var limits = WireLimits()
        #expect(limits.maximumDepth == 512 && limits.maximumBytes == 64 << 20)
        limits.maximumDepth = .max
        #expect(limits.maximumDepth == 1024)
        #expect(WireLimits(maximumDepth: -1).maximumDepth == 0)
    }

    /// Whoever reads tells a peer that its message is too large by this kind, whatever the format.
    @Test("say of what passes the limit of size that it is too large, in one word for all", arguments: all)
    func tooLarge(format: WireFormat) throws {
        let value: Value = [["a": Value(String(repeating: "x", count: 3000))], 1, 2, 3]
        let bytes = try format.encode(value)
        for limit in [0, 1, 100, 2999] {
            let limits = WireLimits(maximumBytes: limit)
            let reading = #expect(throws: WireError.self) { try format.decode(bytes, limits: limits) }
            #expect(reading?.kind == .tooLarge, "\(format) read to \(limit): \(String(describing: reading))")
            let writing = #expect(throws: WireError.self) { try format.encode(value, limits: limits) }
            #expect(
                writing?.kind == .tooLarge, "\(format) written to \(limit): \(String(describing: writing))")
        }
    }

    private static let plain = [
        WireFormat.json, .edn, .transitJSON, .transitJSONVerbose, .transitMessagePack, .senteMessagePack,
    ]
    private static let all = plain + plain.map { .gzip(over: $0, compressor: .runs) }

    @Test("never trap on random or damaged bytes", arguments: [WireFormat.json])
    func fuzz(format: WireFormat) throws {
        var generator = SplitMix(state: 99)
        let pieces =
            Array("[]{}\":,0123456789.-+eEtruefalsn\\u\u{7F} \n".utf8) + [
                0, 0x80, 0xC3, 0xE2, 0xED, 0xF0, 0xFF,
            ]
        var accepted = 0
        for _ in 0..<Effort.fuzz / 2 {
            let bytes = (0..<generator.below(24)).map { _ in pieces[generator.below(pieces.count)] }
            if (try? format.decode(bytes)) != nil { accepted += 1 }
        }
        for _ in 0..<Effort.fuzz / 2 {
            var bytes = try format.encode(generator.jsonValue())
            for _ in 0...generator.below(3) where !bytes.isEmpty {
                let place = generator.below(bytes.count)
                switch generator.below(3) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
                case 1: bytes.remove(at: place)
                default: bytes.insert(pieces[generator.below(pieces.count)], at: place)
                }
            }
            guard let value = try? format.decode(bytes) else { continue }
            accepted += 1
            #expect(try format.decode(format.encode(value)) == value)
        }
        #expect(accepted > 100)
    }

    /// With a step that is quadratic the limit would be passed many times over.
    @Test(
        "take time that grows with a document's size only", .timeLimit(.minutes(5)),
        arguments: plain)
    func largeDocuments(format: WireFormat) throws {
        var map: ValueMap = [:]
        for number in 0..<100_000 { map[Value("key\(number)")] = Value(number) }
        let value: Value = [.map(map), Value(String(repeating: "aé\n🌍", count: 250_000))]
        #expect(try format.decode(format.encode(value)) == value)
    }
}
