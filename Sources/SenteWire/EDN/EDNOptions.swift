// SPDX-License-Identifier: Apache-2.0

/// What becomes of tagged values that are read as EDN.
public struct EDNOptions: Sendable {
    // It has not the type of its error, for function types with one have no place in a dictionary before macOS 15 and iOS 18.

    /// Makes a value of what stands under a tag.
    ///
    /// A `WireError` that it throws gets the tag's offset; any other error becomes one that quotes it.
    public typealias Reader = @Sendable (Value) throws -> Value

    /// Readers by tag, without the `#`; they come before the built-in ones.
    ///
    /// The default is none: `#inst`, `#uuid`, `#bytes` and `#uri` are read, all other tags kept as `.tagged`.
    public var readers: [String: Reader]

    /// Makes options; what is left out has its default.
    public init(readers: [String: Reader] = [:]) {
        self.readers = readers
    }
}

extension WireFormat {
    /// EDN as Clojure writes and reads it; every value but the few named here comes back as it was.
    ///
    /// Written like `pr-str`, in the order of insertion. Bytes are `#bytes "…"` (padded base64) and URIs
    /// `#uri "…"`: tags of this package, which other readers know only if told. Refused, because Clojure would not
    /// read them back: names that are none, characters beyond U+FFFF, years beyond 9999, tags that are no symbol
    /// with a letter first, and keys or elements that Clojure takes for equal. Refused as well is `.tagged` where
    /// reading would make another value of it, such as `#uuid "…"`.
    ///
    /// Read like `clojure.edn`: `#:ns{…}`, `#_`, comments and `^metadata` (dropped) included, and radix numbers
    /// of up to 1,000 digits. Equal keys and elements are refused; `1` equals `1N`, a list a vector of the same
    /// elements, `0.0` `-0.0`, but only where they are keys themselves, not within keys. Numbers beyond a double
    /// are infinite. Half surrogate pairs and malformed UTF-8 are refused. Exactly one value may stand in a
    /// document.
    public static let edn = edn(EDNOptions(), named: "edn")

    /// EDN with readers for more tags, under a name of its own.
    public static func edn(_ options: EDNOptions, named name: String) -> WireFormat {
        WireFormat(name: name, isBinary: false) { value, bytes, limits throws(WireError) in
            var writer = EDNWriter(limits: limits, readers: options.readers)
            try writer.write(value)
            writer.sink.copy(to: &bytes)
        } decode: { bytes, limits throws(WireError) in
            try EDNReader(bytes, options, limits).read()
        }
    }
}
