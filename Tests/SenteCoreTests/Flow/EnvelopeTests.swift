// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Envelope")
struct EnvelopeTests {
    private static let envelopes: [Envelope] = [
        .compressed(.gzip, [1, 2, 3]), .compressed(.deflate, []),
        .start(ChunkStart(number: 1, chunks: 5, size: 300_000)),
        .start(ChunkStart(number: 0, chunks: 1, size: 0, algorithm: .deflate)),
        .part(ChunkPart(number: 7, index: 3, bytes: [0xFF, 0])),
        .part(ChunkPart(number: 7, index: 4, bytes: [])),
        .end(7), .abort(8),
    ]

    @Test("As a flow word it comes back, with bytes and with base64, with keys of text and of keywords")
    func words() throws {
        for envelope in Self.envelopes {
            for writesBytes in [false, true] {
                let (word, fields) = (envelope.word, envelope.fields(writesBytes: writesBytes))
                let texts = ValueMap(fields.map { (.string($0.name), $0.value) })
                let keywords = ValueMap(fields.map { (.keyword(Keyword($0.name)), $0.value) })
                #expect(try Envelope.read(word: word, fields: texts) == envelope)
                #expect(try Envelope.read(word: word, fields: keywords) == envelope)
            }
        }
        #expect(try Envelope.read(word: .ack, fields: [:]) == nil)
    }

    @Test("As a binary message it comes back; starts, ends and aborts are words only")
    func binary() throws {
        let parts: [Envelope] = [
            .compressed(.gzip, [1, 2, 3]), .compressed(.deflate, []),
            .part(ChunkPart(number: .max, index: 300, bytes: [0xFF, 0])),
            .part(ChunkPart(number: 0, index: 0, isLast: true, namesAlgorithm: true, bytes: [])),
            .part(ChunkPart(number: 0, index: 0, isLast: true, namesAlgorithm: true, size: .max, bytes: [7])),
        ]
        for envelope in parts {
            let bytes = try #require(envelope.binary)
            #expect(try Envelope.read(binary: bytes) == envelope)
        }
        #expect(Self.envelopes.filter { $0.binary == nil }.count == 4)
        #expect(
            Envelope.part(ChunkPart(number: 300, index: 1, isLast: true, namesAlgorithm: true, bytes: [9]))
                .binary
                == [0xC1, 2, 0xAC, 2, 1, 3, 9])
        #expect(
            Envelope.part(ChunkPart(number: 1, index: 0, size: 300, bytes: [9])).binary
                == [0xC1, 2, 1, 0, 4, 0xAC, 2, 9])
        #expect(Envelope.compressed(.deflate, [8]).binary == [0xC1, 1, 2, 8])
    }

    @Test("A message of a format is none", arguments: [[UInt8](), [0x7B], [0x00, 0xC1], [0xC0], [0x01]])
    func plain(bytes: [UInt8]) throws {
        #expect(try Envelope.read(binary: bytes) == nil)
    }

    @Test(
        "A malformed binary one breaks the protocol",
        arguments: [
            [UInt8(0xC1)], [0xC1, 0], [0xC1, 3, 1, 1, 0], [0xC1, 0xC1], [0xC1, 1], [0xC1, 1, 0],
            [0xC1, 1, 3, 5],
            [0xC1, 2], [0xC1, 2, 1], [0xC1, 2, 1, 1], [0xC1, 2, 1, 1, 4], [0xC1, 2, 1, 1, 8],
            [0xC1, 2, 1, 1, 4, 0x80, 0],
            [0xC1, 2, 0x80, 0, 1, 0],
            [0xC1, 2, 0x80, 0x80],
        ])
    func malformed(bytes: [UInt8]) {
        let error = #expect(throws: FlowViolation.self) { try Envelope.read(binary: bytes) }
        #expect(error?.closeCode == .protocolError)
    }

    @Test(
        "A word with fields that it cannot have breaks the protocol",
        arguments: [
            (.compressed, ["data": "AQI="]),
            (.compressed, ["compression-algorithm": "brotli", "data": "AQI="]),
            (.compressed, ["compression-algorithm": "gzip"]),
            (.compressed, ["compression-algorithm": "gzip", "data": "A"]),
            (.compressed, ["compression-algorithm": 1, "data": "AQI="]),
            (.chunkStart, ["message-id": 1, "total-chunks": 1]),
            (.chunkStart, ["message-id": 1, "total-chunks": -1, "total-size": 1]),
            (.chunkStart, ["message-id": "a", "total-chunks": 1, "total-size": 1]),
            (.chunkStart, ["message-id": 1, "total-chunks": 1, "total-size": 1.5]),
            (.chunk, ["message-id": 1, "chunk-index": -1, "data": ""]),
            (.chunk, ["message-id": 1, "data": ""]),
            (.chunk, ["message-id": 1, "chunk-index": 1, "data": 7]),
            (.chunk, ["message-id": 1, "chunk-index": 1, "data": "===="]), (.chunkEnd, [:]),
            (.chunkAbort, ["message-id": .null]),
        ] as [(FlowWord, ValueMap)])
    func wrongFields(word: FlowWord, fields: ValueMap) {
        let error = #expect(throws: FlowViolation.self) { try Envelope.read(word: word, fields: fields) }
        #expect(error?.closeCode == .protocolError)
    }

    @Test("Nothing that comes from outside traps")
    func noise() {
        var random = Generator(seed: 3)
        for _ in 0..<5_000 {
            let count = Int.random(in: 0..<24, using: &random)
            let bytes = [0xC1] + (0..<count).map { _ in UInt8.random(in: 0...3, using: &random) }
            _ = try? Envelope.read(binary: bytes)
            let other = [0xC1, 2] + (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            _ = try? Envelope.read(binary: other)
        }
    }
}
