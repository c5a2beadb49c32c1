// SPDX-License-Identifier: Apache-2.0

/// What becomes of values that JSON has no word for.
///
/// Lists, vectors and sets become arrays; symbols the text `ns/name`; characters, UUIDs and URIs their text;
/// ratios the text `22/7`; bytes padded base64. Tagged values cannot be said. Reading gives back only what
/// JSON has: null, booleans, numbers, strings, vectors, and maps with string keys.
public struct JSONOptions: Hashable, Sendable {
    /// How keywords are written, as values and as keys.
    public enum KeywordText: Hashable, Sendable {
        /// `ns/name`.
        case plain
        /// `:ns/name`.
        case colon
    }

    /// How keys that are no text are written.
    public enum KeyText: Hashable, Sendable {
        /// Text, keywords and symbols are keys; any other key cannot be said.
        case names
        /// Also null, booleans, numbers, characters, instants, UUIDs and URIs, by the text they would have as
        /// values; collections cannot be said.
        case scalars
    }

    /// How NaN and the infinities are written.
    public enum NonFinite: Hashable, Sendable {
        /// They cannot be said.
        case refuse
        /// As null.
        case null
        /// As the texts `NaN`, `Infinity` and `-Infinity`.
        case text
    }

    /// How big integers and exact decimals are written.
    public enum ExactNumbers: Hashable, Sendable {
        /// As numbers with all their digits, which readers with doubles round.
        case digits
        /// As text.
        case text
    }

    /// How instants are written.
    public enum Instants: Hashable, Sendable {
        /// As RFC 3339 text in UTC: `2026-11-21T10:00:00.000Z`.
        case text
        /// As milliseconds since 1970, finer parts cut.
        case milliseconds
    }

    /// How keywords are written.
    ///
    /// The default is `.plain`.
    public var keywords: KeywordText
    /// Which keys are written.
    ///
    /// The default is `.names`.
    public var keys: KeyText
    /// How NaN and the infinities are written.
    ///
    /// The default is `.refuse`.
    public var nonFinite: NonFinite
    /// How big integers and exact decimals are written.
    ///
    /// The default is `.digits`.
    public var exactNumbers: ExactNumbers
    /// How instants are written.
    ///
    /// The default is `.text`.
    public var instants: Instants

    /// Makes options; each that is left out has its default.
    public init(
        keywords: KeywordText = .plain, keys: KeyText = .names, nonFinite: NonFinite = .refuse,
        exactNumbers: ExactNumbers = .digits, instants: Instants = .text
    ) {
        self.keywords = keywords
        self.keys = keys
        self.nonFinite = nonFinite
        self.exactNumbers = exactNumbers
        self.instants = instants
    }
}

extension WireFormat {
    /// JSON, strict by RFC 8259; what it has no word for is written as ``JSONOptions`` says by default.
    ///
    /// Of equal keys the last counts. Whole numbers are `.integer`, beyond 64 bits `.bigInteger`; numbers with a
    /// fraction or an exponent are `.double`, beyond its range `.decimal`. `-0` is the integer 0. A byte order
    /// mark, lone surrogates and malformed UTF-8 are refused.
    public static let json = json(JSONOptions(), named: "json")

    /// JSON with other choices for what it has no word for, under a name of its own.
    public static func json(_ options: JSONOptions, named name: String) -> WireFormat {
        WireFormat(name: name, isBinary: false) { value, bytes, limits throws(WireError) in
            var writer = JSONWriter(options: options, limits: limits)
            try writer.write(value)
            writer.sink.copy(to: &bytes)
        } decode: { bytes, limits throws(WireError) in
            try ValueStack.lendMemory { memory throws(WireError) in
                try JSONReader(bytes, limits, on: memory).read()
            }
        }
    }
}
