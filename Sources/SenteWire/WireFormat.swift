// SPDX-License-Identifier: Apache-2.0

/// How values become bytes and bytes become values.
///
/// | Value | JSON (RFC 8259) | EDN (edn-format) | Transit (transit-format), in JSON | Sente's MessagePack |
/// | --- | --- | --- | --- | --- |
/// | null, bool | `null`, `true` | `nil`, `true` | `null`, `true` | nil, bool |
/// | integer (64 bits) | digits | digits | digits, beyond 53 bits `~i…` | int |
/// | bigInteger | digits or text | `1N` | `~n…` | – beyond 64 bits |
/// | double | digits; NaN and infinities –, null or text | `1.5`, `##NaN`, `##Inf` | `1.5`, `~z…` | float 64 |
/// | decimal | digits or text | `1.50M` | `~f…` | float 64 |
/// | ratio | text `22/7` | `22/7` | `~#ratio` | extension 3 |
/// | string | text | text | text, escaped by `~` | str |
/// | character | text | `\c` | `~c…` | extension 2 |
/// | keyword, symbol | text `ns/name` | `:ns/name`, `ns/name` | `~:…`, `~$…` | extensions 0, 1 |
/// | list, vector | array | `(…)`, `[…]` | `~#list`, array | array |
/// | set | array | `#{…}` | `~#set` | extension 4 |
/// | map | object; keys are names, or scalars by option | `{…}` | map, with other keys `~#cmap` | map |
/// | bytes | base64 text | `#bytes "…"` | `~b…` | bin |
/// | instant | RFC 3339 text or milliseconds | `#inst "…"` | `~m…`, finer parts `~t…` | extension −1 |
/// | uuid | text | `#uuid "…"` | `~u…` | extension 9 |
/// | uri | text | `#uri "…"` | `~r…` | – |
/// | tagged | – | `#tag …` | `~#tag` | its extension, if it has one |
///
/// – cannot be said: the error names the path to it. What JSON writes as text comes back as text; the other formats
/// give back what they were given, but Sente's MessagePack reads lists as vectors, and
/// decimals as doubles. Maps and sets are written in the order of insertion, so equal bytes need equal order.
/// `JSONOptions`, `EDNOptions` and `TransitOptions` say more, and change what can be chosen.
///
/// The formats that servers of the sente-lite and Sente families speak are static members. One's own is made
/// with ``init(name:isBinary:encode:decode:)``. Formats are equal if their names are.
public struct WireFormat: Sendable {
    /// Writes a value at the end of the bytes, within the limits.
    public typealias Encoder = @Sendable (Value, inout [UInt8], WireLimits) throws(WireError) -> Void
    /// Reads exactly one value of all the bytes, within the limits.
    public typealias Decoder = @Sendable (UnsafeRawBufferPointer, WireLimits) throws(WireError) -> Value

    /// What the format is called, in configuration and in errors.
    public let name: String
    /// Whether its messages are binary ones; those of the others are text, in UTF-8.
    public let isBinary: Bool
    private let encoder: Encoder
    private let decoder: Decoder

    /// Makes a format of one's own.
    public init(name: String, isBinary: Bool, encode: @escaping Encoder, decode: @escaping Decoder) {
        self.name = name
        self.isBinary = isBinary
        encoder = encode
        decoder = decode
    }

    /// The bytes of a value.
    /// - Throws: ``WireError``: `unsayable` with the path to what the format cannot say, `tooDeep`, `tooLarge`.
    public func encode(_ value: Value, limits: WireLimits = WireLimits()) throws(WireError) -> [UInt8] {
        var bytes: [UInt8] = []
        try encode(value, into: &bytes, limits: limits)
        return bytes
    }

    /// Adds the bytes of a value to others; adds nothing if it throws.
    /// - Throws: ``WireError``: `unsayable` with the path to what the format cannot say, `tooDeep`, `tooLarge`.
    public func encode(
        _ value: Value, into bytes: inout [UInt8], limits: WireLimits = WireLimits()
    ) throws(WireError) {
        let before = bytes.count
        do throws(WireError) {
            try encoder(value, &bytes, limits)
            guard bytes.count - before <= limits.maximumBytes else {
                throw Self.tooLarge(bytes.count - before, limits)
            }
        } catch {
            bytes.removeLast(max(0, bytes.count - before))
            throw error
        }
    }

    /// The one value that the bytes are.
    /// - Throws: ``WireError`` with the offset where the bytes stop making sense.
    public func decode(_ bytes: [UInt8], limits: WireLimits = WireLimits()) throws(WireError) -> Value {
        try bytes.withUnsafeBufferPointer { buffer throws(WireError) in
            try decode(UnsafeRawBufferPointer(buffer), limits: limits)
        }
    }

    /// The one value that part of some bytes is.
    /// - Throws: ``WireError`` with the offset, from the part's start, where the bytes stop making sense.
    public func decode(_ bytes: ArraySlice<UInt8>, limits: WireLimits = WireLimits()) throws(WireError)
        -> Value
    {
        try bytes.withUnsafeBufferPointer { buffer throws(WireError) in
            try decode(UnsafeRawBufferPointer(buffer), limits: limits)
        }
    }

    /// The one value that the bytes are, read in place.
    /// - Throws: ``WireError`` with the offset where the bytes stop making sense.
    public func decode(
        _ bytes: UnsafeRawBufferPointer, limits: WireLimits = WireLimits()
    ) throws(WireError) -> Value {
        guard bytes.count <= limits.maximumBytes else { throw Self.tooLarge(bytes.count, limits) }
        return try decoder(bytes, limits)
    }

    private static func tooLarge(_ count: Int, _ limits: WireLimits) -> WireError {
        WireError(.tooLarge, "The document has \(count) bytes; the limit is \(limits.maximumBytes).")
    }
}

extension WireFormat: Hashable {
    /// Whether both have the same name.
    public static func == (left: WireFormat, right: WireFormat) -> Bool { left.name == right.name }

    /// Feeds the name.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
    }
}

extension WireFormat: CustomStringConvertible {
    /// The name.
    public var description: String { name }
}
