// SPDX-License-Identifier: Apache-2.0

/// What a tag says about the one value under it.
enum TransitTag {
    /// A scalar that stands alone.
    case quote
    case set
    case list
    /// A map whose keys and values stand in turns.
    case cmap
    case ratio
    /// A type of Transit's own that has one letter.
    case scalar(UInt8)
    /// Any other tag, and every tag a user has a reader for.
    case named(String)

    private static let letters = Set("_?idb:$fnmturcz".utf8)

    /// The tag without its `~#`.
    init(_ name: String, readers: [String: TransitOptions.Reader]) {
        if !readers.isEmpty, readers[name] != nil {
            self = .named(name)
        } else {
            self = Self.own(name) ?? .named(name)
        }
    }

    private static func own(_ name: String) -> TransitTag? {
        switch name {
        case "'": return .quote
        case "set": return .set
        case "list": return .list
        case "cmap": return .cmap
        case "ratio": return .ratio
        default:
            guard let letter = name.utf8.first, name.utf8.count == 1, letters.contains(letter) else {
                return nil
            }
            return .scalar(letter)
        }
    }

    /// Whether Transit itself gives the tag a meaning, so that nothing else can be said under it.
    static func isOwn(_ name: String) -> Bool { own(name) != nil }

    /// Whether the tag is a level of nesting of its own; that of a collection or scalar only says what it is.
    var isLevel: Bool {
        if case .named = self { true } else { false }
    }

    /// Whether an array under the tag is part of a scalar.
    var isScalar: Bool {
        switch self {
        case .ratio, .scalar: true
        default: false
        }
    }
}
