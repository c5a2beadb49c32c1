// SPDX-License-Identifier: Apache-2.0

/// Makes Decodable values of ``Value``.
///
/// Keys match text and keywords alike (`"user/name"` and `:user/name`), and integers where the type's key is one.
/// Integers are read of any whole number that fits, doubles of any number, text of text, keywords, symbols,
/// characters and URIs, sequences of vectors, lists and sets. `Date` is read of instants, RFC 3339 text and
/// milliseconds since 1970; `Data` of bytes and base64; `UUID`, `URL` and `Decimal` of their own kind or text.
/// Errors are `DecodingError`s with the coding path.
public struct ValueDecoder: Sendable {
    /// What the types may look up while they are decoded.
    ///
    /// The default is empty.
    public var userInfo: [CodingUserInfoKey: any Sendable]

    /// Makes a decoder.
    public init(userInfo: [CodingUserInfoKey: any Sendable] = [:]) {
        self.userInfo = userInfo
    }

    /// Decodes a value.
    /// - Throws: `DecodingError`, or what the type itself throws.
    public func decode<T: Decodable>(_ type: T.Type, from value: Value) throws -> T {
        try ValueReading(value, userInfo: userInfo).decode(type)
    }

    /// Decodes the bytes of a format.
    /// - Throws: ``WireError`` if they are no document of the format, `DecodingError`, or what the type throws.
    public func decode<T: Decodable>(
        _ type: T.Type, from bytes: [UInt8], as format: WireFormat, limits: WireLimits = WireLimits()
    ) throws -> T {
        try decode(type, from: format.decode(bytes, limits: limits))
    }
}
