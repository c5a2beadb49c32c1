// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// What a peer says that keeps to nothing: words of flow, well-formed and not, in every dialect and both directions.
struct HostileWords {
    let dialect: Dialect
    let format: WireFormat
    /// What Sente's words of a server answer.
    var callback = "cb"
    var random: Generator

    static let all = [
        "handshake", "handshake-ack", "ack", "end", "skip", "batch", "compressed", "chunk-start", "chunk",
        "chunk-end", "chunk-abort", "chunk-ack", "what",
    ]

    init(_ dialect: Dialect, _ format: WireFormat? = nil, seed: UInt64) {
        self.dialect = dialect
        self.format = format ?? (dialect == .senteLiteMaps ? .json : .edn)
        random = Generator(seed: seed)
    }

    // MARK: Chance

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func pick<Element>(_ elements: some RandomAccessCollection<Element>) -> Element {
        elements[
            elements.index(elements.startIndex, offsetBy: Int.random(in: 0..<elements.count, using: &random))]
    }

    mutating func small(_ limit: Int) -> Value { Value(Int.random(in: 0...limit, using: &random)) }

    // MARK: Values

    func name(_ text: String) -> Value { dialect == .senteLiteMaps ? .string(text) : .keyword(Keyword(text)) }

    func map(_ fields: KeyValuePairs<String, Value>) -> Value {
        .map(ValueMap(fields.map { (name($0.key), $0.value) }))
    }

    /// What nobody would say.
    mutating func anything() -> Value {
        switch Int.random(in: 0..<16, using: &random) {
        case 0: .integer(.max)
        case 1: .integer(.min)
        case 2: -1
        case 3: .double(9_223_372_036_854_775_808)
        case 4: .double(0.5)
        case 5: .null
        case 6: true
        case 7: .vector([])
        case 8: .map(ValueMap())
        case 9: .string(String(repeating: "x", count: pick([0, 1, 1_025])))
        case 10: .string("\u{0}\u{FFFD}")
        case 11: .vector((0..<200).map { Value($0) })
        case 12: (0..<100).reduce(.null) { inner, _ in [inner] }
        case 13: .integer(1 << 32)
        case 14: name("flow-ack")
        default: .string("gzip")
        }
    }

