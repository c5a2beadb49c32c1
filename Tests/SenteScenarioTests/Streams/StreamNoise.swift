// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// Words and chunks about streams as somebody would send them who means no good, or cannot write.
struct StreamNoise {
    var random: Generator
    let ids: [String]

    init(random: Generator, ids: [String]) {
        self.random = random
        self.ids = ids
    }

    private static let names = [
        "stream-init", "stream-accept", "stream-chunk", "stream-credits", "stream-rewind", "stream-pause",
        "stream-resume", "stream-complete", "stream-control", "stream-error", "stream-cancel", "stream-end",
        "stream-nonsense",
    ]
    private static let fields = [
        "stream", "stream-type", "chunk-size", "total-size", "total-chunks", "metadata", "checksum",
        "chunk-checksums", "again", "next", "bytes", "until", "until-bytes", "chunk-index", "data", "reason",
        "chunks-received", "bytes-received", "duration-ms", "receipt", "error-code", "message", "channel-id",
    ]
    private static let numbers: [Int64] = [
        -1, .min, 0, 1, 2, 3, 4, 5, 7, 8, 64, 65, 1_000, 1 << 32, .max - 1, .max,
    ]

    private mutating func chance(_ of: Int) -> Bool { Int.random(in: 0..<of, using: &random) == 0 }

    private mutating func value() -> Value {
        let texts = [
            "upload", "download", "bidirectional", "broadcast", "sha256", "YQ==", "YWJjZA==", "x",
            String(repeating: "0", count: 64),
        ]
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .string(texts.randomElement(using: &random) ?? "")
        case 3: return .keyword(Keyword(texts.randomElement(using: &random) ?? "x"))
        case 4: return .double(0x1p63)
        case 5: return .vector([1, "a"])
        default: return .integer(Self.numbers.randomElement(using: &random) ?? 0)
        }
    }

    /// A word with fields that it may or may not have.
    mutating func word() -> (name: String, fields: ValueMap) {
        let name = Self.names.randomElement(using: &random) ?? ""
        var map: ValueMap = [:]
        if !chance(20) { map["message-id"] = .string(ids.randomElement(using: &random) ?? "") }
        // What is needed is often there, so that not all of it fails at once.
        if chance(2) {
            map["stream-type"] = .string(
                ["upload", "download", "bidirectional"].randomElement(using: &random) ?? "")
            map["stream"] = .integer(Int64.random(in: 0...40, using: &random))
            map["chunk-size"] = 16
            map["next"] = .integer(Int64.random(in: 0...3, using: &random))
            map["bytes"] = .integer(Int64.random(in: 0...3, using: &random))
            map["until"] = .integer(Int64.random(in: 0...20, using: &random))
            map["chunk-index"] = map["next"]
            map["data"] = "YWJjZA=="
            map["error-code"] = "timeout"
        }
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            map[Self.fields.randomElement(using: &random) ?? ""] = value()
        }
        return (name, map)
    }

    /// A binary chunk for one of these numbers, sometimes cut short; nil when it is to be a word.
    mutating func chunk(numbers: ClosedRange<UInt64>) -> [UInt8]? {
        guard chance(3) else { return nil }
        let bytes = [UInt8](repeating: 7, count: Int.random(in: 0...40, using: &random))
        let index = UInt64(max(0, Self.numbers.randomElement(using: &random) ?? 0))
        var message = StreamChunk(index: index, bytes: bytes[...])
            .binary(number: UInt64.random(in: numbers, using: &random))
        if chance(5) { message = Array(message.prefix(Int.random(in: 0...message.count, using: &random))) }
        return message
    }
}
