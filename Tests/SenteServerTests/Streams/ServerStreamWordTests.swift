// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite struct ServerStreamWordTests {
    static let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    static let grant = StreamGrant(has: StreamPlace(index: 4, bytes: 262_144), limit: .chunk(14))
    static let checksum = DigestFunction.sha256.digest(of: Array("abc".utf8)[...])

    /// What both ends say, as the client's tests have it too.
    static let words: [(ServerStreamWord, name: String, fields: [String: Value])] = [
        (.acceptance(nil), "stream-accept", [:]),
        (.acceptance(grant), "stream-accept", ["next": 4, "bytes": 262_144, "until": 14]),
        (.credits(grant), "stream-credits", ["next": 4, "bytes": 262_144, "until": 14]),
        (
            .rewind(StreamGrant(has: StreamPlace(), limit: .byte(131_072))), "stream-rewind",
            ["next": 0, "bytes": 0, "until-bytes": 131_072]
        ),
        (.pause(reason: "backpressure"), "stream-pause", ["reason": "backpressure"]),
        (.resumption(at: nil), "stream-resume", [:]),
        (.resumption(at: StreamPlace(index: 9, bytes: 90)), "stream-resume", ["next": 9, "bytes": 90]),
        (
            .chunk(StreamPart(index: 5, checksum: checksum, bytes: Array("abc".utf8)[...])), "stream-chunk",
            ["chunk-index": 5, "data": "YWJj", "checksum": .string(hex)]
        ),
        (
            .sent(StreamPlace(index: 77, bytes: 5_000_000), checksum: checksum), "stream-complete",
            ["total-chunks": 77, "total-size": 5_000_000, "checksum": .string(hex)]
        ),
        (
            .received(
                StreamPlace(index: 77, bytes: 5_000_000), milliseconds: 5_432, checksum: nil,
                receipt: ["id": 9]),
            "stream-complete",
            [
                "chunks-received": 77, "bytes-received": 5_000_000, "duration-ms": 5_432,
                "receipt": ["id": 9],
            ]
        ),
        (.control(["quality": "480p"]), "stream-control", ["data": ["quality": "480p"]]),
        (
            .error(code: "checksum-mismatch", message: "Chunk 42 checksum failed"), "stream-error",
            ["error-code": "checksum-mismatch", "message": "Chunk 42 checksum failed"]
        ),
        (.cancellation(reason: nil), "stream-cancel", [:]),
    ]

    @Test("every word has its fields, by text and by keywords, and is read back from them", arguments: words)
    func spelling(word: ServerStreamWord, name: String, fields: [String: Value]) throws {
        #expect(word.name == name)
        for spell in [{ Value.string($0) }, { Value.keyword(Keyword($0)) }] as [(String) -> Value] {
            var expected: ValueMap = [spell("message-id"): "u"]
            for (field, value) in fields { expected[spell(field)] = value }
            let spelled = word.fields(of: "u", spell, writesBytes: false)
            #expect(spelled == expected)
            let read = try #require(ServerStreamWord.read(named: name, spelled))
            #expect(read.id == "u")
            #expect(read.word == word)
        }
    }

    @Test("an offer says what the stream is")
    func offer() {
        let offer = StreamOffer(
            .download, channel: "exports", chunkSize: 1_024, totalSize: 5, metadata: ["filename": "a.csv"],
            checksChunks: true)
        #expect(
            ServerStreamWord.initiation(offer).fields(of: "u", { .string($0) }, writesBytes: true) == [
                "message-id": "u", "stream-type": "download", "stream": 0, "channel-id": "exports",
                "chunk-size": 1_024, "total-size": 5, "metadata": ["filename": "a.csv"],
                "checksum": "sha256", "chunk-checksums": true,
            ])
    }

    static let hostile: [(name: String, fields: ValueMap)] = [
        ("stream-init", [:]),
        ("stream-init", ["stream-type": "upload", "stream": 1, "chunk-size": -1]),
        ("stream-init", ["stream-type": "upload", "stream": 1, "chunk-size": 4, "total-size": -4]),
        ("stream-init", ["stream-type": "upload", "stream": 1, "chunk-size": 4, "checksum": "crc32"]),
        ("stream-init", ["stream-type": "upload", "stream": "1", "chunk-size": 4]),
        ("stream-init", ["stream-type": "upload", "stream": 1, "chunk-size": 4, "until": 5]),
        ("stream-credits", ["until": 5]),
        ("stream-credits", ["next": 0, "bytes": 0, "until": .double(9_223_372_036_854_775_808)]),
        ("stream-rewind", ["next": 0, "bytes": -1, "until": 5]),
        ("stream-resume", ["next": 3]),
        ("stream-chunk", ["chunk-index": -1, "data": "YQ=="]),
        ("stream-chunk", ["chunk-index": 0, "data": "Y"]),
        ("stream-chunk", ["chunk-index": 0, "data": "YQ==", "checksum": "ab"]),
        ("stream-complete", ["total-chunks": 3]),
        ("stream-error", [:]),
        ("stream-end", [:]),
        ("stream-nonsense", [:]),
    ]

    @Test("a word that lacks what belongs to it is told by its stream", arguments: hostile.indices)
    func malformed(index: Int) throws {
        let (name, fields) = Self.hostile[index]
        var named = fields
        named["message-id"] = "u"
        #expect(try #require(ServerStreamWord.read(named: name, named)).word == .wrong(name))
        #expect(ServerStreamWord.read(named: name, fields) == nil)
    }

    @Test("a chunk as a binary message begins with the mark and its kind")
    func binary() throws {
        let part = StreamPart(index: 300, checksum: Self.checksum, bytes: [9])
        let message = part.binary(number: 2)
        #expect(message == [0xC1, 3, 2, 0xAC, 2, 1] + Self.checksum + [9])
        let read = try #require(StreamPart.read(message))
        #expect(read.number == 2)
        #expect(read.part == part)
        for length in 0..<message.count - 1 { #expect(StreamPart.read(Array(message.prefix(length))) == nil) }
        #expect(StreamPart.read([0xC1, 3, 1, 0, 2]) == nil)
        #expect(StreamPart.read([0xC1, 2, 1, 0, 0]) == nil)
    }
}
