// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite struct StreamWordTests {
    static let checksum = DigestFunction.sha256.digest(of: Array("abc".utf8)[...])
    static let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    static let opening = StreamOpening(
        kind: .upload, number: 1, channel: "reports", chunkSize: 65_536, totalSize: 5_000_000,
        metadata: ["filename": "data.json"], checksChunks: true, isAgain: true)
    static let reception = StreamReception(
        next: StreamPoint(index: 4, bytes: 262_144), credit: .chunks(until: 14))

    static let words: [(StreamWord, name: String, fields: [String: Value])] = [
        (
            .open(opening), "stream-init",
            [
                "stream-type": "upload", "stream": 1, "channel-id": "reports", "chunk-size": 65_536,
                "total-size": 5_000_000, "total-chunks": 77, "metadata": ["filename": "data.json"],
                "checksum": "sha256", "chunk-checksums": true, "again": true,
            ]
        ),
        (
            .open(
                StreamOpening(
                    kind: .bidirectional, number: 3, chunkSize: 1_024, isChecked: false,
                    reception: StreamReception(credit: .bytes(until: 131_072)))),
            "stream-init",
            [
                "stream-type": "bidirectional", "stream": 3, "chunk-size": 1_024, "next": 0, "bytes": 0,
                "until-bytes": 131_072,
            ]
        ),
        (
            .open(
                StreamOpening(
                    kind: .broadcast, number: 2, isChecked: false, first: StreamPoint(index: 7, bytes: 70))),
            "stream-init",
            ["stream-type": "broadcast", "stream": 2, "chunk-size": 65_536, "next": 7, "bytes": 70]
        ),
        (.accept(nil), "stream-accept", [:]),
        (.accept(reception), "stream-accept", ["next": 4, "bytes": 262_144, "until": 14]),
        (.credits(reception), "stream-credits", ["next": 4, "bytes": 262_144, "until": 14]),
        (.rewind(reception), "stream-rewind", ["next": 4, "bytes": 262_144, "until": 14]),
        (.pause(reason: "backpressure"), "stream-pause", ["reason": "backpressure"]),
        (.pause(reason: nil), "stream-pause", [:]),
        (.resume(at: nil), "stream-resume", [:]),
        (.resume(at: StreamPoint(index: 9, bytes: 90)), "stream-resume", ["next": 9, "bytes": 90]),
        (
            .sent(StreamTotals(end: StreamPoint(index: 77, bytes: 5_000_000), checksum: checksum)),
            "stream-complete", ["total-chunks": 77, "total-size": 5_000_000, "checksum": .string(hex)]
        ),
        (
            .received(
                StreamReceipt(
                    end: StreamPoint(index: 77, bytes: 5_000_000), milliseconds: 5_432, checksum: checksum,
                    answer: ["id": 9])),
            "stream-complete",
            [
                "chunks-received": 77, "bytes-received": 5_000_000, "duration-ms": 5_432,
                "checksum": .string(hex), "receipt": ["id": 9],
            ]
        ),
        (.control(["quality": "480p"]), "stream-control", ["data": ["quality": "480p"]]),
        (
            .failed(StreamFault(.checksumMismatch, "Chunk 42 checksum failed", isRemote: true)),
            "stream-error",
            ["error-code": "checksum-mismatch", "message": "Chunk 42 checksum failed"]
        ),
        (.cancel(reason: "enough"), "stream-cancel", ["reason": "enough"]),
        (.end, "stream-end", [:]),
    ]

    @Test("every word has its fields, by text and by keywords, and is read back from them", arguments: words)
    func spelling(word: StreamWord, name: String, fields: [String: Value]) throws {
        #expect(word.name == name)
        for spell in [{ Value.string($0) }, { Value.keyword(Keyword($0)) }] as [(String) -> Value] {
            var expected: ValueMap = [spell("message-id"): "uuid-1234"]
            for (field, value) in fields { expected[spell(field)] = value }
            let spelled = word.fields(of: "uuid-1234", spell)
            #expect(spelled == expected)
            let read = try #require(try StreamWord.read(name: name, fields: spelled))
            #expect(read.id == "uuid-1234")
            #expect(read.word == word)
        }
    }

    @Test("only what apps say beside the bytes is counted where sessions are resumed")
    func counting() {
        #expect(Self.words.filter(\.0.isCounted).map(\.name) == ["stream-control"])
    }

    @Test("a chunk is a word with base64 where the format has no bytes, and with bytes where it has")
    func chunkWords() throws {
        let chunk = StreamChunk(index: 5, checksum: Self.checksum, bytes: Array("abc".utf8)[...])
        let text = chunk.fields(of: "u", writesBytes: false) { .string($0) }
        #expect(
            text == ["message-id": "u", "chunk-index": 5, "data": "YWJj", "checksum": .string(Self.hex)])
        let bytes = chunk.fields(of: "u", writesBytes: true) { .keyword(Keyword($0)) }
        #expect(bytes[.keyword("data")] == .bytes(Array("abc".utf8)))
        for fields in [text, bytes] {
            let read = try StreamChunk.read(fields: fields)
            #expect(read.id == "u")
            #expect(read.chunk == chunk)
        }
    }

    @Test(
        "a chunk as a binary message begins with the mark and its kind, then number, index, flags, checksum, bytes"
    )
    func chunkBinary() throws {
        let plain = StreamChunk(index: 300, bytes: [1, 2, 3])
        #expect(plain.binary(number: 1) == [0xC1, 3, 1, 0xAC, 2, 0, 1, 2, 3])
        let checked = StreamChunk(index: 0, checksum: Self.checksum, bytes: [9])
        #expect(checked.binary(number: 129) == [0xC1, 3, 0x81, 1, 0, 1] + Self.checksum + [9])
        for (number, chunk) in [(1, plain), (129, checked)] as [(UInt64, StreamChunk)] {
            let message = chunk.binary(number: number)
            #expect(StreamChunk.isBinary(message))
            let read = try #require(StreamChunk.read(binary: message))
            #expect(read.number == number)
            #expect(read.chunk == chunk)
            for length in 0..<message.count - chunk.bytes.count {
                #expect(StreamChunk.read(binary: Array(message.prefix(length))) == nil)
            }
        }
        #expect(!StreamChunk.isBinary([0xC1, 2, 1, 0, 0]))
        #expect(StreamChunk.read(binary: [0xC1, 3, 1, 0, 2]) == nil, "an unknown flag")
        #expect(
            StreamChunk.read(binary: [0xC1, 3, 0x81, 0, 0, 0]) == nil, "a number longer than it needs to be")
    }

    /// What a peer could send, and what is wrong with it.
    static let hostile: [(name: String, fields: ValueMap)] = [
        ("stream-init", [:]),
        ("stream-init", ["stream-type": "sideways", "stream": 2, "chunk-size": 1]),
        ("stream-init", ["stream-type": "download", "stream": -2, "chunk-size": 1]),
        ("stream-init", ["stream-type": "download", "stream": 2, "chunk-size": 0]),
        ("stream-init", ["stream-type": "download", "stream": 2, "chunk-size": -65_536]),
        ("stream-init", ["stream-type": "download", "stream": 2, "chunk-size": 1, "total-size": -1]),
        ("stream-init", ["stream-type": "download", "stream": 2, "chunk-size": 1, "checksum": "md5"]),
        ("stream-init", ["stream-type": "download", "stream": 2, "chunk-size": 1, "until": 5]),
        ("stream-credits", [:]),
        ("stream-credits", ["next": 0, "bytes": 0, "until": -1]),
        ("stream-credits", ["next": 0, "bytes": 0, "until": .double(9_223_372_036_854_775_808)]),
        ("stream-credits", ["next": -3, "bytes": 0, "until": 5]),
        ("stream-rewind", ["until": 5]),
        ("stream-resume", ["next": 3]),
        ("stream-complete", ["total-chunks": 3]),
        ("stream-complete", ["total-chunks": 3, "total-size": 3, "checksum": "abc"]),
        ("stream-complete", ["total-chunks": 3, "total-size": 3, "checksum": "zz"]),
        ("stream-complete", ["chunks-received": -1, "bytes-received": 0]),
        ("stream-error", ["message": "no code"]),
    ]

    @Test("a word that cannot be names its stream and what is wrong with it", arguments: hostile.indices)
    func malformed(index: Int) {
        let (name, fields) = Self.hostile[index]
        var named = fields
        named["message-id"] = "uuid-1234"
        let error = #expect(throws: StreamWord.Malformed.self) {
            try StreamWord.read(name: name, fields: named)
        }
        #expect(error?.id == "uuid-1234")
    }

    @Test("a word without the name of a stream, or with one that is none, names no stream")
    func nameless() {
        let names: [Value] = [.null, "", 5, .string(String(repeating: "x", count: 257)), .vector(["a"])]
        for name in names {
            let error = #expect(throws: StreamWord.Malformed.self) {
                try StreamWord.read(name: "stream-cancel", fields: ["message-id": name])
            }
            #expect(error?.id == nil)
        }
    }

    @Test("a word of another kind is none about streams")
    func others() throws {
        for name in ["chunk", "ack", "stream", "stream-chunk", "stream-nonsense"] {
            #expect(try StreamWord.read(name: name, fields: ["message-id": "u"]) == nil)
        }
    }

    @Test("chunk data that is neither base64 nor bytes is malformed")
    func chunkData() {
        for data in [.null, 5, "no base64!", .vector([1])] as [Value] {
            #expect(throws: StreamWord.Malformed.self) {
                try StreamChunk.read(fields: ["message-id": "u", "chunk-index": 0, "data": data])
            }
        }
        for index in [.null, -1, "5"] as [Value] {
            #expect(throws: StreamWord.Malformed.self) {
                try StreamChunk.read(fields: ["message-id": "u", "chunk-index": index, "data": ""])
            }
        }
    }
}
