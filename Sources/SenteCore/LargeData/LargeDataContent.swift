// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// The bytes that a value is stored as.
///
/// They do not depend on the format of any link, for those who fetch them may speak another: bytes stay what they are, all else
/// is Transit in JSON, which can say every value.
package struct LargeDataContent: Sendable {
    package var bytes: [UInt8]
    /// Of the metadata, as `content-type`.
    package var type: String

    /// The metadata's key.
    package static let typeKey = "content-type"
    private static let plain = "application/octet-stream"
    /// Others may have stored the value otherwise.
    private static let formats: KeyValuePairs<String, WireFormat> = [
        "application/transit+json": .transitJSON, "application/transit+msgpack": .transitMessagePack,
        "application/json": .json, "application/edn": .edn,
    ]

    /// Writes a value.
    package init(of value: Value, limit: Int) throws(SenteError) {
        if let bytes = value.bytesValue {
            (self.bytes, type) = (bytes, Self.plain)
            return
        }
        type = Self.formats[0].key
        do throws(WireError) {
            bytes = try WireFormat.transitJSON.encode(value, limits: Self.limits(limit))
        } catch {
            throw SenteError(
                error.kind == .tooLarge ? .messageTooLarge : .unencodable,
                "The data cannot be written for the storage. \(error)", outcome: .notSent)
        }
    }

    /// Reads what was stored; bytes of an unknown type are bytes.
    package static func value(of bytes: [UInt8], type: String?) throws(SenteError) -> Value {
        let name = type.map { $0.prefix { $0 != ";" && $0 != " " }.lowercased() }
        guard let format = formats.first(where: { $0.key == name })?.value else { return .bytes(bytes) }
        do throws(WireError) {
            return try format.decode(bytes, limits: limits(bytes.count))
        } catch {
            throw SenteError(
                .undecodable, "What was fetched from the storage is not the \(format) that it says. \(error)")
        }
    }

    private static func limits(_ bytes: Int) -> WireLimits {
        var limits = WireLimits()
        limits.maximumBytes = bytes
        return limits
    }
}
