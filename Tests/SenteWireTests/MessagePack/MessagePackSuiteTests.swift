// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite(
    "msgpack-test-suite",
    .enabled(if: Witness.folder != nil, "SENTE_SHARED does not name the folder of test data"))
struct MessagePackSuiteTests {
    /// One value of the suite and all its encodings.
    private struct Entry {
        let kind: String
        let value: Value
        let encodings: [[UInt8]]
    }

    private func entries() throws -> [Entry] {
        let suite = try WireFormat.json.decode(
            Witness.bytes("conformance/msgpack/msgpack-test-suite.json"))
        return try #require(suite.mapValue).values.flatMap { $0.arrayValue ?? [] }.map { item in
            let encodings = try #require(item["msgpack"]?.arrayValue).compactMap(\.stringValue).map(bytes)
            let map = try #require(item.mapValue)
            // Some numbers come twice; the one in digits is exact.
            let kinds = map.keys.compactMap(\.stringValue).filter { $0 != "msgpack" }
            let kind = kinds.contains("bignum") ? "bignum" : try #require(kinds.first)
            return Entry(kind: kind, value: try #require(map[kind]), encodings: encodings)
        }
    }

    private func bytes(_ text: String) -> [UInt8] {
        text.split(separator: "-").compactMap { UInt8($0, radix: 16) }
    }

    @Test("every encoding is read as what it says")
    func read() throws {
        let entries = try entries()
        #expect(entries.reduce(0) { $0 + $1.encodings.count } > 200)
        for entry in entries {
            for encoding in entry.encodings where entry.kind != "ext" {
                let value = try WireFormat.senteMessagePack.decode(encoding)
                #expect(isSame(value, entry), "\(entry.kind) \(entry.value): \(value)")
            }
        }
    }

    private func isSame(_ value: Value, _ entry: Entry) -> Bool {
        switch entry.kind {
        case "binary": return value == .bytes(bytes(entry.value.stringValue ?? ""))
        case "bignum":
            guard let digits = entry.value.stringValue else { return false }
            if case .double(let double) = value { return double == Double(digits) }
            return "\(value)".replacing("N", with: "") == digits
        case "timestamp":
            guard case .instant(let instant) = value, let seconds = entry.value[0]?.integerValue,
                let nanoseconds = entry.value[1]?.integerValue
            else { return false }
            return instant
                == Timestamp(
                    milliseconds: seconds * 1000 + nanoseconds / 1_000_000,
                    nanoseconds: UInt32(nanoseconds % 1_000_000))
        default:
            return entry.value == value || entry.value.doubleValue.map { $0 == value.doubleValue } == true
        }
    }

    @Test("every extension is found with its type and content")
    func extensions() throws {
        for entry in try entries() where entry.kind == "ext" {
            let content = bytes(entry.value[1]?.stringValue ?? "")
            for encoding in entry.encodings {
                try encoding.withUnsafeBufferPointer { buffer in
                    var scanner = MessagePackScanner(
                        bytes: try #require(buffer.baseAddress), end: buffer.count)
                    guard case .ext(let type, let start, let count) = try scanner.token() else {
                        Issue.record("\(encoding) is an extension")
                        return
                    }
                    #expect(Int64(type) == entry.value[0]?.integerValue)
                    #expect(Array(encoding[start..<(start + count)]) == content)
                    #expect(scanner.position == scanner.end)
                }
            }
        }
    }

    @Test("what is written is the shortest encoding")
    func write() throws {
        for entry in try entries() where !["ext", "timestamp", "bignum"].contains(entry.kind) {
            let value: Value =
                entry.kind == "binary" ? .bytes(bytes(entry.value.stringValue ?? "")) : entry.value
            let written = try WireFormat.senteMessagePack.encode(value)
            let shortest = try #require(entry.encodings.map(\.count).min())
            // A double is written as one, though a float would do.
            let isDouble = if case .double = value { true } else { false }
            #expect(isDouble ? written.count == 9 : written.count == shortest, "\(value)")
            #expect(isDouble || entry.encodings.contains(written), "\(value)")
        }
    }
}
