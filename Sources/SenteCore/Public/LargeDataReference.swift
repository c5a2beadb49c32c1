// SPDX-License-Identifier: Apache-2.0

public import SenteWire

/// Where data lies that was too large to be sent: what goes in its place.
///
/// On the wire it is a map, the data of a message, request or event:
/// `{"flow-large": {"storage": …, "reference": …, "size": …, "sha256": …, "metadata": {…}}}`. It is the text of another user, so
/// nothing in it is followed: only the storage that a client was configured with looks it up, and what comes must have the
/// size and the checksum.
public struct LargeDataReference: Hashable, Sendable {
    /// The name of the storage that has it.
    public let storage: String
    /// What the storage knows it by, 1 to 1,024 bytes without control characters.
    public let reference: String
    /// How many bytes it has.
    public let size: Int
    /// Their SHA-256, 32 bytes.
    public let sha256: [UInt8]
    /// What the sender says of it, at most 16 texts; `content-type` tells how the bytes become a value.
    public let metadata: [String: String]

    /// The reference that a value is; nil when it is none, or one that makes no sense.
    public init?(_ value: Value) {
        guard let reference = try? Self.read(value) else { return nil }
        self = reference
    }

    package init(
        storage: String, reference: String, size: Int, sha256: [UInt8], metadata: [String: String]
    ) {
        self.storage = storage
        self.reference = reference
        self.size = size
        self.sha256 = sha256
        self.metadata = metadata
    }

    /// The reference that a value is; nil when it is something else.
    ///
    /// Throws when it is a reference that makes no sense.
    package static func read(_ value: Value) throws(SenteError) -> Self? {
        guard let value = value.mapValue?.value(named: word) else { return nil }
        guard let fields = value.mapValue else { throw wrong("“\(word)” is no map") }
        let storage = try text(fields, "storage", atMost: 64)
        let reference = try text(fields, "reference", atMost: maximumReference)
        guard let size = fields.value(named: "size")?.integerValue.flatMap(Int.init(exactly:)), size >= 0
        else { throw wrong("“size” is no number of bytes") }
        guard let digits = fields.value(named: "sha256")?.stringValue, digits.utf8.count == 64,
            let sha256 = Base16.bytes(digits)
        else { throw wrong("“sha256” is not 64 hexadecimal digits") }
        return Self(
            storage: storage, reference: reference, size: size, sha256: sha256,
            metadata: try metadata(fields.value(named: "metadata")))
    }

    /// What goes in place of the data.
    public var value: Value {
        let texts = metadata.sorted { $0.key < $1.key }.map { (Value.string($0), Value.string($1)) }
        return [
            .string(Self.word): [
                "storage": .string(storage), "reference": .string(reference), "size": Value(size),
                "sha256": .string(Base16.text(sha256)), "metadata": .map(ValueMap(texts)),
            ]
        ]
    }

    /// The key that makes a map a reference.
    package static let word = "flow-large"
    /// The longest reference, in bytes.
    package static let maximumReference = 1_024

    private static func text(
        _ fields: ValueMap, _ name: String, atMost limit: Int
    ) throws(SenteError) -> String {
        guard let text = fields.value(named: name)?.stringValue, isText(text, atMost: limit) else {
            throw wrong("“\(name)” is no text of 1 to \(limit) bytes without control characters")
        }
        return text
    }

    /// Whether a text can stand in a reference.
    package static func isText(_ text: String, atMost limit: Int) -> Bool {
        (1...limit).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    private static func metadata(_ value: Value?) throws(SenteError) -> [String: String] {
        guard let value, !value.isNull else { return [:] }
        guard let map = value.mapValue, map.count <= 16 else {
            throw wrong("“metadata” is no map of 16 texts")
        }
        var texts: [String: String] = [:]
        for (key, value) in map {
            guard let name = key.stringValue ?? key.keywordValue?.text, let text = value.stringValue,
                isText(name, atMost: 64), text.utf8.count <= 1_024
            else { throw wrong("“metadata” is no map of short texts") }
            texts[name] = text
        }
        return texts
    }

    private static func wrong(_ what: String) -> SenteError {
        SenteError(
            .invalidReference,
            "A reference to stored data makes no sense: \(what). Its sender must be mended.")
    }
}
