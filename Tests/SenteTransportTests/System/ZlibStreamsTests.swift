// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTransport
import Testing

@Suite("zlib's streams")
struct ZlibStreamsTests {
    private let library: ZlibLibrary
    private static let tail: [UInt8] = [0, 0, 0xFF, 0xFF]

    init() throws {
        library = try ZlibLibrary.shared.get()
    }

    private func deflater(_ windowBits: Int = 15, level: Int = 6) throws -> any Deflater {
        try #require(library.makeDeflater(windowBits: windowBits, level: level))
    }

    private func inflater(_ windowBits: Int = 15) throws -> any Inflater {
        try #require(library.makeInflater(windowBits: windowBits))
    }

    private func deflate(_ stream: any Deflater, _ bytes: [UInt8]) throws -> [UInt8] {
        try #require(bytes.withUnsafeBytes { stream.deflate($0) })
    }

    /// Feeds a message and its tail, `size` bytes at a time.
    private func inflate(
        _ stream: any Inflater, _ payload: [UInt8], by size: Int = .max, limit: Int = 1 << 24
    ) throws -> [UInt8] {
        var output: [UInt8] = []
        var rest = (payload + Self.tail)[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(size))
            rest = rest.dropFirst(piece.count)
            try piece.withUnsafeBytes { try stream.inflate($0, into: &output, limit: limit) }
        }
        return output
    }

    private func random(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = Generator(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    @Test(
        "what is deflated is inflated, whatever its kind, however it is cut",
        arguments: [1, 9, 300, 70_000, 1_000_000])
    func roundTrip(count: Int) throws {
        let kinds = [
            random(count, seed: 1), [UInt8](repeating: 7, count: count), (0..<count).map { UInt8($0 % 251) },
        ]
        for level in [1, 6, 9] {
            let (deflater, inflater) = (try deflater(level: level), try inflater())
            for size in [Int.max, 1_000, 7] {
                for bytes in kinds {
                    let payload = try deflate(deflater, bytes)
                    #expect(try inflate(inflater, payload, by: size) == bytes)
                    #expect(inflater.isAtBoundary)
                }
            }
        }
    }

    @Test("a repeated message refers to the one before, unless the stream was reset")
    func context() throws {
        let stream = try deflater()
        let message = random(1_000, seed: 2)
        let first = try deflate(stream, message)
        let second = try deflate(stream, message)
        #expect(second.count < 40)
        stream.reset()
        #expect(try deflate(stream, message) == first)
        let inflater = try inflater()
        #expect(try inflate(inflater, first) == message)
        #expect(try inflate(inflater, second) == message)
        inflater.reset()
        #expect(throws: InflateError.damaged) { try inflate(inflater, second) }
    }

    @Test("RFC 7692 §7.1.2.2: nothing refers back further than the window", arguments: 9...15)
    func window(bits: Int) throws {
        // Repeats itself just beyond the window, so that a larger one would be of use.
        let period = random(1 << bits + 1 << (bits - 2), seed: 3)
        let bytes = (0..<(128 << 10)).map { period[$0 % period.count] }
        let payload = try deflate(deflater(bits), bytes)
        #expect(try inflate(inflater(bits), payload, by: 1) == bytes)
        guard bits < 15 else { return }
        let wider = try deflate(deflater(bits + 1), bytes)
        #expect(wider.count < payload.count / 4)
        let strict = try inflater(bits)
        #expect(throws: InflateError.damaged) { try inflate(strict, wider, by: 1) }
    }

    @Test("RFC 7692 §7.1.2.2: windows and levels that zlib cannot do are declined")
    func impossible() {
        for bits in [-1, 0, 8, 16, Int.max, Int.min] {
            #expect(library.makeDeflater(windowBits: bits, level: 6) == nil)
        }
        #expect(library.makeDeflater(windowBits: 15, level: 10) == nil)
        #expect(library.makeDeflater(windowBits: 15, level: .max) == nil)
        for bits in [-1, 0, 7, 16, Int.max, Int.min] {
            #expect(library.makeInflater(windowBits: bits) == nil)
        }
    }

    @Test("RFC 6455 §10.4: a bomb stops at the limit, by one byte")
    func bomb() throws {
        let payload = try deflate(deflater(), [UInt8](repeating: 0, count: 8 << 20))
        #expect(payload.count < 10_000)
        #expect(try inflate(inflater(), payload, limit: 8 << 20).count == 8 << 20)
        let stream = try inflater()
        var output: [UInt8] = []
        #expect(throws: InflateError.tooLarge) {
            try payload.withUnsafeBytes { try stream.inflate($0, into: &output, limit: 100_000) }
        }
        #expect(output.count <= 100_000)
        #expect(throws: InflateError.tooLarge) {
            try payload.withUnsafeBytes { try stream.inflate($0, into: &output, limit: 0) }
        }
    }

    @Test(
        "RFC 7692 §7.2.2: a final block ends a message, not the stream, and later blocks may refer to what came before it"
    )
    func final() throws {
        let stream = try inflater()
        let hello = Array("Hello".utf8)
        // RFC 7692 §7.2.3.4, then §7.2.3.2, which refers back.
        #expect(try inflate(stream, [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00]) == hello)
        #expect(try inflate(stream, [0xF2, 0x00, 0x11, 0x00, 0x00]) == hello)
        #expect(stream.isAtBoundary)
        var output: [UInt8] = []
        let whole: [UInt8] = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]
        try whole.withUnsafeBytes { try stream.inflate($0, into: &output, limit: 100) }
        #expect(stream.isAtBoundary)
        #expect(output == hello)
    }

    @Test("many final blocks cost no more than their bytes")
    func finals() throws {
        let stream = try inflater()
        let blocks = (0..<400_000).map { UInt8($0 & 1 == 0 ? 3 : 0) }
        #expect(try inflate(stream, blocks + [0]).isEmpty)
    }

    @Test(
        "RFC 7692 §7.2.2: what is no DEFLATE is damaged",
        arguments: [
            [0x06], [0x07, 0xFF], [0x01, 0x01, 0x00, 0x00, 0x00], [0x78, 0x9C, 0x03, 0x00],
            // A preset dictionary, as zlib's own container has it.
            [0x78, 0xBB, 0x00, 0x00, 0x00, 0x00],
            // A match before there is anything to refer to.
            [0x02, 0x11, 0x00, 0x00],
            // Data after a final block.
            [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0xFF, 0xFF],
        ] as [[UInt8]])
    func damaged(payload: [UInt8]) throws {
        let stream = try inflater()
        #expect(throws: InflateError.damaged) { try inflate(stream, payload) }
    }

    @Test("RFC 7692 §7.2.2: a message cut short is never at a boundary once its tail is added")
    func cut() throws {
        let payload = try deflate(deflater(), Array("a text of some length, of some length at least".utf8))
        for count in 1..<payload.count {
            let stream = try inflater()
            let result = Result { try inflate(stream, Array(payload[..<count])) }
            if case .success = result { #expect(!stream.isAtBoundary, "\(count) bytes of \(payload.count)") }
        }
    }
}
