// SPDX-License-Identifier: Apache-2.0

/// Anything a message can carry: the union of what JSON, EDN, Transit and MessagePack can say.
///
/// Values are equal if they are the same case with equal content: `.integer(1)` is not `.double(1)`, a list is
/// not a vector. Doubles compare by bits (so NaN equals itself and −0 is not 0), text by its exact UTF-8 bytes,
/// maps and sets without regard to order.
public enum Value: Sendable {
    /// Nothing: JSON's `null`, Clojure's `nil`.
    case null
    /// True or false.
    case bool(Bool)
    /// A whole number of 64 bits.
    case integer(Int64)
    /// A whole number that does not fit 64 bits, or one written as such (`1N`).
    case bigInteger(BigInteger)
    /// A double-precision number; compared by bits.
    case double(Double)
    /// An exact decimal number (`1.50M`).
    case decimal(BigDecimal)
    /// A quotient (`22/7`).
    indirect case ratio(Ratio)
    /// Text.
    case string(String)
    /// One character, as a Unicode scalar (`\a`).
    case character(Unicode.Scalar)
    /// A keyword (`:ns/name`).
    case keyword(Keyword)
    /// A symbol (`ns/name`).
    case symbol(Symbol)
    /// A list (`(1 2)`).
    case list([Value])
    /// A vector (`[1 2]`), which is what arrays of JSON and of literals are.
    case vector([Value])
    /// A map with keys of any kind.
    case map(ValueMap)
    /// A set.
    case set(ValueSet)
    /// Bytes.
    case bytes([UInt8])
    /// A point in time (`#inst`).
    case instant(Timestamp)
    /// A UUID.
    case uuid(UniqueID)
    /// A URI, as its text.
    case uri(String)
    /// A value under a tag nobody here knows (`#tag value`).
    indirect case tagged(String, Value)
}

// Collections have functions of their own below: those recurse, and their small frames let values as deep as
// the limits allow be compared on threads of 512 KiB.
extension Value: Hashable {
    /// Whether both say the same, exactly.
    public static func == (left: Value, right: Value) -> Bool {
        left.isCollection ? isSameCollection(left, right) : isSameScalar(left, right)
    }

    /// Feeds what equality compares.
    public func hash(into hasher: inout Hasher) {
        if isCollection { hashCollection(into: &hasher) } else { hashScalar(into: &hasher) }
    }

    private var isCollection: Bool {
        switch self {
        case .list, .vector, .map, .set, .tagged: true
        default: false
        }
    }

    private static func isSameCollection(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.list(let a), .list(let b)), (.vector(let a), .vector(let b)): a == b
        case (.map(let a), .map(let b)): a == b
        case (.set(let a), .set(let b)): a == b
        case (.tagged(let a, let x), .tagged(let b, let y)): a.isSameText(as: b) && x == y
        default: false
        }
    }

    private static func isSameScalar(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.bigInteger(let a), .bigInteger(let b)): a == b
        case (.double(let a), .double(let b)): a.bitPattern == b.bitPattern
        case (.decimal(let a), .decimal(let b)): a == b
        case (.ratio(let a), .ratio(let b)): a == b
        case (.string(let a), .string(let b)), (.uri(let a), .uri(let b)): a.isSameText(as: b)
        case (.character(let a), .character(let b)): a == b
        case (.keyword(let a), .keyword(let b)): a == b
        case (.symbol(let a), .symbol(let b)): a == b
        case (.bytes(let a), .bytes(let b)): a == b
        case (.instant(let a), .instant(let b)): a == b
        case (.uuid(let a), .uuid(let b)): a == b
        default: false
        }
    }

    private func hashCollection(into hasher: inout Hasher) {
        switch self {
        case .list(let items), .vector(let items): hasher.combine(items)
        case .map(let map): hasher.combine(map)
        case .set(let set): hasher.combine(set)
        case .tagged(let tag, let value):
            tag.hashText(into: &hasher)
            hasher.combine(value)
        default: break
        }
    }

    private func hashScalar(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let bool): hasher.combine(bool)
        case .integer(let integer): hasher.combine(integer)
        case .bigInteger(let integer): hasher.combine(integer)
        case .double(let double): hasher.combine(double.bitPattern)
        case .decimal(let decimal): hasher.combine(decimal)
        case .ratio(let ratio): hasher.combine(ratio)
        case .string(let text), .uri(let text): text.hashText(into: &hasher)
        case .character(let scalar): hasher.combine(scalar)
        case .keyword(let keyword):
            hasher.combine(1 as UInt8)
            hasher.combine(keyword)
        case .symbol(let symbol):
            hasher.combine(2 as UInt8)
            hasher.combine(symbol)
        case .bytes(let bytes): hasher.combine(bytes)
        case .instant(let instant): hasher.combine(instant)
        case .uuid(let id): hasher.combine(id)
        case .list, .vector, .map, .set, .tagged: break
        }
    }
}