    mutating func bytes(_ limit: Int) -> [UInt8] {
        (0..<Int.random(in: 0...limit, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    mutating func features() -> Value {
        var fields: [(Value, Value)] = []
        for flag in ["batching", "chunking", "binary", "deduplication"] where chance(70) {
            fields.append((name(flag), chance(90) ? true : anything()))
        }
        if chance(70) { fields.append((name("compression"), chance(90) ? ["gzip", "deflate"] : anything())) }
        if chance(40) { fields.append((name("max-chunk-size"), chance(70) ? 1_000 : anything())) }
        if chance(30) {
            let sizes = map(["in": chance(80) ? small(10_000) : anything(), "out": small(10_000)])
            fields.append((name("max-message-bytes"), sizes))
        }
        if chance(70) {
            let resume = map(["window-ms": 20_000, "messages": 8, "bytes": 4_000])
            fields.append((name("resume"), chance(85) ? resume : anything()))
        }
        return .map(ValueMap(fields))
    }

    private mutating func field(_ field: String) -> Value {
        if chance(15) { return anything() }
        switch field {
        case "message-id": return small(chance(90) ? 20 : 5_000)
        case "total-chunks": return small(12)
        case "total-size": return small(2_000)
        case "chunk-index": return small(12)
        case "compression-algorithm": return chance(80) ? "gzip" : .string(pick(["deflate", "br", ""]))
        case "data":
            let bytes = chance(50) ? bytes(300) : Array(#"{"type":"x"}"#.utf8)
            return .string(chance(90) ? Base64.text(bytes) : "?")
        case "received", "sent", "missed": return small(20)
        case "messages":
            return .vector(
                (0..<Int.random(in: 0...5, using: &random)).map { _ in pick([item(), anything()]) })
        case "capabilities", "features": return features()
        case "resumed", "compressed": return .bool(chance(50))
        case "session": return .string(pick(["s", "t", "", String(repeating: "s", count: 1_025)]))
        case "resume":
            return map([
                "session": .string(pick(["s", "", String(repeating: "f", count: 32)])), "received": small(20),
                "sent": small(20), "attempt": pick([small(20), anything()]),
            ])
        default: return anything()
        }
    }

    private static let fields: [String: [String]] = [
        "handshake": ["capabilities", "resume"],
        "handshake-ack": ["features", "session", "resumed", "received", "sent", "missed"],
        "ack": ["received"], "batch": ["messages"],
        "compressed": ["compressed", "compression-algorithm", "data"],
        "chunk-start": ["message-id", "total-chunks", "total-size", "compression-algorithm"],
        "chunk": ["message-id", "chunk-index", "data"], "chunk-end": ["message-id"],
        "chunk-abort": ["message-id"],
        "chunk-ack": ["message-id"],
    ]

    private mutating func fields(of word: String) -> [(Value, Value)] {
        var fields: [(Value, Value)] = []
        for field in Self.fields[word] ?? [] where chance(95) {
            if field == "compression-algorithm", word == "chunk-start", chance(60) { continue }
            fields.append((name(field), self.field(field)))
        }
        return fields
    }

    /// A message within a batch: a plain one, or a word.
    private mutating func item() -> Value {
        if chance(30) { return word(pick(Self.all)) }
        switch dialect {
        case .senteLiteMaps: return ["type": "get-subscriptions"]
        case .senteLiteVectors: return [.keyword("app/x"), ["n": 1]]
        case .sente, .nats: return [[.keyword("app/x"), ["n": 1]], .null]
        }
    }

    // MARK: Words

    /// A word as this dialect spells it.
    mutating func word(_ word: String) -> Value { spelled(word, fields(of: word)) }

    func spelled(_ word: String, _ fields: [(Value, Value)]) -> Value {
        let event: Value = [
            .keyword(Keyword(namespace: "flow", name: word)), .map(ValueMap(fields)),
        ]
        switch dialect {
        case .senteLiteMaps:
            return .map(ValueMap([("type" as Value, Value.string("flow-\(word)"))] + fields))
        case .senteLiteVectors: return event
        case .sente, .nats:
            let answer: Value = word == "handshake-ack" ? .map(ValueMap(fields)) : event
            return [answer, .string(callback)]
        }
    }

    func message(_ value: Value) -> Message {
        let limits = WireLimits(maximumBytes: .max)
        return Message(format.isBinary ? .binary : .text, (try? format.encode(value, limits: limits)) ?? [])
    }

    /// Any message at all.
    mutating func message() -> Message {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<6: return message(word(pick(Self.all)))
        case 6: return .binary([0xC1] + bytes(20))
        case 7:
            // A part with plausible numbers.
            let head = (0..<3).map { UInt8.random(in: 0..<($0 == 2 ? 8 : 20), using: &random) }
            return .binary([0xC1, 2] + head + bytes(300))
        case 8: return .binary([0xC1, 1, 1] + bytes(300))
        default: return chance(50) ? Message(.text, bytes(50)) : message(anything())
        }
    }

    func greeting(_ capabilities: Value?) -> Message {
        let announced = capabilities.map { [(name("capabilities"), $0)] } ?? []
        switch dialect {
        case .senteLiteMaps:
            let head: [(Value, Value)] = [("type", "welcome"), ("conn-id", "c1")]
            return message(.map(ValueMap(head + announced)))
        case .senteLiteVectors:
            return message([.keyword("chsk/handshake"), ["u", "t", .map(ValueMap(announced)), true]])
        case .sente, .nats:
            return message([[.keyword("chsk/handshake"), ["u", .null, .map(ValueMap(announced))]], .null])
        }
    }
}
