// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite(
    "Verdicts of clojure.edn",
    .enabled(if: Witness.folder != nil, "SENTE_SHARED does not name the folder of test data"))
struct EDNVerdictTests {
    /// Where this reader differs on purpose.
    private static let differences = [
        "\"\\uD83D\"": "refused: half a surrogate pair is no Unicode text and could not be sent on",
        "#inst \"2020-01-02T03:04:05.123456789-00:00\"": "keeps the nanoseconds that java.util.Date cuts",
    ]

    private static let kinds: [String: @Sendable (Value) -> Bool] = [
        "nil": { $0.isNull }, "Boolean": { $0.boolValue != nil }, "String": { $0.stringValue != nil },
        "Long": { if case .integer = $0 { true } else { false } },
        "BigInt": { if case .bigInteger = $0 { true } else { false } },
        "Double": { if case .double = $0 { true } else { false } },
        "BigDecimal": { if case .decimal = $0 { true } else { false } },
        "Ratio": { if case .ratio = $0 { true } else { false } },
        "Character": { if case .character = $0 { true } else { false } },
        "Keyword": { $0.keywordValue != nil },
        "Symbol": { if case .symbol = $0 { true } else { false } },
        "EmptyList": { $0 == .list([]) }, "PersistentList": { if case .list = $0 { true } else { false } },
        "PersistentVector": { if case .vector = $0 { true } else { false } },
        "PersistentArrayMap": { $0.mapValue != nil },
        "PersistentHashSet": { if case .set = $0 { true } else { false } },
        "Tagged": { if case .tagged = $0 { true } else { false } },
        "Date": { if case .instant = $0 { true } else { false } },
        "UUID": { if case .uuid = $0 { true } else { false } },
    ]

    @Test("hold here, but for a few on purpose")
    func verdicts() throws {
        let cases = try #require(
            try WireFormat.json.decode(
                Witness.bytes("conformance/edn/cases.json").replacing(
                    Array("\\ud83d\\\"".utf8), with: Array("\\ufffd\\\"".utf8)))["cases"]?.arrayValue)
        #expect(cases.count > 200)
        for item in cases {
            let text = try #require(item["text"]?.stringValue)
            if Self.differences[text] != nil { continue }
            try check(text, item)
        }
    }

    private func check(_ text: String, _ item: Value) throws {
        let result: Result<Value, WireError>
        do throws(WireError) {
            result = .success(try WireFormat.edn.decode(Array(text.utf8)))
        } catch {
            result = .failure(error)
        }
        guard item["accept"] == true, item["forms"]?.arrayValue?.count == 1 else {
            // A document has one value, so none and several are refused like errors.
            #expect(throws: WireError.self, "\(text)") { try result.get() }
            return
        }
        let value = try #require(try? result.get(), "\(text) must be accepted")
        let form = try #require(item["forms"]?[0]?.stringValue)
        #expect(try value == WireFormat.edn.decode(Array(form.utf8)), "\(text)")
        #expect(try WireFormat.edn.decode(WireFormat.edn.encode(value)) == value, "\(text)")
        let type = try #require(item["types"]?[0]?.stringValue)
        let isOfKind = try #require(Self.kinds[type], "\(type)")
        #expect(isOfKind(value), "\(text) is a \(type)")
    }

    @Test("that differ are really different")
    func differences() throws {
        #expect(throws: WireError.self) { try WireFormat.edn.decode(Array("\"\\uD83D\"".utf8)) }
        let instant = try WireFormat.edn.decode(Array("#inst \"2020-01-02T03:04:05.123456789-00:00\"".utf8))
        #expect(instant.description == "#inst \"2020-01-02T03:04:05.123456789-00:00\"")
    }
}
