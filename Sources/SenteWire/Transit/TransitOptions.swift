// SPDX-License-Identifier: Apache-2.0

/// How Transit is read and written for types of one's own.
///
/// Values are what Transit carries, so a handler turns one value into another: a reader makes a value of what
/// stood under a tag, a writer makes of a value the `.tagged` one that is written in its place.
///
/// ```swift
/// var options = TransitOptions()
/// options.readers["point"] = { point in ["x": point[0] ?? nil, "y": point[1] ?? nil] }
/// options.writers[.instant] = { instant in .tagged("inst", .string("\(instant)")) }
/// let format = WireFormat.transitJSON(options, named: "transit-json-points")
/// ```
public struct TransitOptions: Sendable {
    // Neither has the type of its error, for function types with one have no place in a dictionary before macOS 15 and iOS 18.

    /// Makes a value of what stood under a tag.
    ///
    /// An error that is no `WireError` becomes one that quotes it.
    public typealias Reader = @Sendable (_ representation: Value) throws -> Value
    /// Makes the value that is written in the place of another.
    ///
    /// An error that is no `WireError` becomes one that quotes it.
    public typealias Writer = @Sendable (_ value: Value) throws -> Value

    /// The values that a writer is for; null, truth, numbers of JSON and text are Transit's ground.
    public enum Kind: Hashable, Sendable {
        /// Whole numbers beyond 64 bits, or written as such.
        case bigInteger
        /// Exact decimals.
        case decimal
        /// Quotients.
        case ratio
        /// Characters.
        case character
        /// Keywords.
        case keyword
        /// Symbols.
        case symbol
        /// Lists.
        case list
        /// Vectors.
        case vector
        /// Maps.
        case map
        /// Sets.
        case set
        /// Bytes.
        case bytes
        /// Points in time.
        case instant
        /// UUIDs.
        case uuid
        /// URIs.
        case uri
        /// Values under this tag.
        case tagged(String)
    }

    /// Readers by tag, those of one character and Transit's own included; other unknown tags become `.tagged`.
    public var readers: [String: Reader]
    /// Writers by what they are for; what they return is written as it is, what it holds may be written by one again.
    public var writers: [Kind: Writer]

    /// Makes options.
    ///
    /// The default is no readers and no writers.
    public init(readers: [String: Reader] = [:], writers: [Kind: Writer] = [:]) {
        self.readers = readers
        self.writers = writers
    }
}

extension TransitOptions.Kind {
    /// What kind a value is; nil for Transit's ground.
    init?(_ value: Value) {
        switch value {
        case .null, .bool, .integer, .double, .string: return nil
        case .bigInteger: self = .bigInteger
        case .decimal: self = .decimal
        case .ratio: self = .ratio
        case .character: self = .character
        case .keyword: self = .keyword
        case .symbol: self = .symbol
        case .list: self = .list
        case .vector: self = .vector
        case .map: self = .map
        case .set: self = .set
        case .bytes: self = .bytes
        case .instant: self = .instant
        case .uuid: self = .uuid
        case .uri: self = .uri
        case .tagged(let tag, _): self = .tagged(tag)
        }
    }
}
