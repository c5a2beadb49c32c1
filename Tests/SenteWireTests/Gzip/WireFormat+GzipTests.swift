// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

extension Compressor {
    /// "Compresses" by counting equal bytes: enough to see what is compressed and what is bounded.
    static let runs = Compressor { bytes, output throws(WireError) in
        var position = 0
        while position < bytes.count {
            var length = 1
            while length < 255, position + length < bytes.count, bytes[position + length] == bytes[position] {
                length += 1
            }
            output += [UInt8(length), bytes[position]]
            position += length
        }
    } decompress: { bytes, output, limit throws(WireError) in
        var count = 0
        for position in stride(from: 0, to: bytes.count - 1, by: 2) {
            count += Int(bytes[position])
            guard count <= limit else { throw WireError(.tooLarge, "It is larger than \(limit).") }
            output += [UInt8](repeating: bytes[position + 1], count: Int(bytes[position]))
        }
    }
}

@Suite("Sente's gzip packer")
struct GzipFormatTests {
    private let format = WireFormat.gzip(over: .edn, compressor: .runs)

    @Test("writes a 0 before short documents and compresses from 1,024 bytes on")
    func threshold() throws {
        #expect(format.name == "gzip-edn" && format.isBinary)
        #expect(try format.encode([1]) == [0] + Array("[1]".utf8))
        let short = Value(String(repeating: "x", count: 1021))
        #expect(try format.encode(short).count == 1024)
        #expect(try format.decode(format.encode(short)) == short)
        let long = Value(String(repeating: "x", count: 1022))
        #expect(
            try format.encode(long) == [
                1, 1, 0x22, 255, 0x78, 255, 0x78, 255, 0x78, 255, 0x78, 2, 0x78, 1, 0x22,
            ])
        #expect(try format.decode(format.encode(long)) == long)
    }

    @Test("bounds what a message unfolds to")
    func bomb() {
        let bomb: [UInt8] = [1] + [UInt8](repeating: 255, count: 10_000)
        let error = #expect(throws: WireError.self) {
            try format.decode(bomb, limits: WireLimits(maximumBytes: 20_000))
        }
        #expect(error?.kind == .tooLarge)
    }

    @Test(
        "says where a message goes wrong",
        arguments: [
            ([], .incomplete, 0), ([2, 3], .malformed, 0), ([0], .incomplete, 1), ([0, 0x5D], .malformed, 1),
            ([1, 1, 0x5D], .malformed, nil),
        ] as [([UInt8], WireError.Kind, Int?)])
    func wrong(bytes: [UInt8], kind: WireError.Kind, offset: Int?) {
        let error = #expect(throws: WireError.self) { try format.decode(bytes) }
        #expect(error?.kind == kind && error?.offset == offset)
    }
}
