// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire
import Testing

@Suite("Large data references")
struct LargeDataReferenceTests {
    private static let digits = String(repeating: "0f", count: 32)
    private static let fields: [Value: Value] = [
        "storage": "file", "reference": "abc", "size": 12, "sha256": .string(digits),
        "metadata": ["content-type": "application/json"],
    ]

    private static func value(_ changes: [Value: Value]) -> Value {
        .map(["flow-large": .map(ValueMap(fields.merging(changes) { $1 }.map { ($0.key, $0.value) }))])
    }

    @Test(
        "what is written is read again, whatever format carried it",
        arguments: [WireFormat.json, .edn, .transitJSON])
    func roundTrip(format: WireFormat) throws {
        let reference = LargeDataReference(
            storage: "s", reference: "r/1", size: 0, sha256: [UInt8](0..<32), metadata: ["a": "b", "c": ""])
        let read = try format.decode(try format.encode(reference.value))
        #expect(LargeDataReference(read) == reference)
    }

    @Test("keys may be keywords, and more may stand beside them")
    func keywords() {
        let inner: [Value: Value] = [
            .keyword("storage"): "file", .keyword("reference"): "abc", .keyword("size"): 12,
            .keyword("sha256"): .string(Self.digits), .keyword("more"): 1,
        ]
        let value: Value = .map([
            .keyword("flow-large"): .map(ValueMap(inner.map { ($0.key, $0.value) })), "traceparent": "x",
        ])
        #expect(LargeDataReference(value)?.size == 12)
        #expect(LargeDataReference(value)?.metadata == [:])
    }

    @Test(
        "other data is no reference",
        arguments: [Value.null, 1, "flow-large", ["a": 1], .vector(["flow-large"])])
    func other(value: Value) throws {
        #expect(LargeDataReference(value) == nil)
        #expect(try LargeDataReference.read(value) == nil)
    }

    @Test(
        "a reference that makes no sense is an error that names what is wrong",
        arguments: [
            (value(["size": -1]), "size"), (value(["size": .double(1.5)]), "size"),
            (value(["size": .double(0x1p63)]), "size"), (value(["size": "12"]), "size"),
            (value(["size": .bigInteger(BigInteger(UInt64(1) << 63))]), "size"),
            (value(["sha256": "00"]), "sha256"),
            (value(["sha256": .string(String(repeating: "zz", count: 32))]), "sha256"),
            (value(["sha256": .bytes([])]), "sha256"), (value(["storage": ""]), "storage"),
            (value(["storage": .string(String(repeating: "s", count: 65))]), "storage"),
            (value(["reference": ""]), "reference"), (value(["reference": "a\r\nb"]), "reference"),
            (value(["reference": .string(String(repeating: "r", count: 1_025))]), "reference"),
            (value(["reference": 7]), "reference"), (value(["metadata": 7]), "metadata"),
            (value(["metadata": ["a": 1]]), "metadata"),
            (value(["metadata": .map(ValueMap((0..<17).map { (.string("\($0)"), "") }))]), "metadata"),
            (.map(["flow-large": 1]), "flow-large"), (.map(["flow-large": .map([:])]), "storage"),
        ])
    func hostile(value: Value, word: String) {
        #expect(LargeDataReference(value) == nil)
        let error = #expect(throws: SenteError.self) { try LargeDataReference.read(value) }
        #expect(error?.code == .invalidReference)
        #expect(error?.message.contains(word) == true)
    }
}
