// SPDX-License-Identifier: Apache-2.0

/// A symbol as Clojure has it: a name that stands for something else (`clojure.core/map`).
///
/// Any text makes a symbol; whether a Clojure reader would read it back is asked with ``isValid`` or
/// ``validated()``. Symbols compare by their exact UTF-8 text.
public struct Symbol: Hashable, Sendable {
    let qualified: QualifiedName

    /// Makes a symbol of `ns/name` or `name`.
    public init(_ text: String) {
        qualified = QualifiedName(text)
    }

    /// Makes a symbol of its parts.
    public init(namespace: String?, name: String) {
        qualified = QualifiedName(namespace: namespace, name: name)
    }

    /// What stands before the first slash, if anything.
    public var namespace: String? { qualified.namespace }

    /// What stands after the first slash, or all of it.
    public var name: String { qualified.name }

    /// The whole symbol: `ns/name` or `name`.
    public var text: String { qualified.text }

    /// Whether a Clojure reader reads ``description`` back as this symbol.
    public var isValid: Bool { EDNName.isSymbol(text) }

    /// The symbol itself.
    /// - Throws: ``WireError`` of kind `unencodable` if no reader would read it back.
    public func validated() throws(WireError) -> Symbol {
        guard isValid else {
            throw WireError(
                .unencodable,
                "“\(text)” is not a symbol; write it as name or namespace/name, not like a number, nil, true or false."
            )
        }
        return self
    }
}

extension Symbol: ExpressibleByStringLiteral {
    /// Makes a symbol of a literal; never traps.
    public init(stringLiteral value: String) {
        self.init(value)
    }
}

extension Symbol: CustomStringConvertible {
    /// The symbol as EDN: `ns/name`.
    public var description: String { text }
}
