// SPDX-License-Identifier: Apache-2.0

/// Makes ``Value`` of Encodable values.
///
/// Types with keys become maps, sequences vectors; integers beyond 64 bits big integers; `Date` an instant,
/// `Data` bytes, `UUID` a UUID, `URL` a URI, `Decimal` a decimal. Errors are `EncodingError`s with the coding path.
public struct ValueEncoder: Sendable {
    /// What keys become.
    public enum Keys: Hashable, Sendable {
        /// Text, which every format can say.
        case strings
        /// Keywords, as Clojure programs expect them: `user/name` becomes `:user/name`.
        case keywords
    }

    /// What keys become, those of dictionaries included.
    ///
    /// The default is `.strings`.
    public var keys: Keys
    /// What the types may look up while they are encoded.
    ///
    /// The default is empty.
    public var userInfo: [CodingUserInfoKey: any Sendable]

    /// Makes an encoder; each setting that is left out has its default.
    public init(keys: Keys = .strings, userInfo: [CodingUserInfoKey: any Sendable] = [:]) {
        self.keys = keys
        self.userInfo = userInfo
    }

    /// Encodes a value; one nested deeper than 512 is refused.
    /// - Throws: `EncodingError`, or what the type itself throws.
    public func encode(_ value: some Encodable) throws -> Value {
        let plan = EncodingPlan(keys: keys, userInfo: userInfo)
        let result = try ValueWriting(plan: plan).encoded(value, nil)
        if let error = plan.error { throw error }
        return result
    }

    /// Encodes a value in a format.
    /// - Throws: ``WireError`` if the format cannot say it, `EncodingError`, or what the type itself throws.
    public func encode(
        _ value: some Encodable, as format: WireFormat, limits: WireLimits = WireLimits()
    ) throws -> [UInt8] {
        try format.encode(encode(value), limits: limits)
    }
}

/// What is the same for everything that one call encodes.
final class EncodingPlan {
    let keys: ValueEncoder.Keys
    let userInfo: [CodingUserInfoKey: any Sendable]
    /// The first wrong use of a container, by a method that cannot throw.
    var error: EncodingError?

    init(keys: ValueEncoder.Keys, userInfo: [CodingUserInfoKey: any Sendable]) {
        self.keys = keys
        self.userInfo = userInfo
    }

    func key(_ key: some CodingKey) -> Value {
        keys == .strings ? .string(key.stringValue) : .keyword(Keyword(exactly: key.stringValue))
    }
}
