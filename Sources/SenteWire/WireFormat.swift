// SPDX-License-Identifier: Apache-2.0

/// How values become bytes and bytes become values.
///
/// | Value | JSON (RFC 8259) | EDN (edn-format) | Transit in JSON (transit-format 0.8) | in verbose JSON | in MessagePack | Sente's MessagePack |
/// | --- | --- | --- | --- | --- | --- | --- |
/// | null | `null` | `nil` | `null` | = | nil | nil |
/// | bool | `true` | `true` | `true` | = | bool | bool |
/// | integer (64 bits) | digits | digits | digits, beyond ±(2⁵³ − 1) `~i…` | = | int | int |
/// | bigInteger | digits (text) | `1N` | `~n1` | = | = | int; beyond 64 bits – |
/// | double | `1.5`; NaN, infinities – (null, text) | `1.5`, `##NaN`, `##-Inf` | `1.5`, `~zNaN`, `~z-INF` | = | float 64, `~z…` | float 64 |
/// | decimal | digits (text) | `1.50M` | `~f1.50` | = | = | float 64 |
/// | ratio | text `22/7` | `22/7` | `["~#ratio",["~n22","~n7"]]` | `{"~#ratio":…}` | `["~#ratio",…]` | extension 3: two ints |
/// | string | text | text | text; after one more `~` if it begins with `~`, `^` or a backtick | = | = in str | str |
/// | character | text | `\c` | `~cc` | = | = | extension 2: UTF-8 |
/// | keyword | text `ns/name` (`:ns/name`) | `:ns/name` | `~:ns/name` | = | = | extension 0: UTF-8 |
/// | symbol | text `ns/name` | `ns/name` | `~$ns/name` | = | = | extension 1: UTF-8 |
/// | list | array | `(1)` | `["~#list",[1]]` | `{"~#list":[1]}` | `["~#list",[1]]` | array |
/// | vector | array | `[1]` | array | = | array | array |
/// | set | array | `#{1}` | `["~#set",[1]]` | `{"~#set":[1]}` | `["~#set",[1]]` | extension 4: an array |
/// | map | object; keys are text, keywords, symbols (scalars) | `{"a" 1}` | `["^ ","a",1]` | `{"a":1}` | map | map |
/// | … with other keys | – | `{[1] 1}` | `["~#cmap",[[1],1]]` | `{"~#cmap":[[1],1]}` | `["~#cmap",…]` | map |
/// | bytes | base64 text | `#bytes "AQI="` | `~bAQI=` | = | = | bin |
/// | instant | RFC 3339 text (milliseconds) | `#inst "…"` | `~m` and milliseconds; finer `~t` and RFC 3339 | `~t…` | `["~#m",1]`; finer `~t…` | extension −1: nanoseconds in 4 bytes, seconds in 8 |
/// | uuid | text | `#uuid "…"` | `~u` and text | = | `["~#u",[high,low]]` | extension 9: text |
/// | uri | text | `#uri "a:b"` | `~ra:b` | = | = | – |
/// | tagged | – | `#tag 1` | `["~#tag",1]`; one letter over text `~Xt` | `{"~#tag":1}`, `~Xt` | `["~#tag",1]`, `~Xt` | –; `msgpack/ext42` over bytes: extension 42 |
///
/// = as in JSON to the left; – cannot be said: the error names the path to it; in brackets what options choose instead.
/// ``gzip(over:compressor:)`` says what the format below it says.
///
/// JSON reads back null, booleans, numbers, text, vectors, and maps with keys of text; big integers that fit 64 bits
/// as integers, decimals as doubles. EDN and Transit give back what they were given; what their syntax has no place
/// for they refuse, as ``edn`` and ``transitJSON`` say. Sente's MessagePack reads lists as vectors, decimals as
/// doubles, and big integers as integers. Only it keeps the bits of a NaN. Maps and sets are written in the order of insertion, so
/// equal bytes need equal order.
///
/// The formats that servers of the sente-lite and Sente families speak are static members. One's own is made
/// with ``init(name:isBinary:encode:decode:)``. Formats are equal if their names are.
public struct WireFormat: Sendable {
    /// Writes a value at the end of the bytes, within the limits.
    public typealias Encoder = @Sendable (Value, inout [UInt8], WireLimits) throws(WireError) -> Void
    /// Reads exactly one value of all the bytes, within the limits.
    public typealias Decoder = @Sendable (UnsafeRawBufferPointer, WireLimits) throws(WireError) -> Value

    /// What the format is called, in configuration and in errors.
    public var name: String { definition.name }
    /// Whether its messages are binary ones; those of the others are text, in UTF-8.
    public var isBinary: Bool { definition.isBinary }
    private let definition: Definition

    /// What a format consists of.
    ///
    /// A class, for it never changes, and whatever belongs to a connection names a format.
    private final class Definition: Sendable {
        let name: String
        let isBinary: Bool
        let encode: Encoder
        let decode: Decoder

        init(name: String, isBinary: Bool, encode: @escaping Encoder, decode: @escaping Decoder) {
            self.name = name
            self.isBinary = isBinary
            self.encode = encode
            self.decode = decode
        }
    }

    /// Makes a format of one's own.
    public init(name: String, isBinary: Bool, encode: @escaping Encoder, decode: @escaping Decoder) {
        definition = Definition(name: name, isBinary: isBinary, encode: encode, decode: decode)
    }

    /// The bytes of a value.
    /// - Throws: ``WireError``: `unencodable` with the path to what the format cannot say, `tooDeep`, `tooLarge`.
    public func encode(_ value: Value, limits: WireLimits = WireLimits()) throws(WireError) -> [UInt8] {
        var bytes: [UInt8] = []
        try encode(value, into: &bytes, limits: limits)
        return bytes
    }

    /// Adds the bytes of a value to others; adds nothing if it throws.
    /// - Throws: ``WireError``: `unencodable` with the path to what the format cannot say, `tooDeep`, `tooLarge`.
    public func encode(
        _ value: Value, into bytes: inout [UInt8], limits: WireLimits = WireLimits()
    ) throws(WireError) {
        let before = bytes.count
        do throws(WireError) {
            try definition.encode(value, &bytes, limits)
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
        return try definition.decode(bytes, limits)
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
