// SPDX-License-Identifier: Apache-2.0

/// A keyword as Clojure has it: a name that stands for itself, usually with a namespace (`:chsk/handshake`).
///
/// Written as a literal, `"chsk/handshake"`, with or without the leading colon. Any text makes a keyword;
/// whether a Clojure reader would read it back is asked with ``isValid`` or ``validated()``, which what sends
/// keywords does before sending. Keywords compare by their exact UTF-8 text.
public struct Keyword: Hashable, Sendable {
    let qualified: QualifiedName

    /// Makes a keyword of `ns/name` or `name`; one leading colon is dropped.
    public init(_ text: String) {
        qualified = QualifiedName(text.utf8.first == UInt8(ascii: ":") ? String(text.dropFirst()) : text)
    }

    /// Makes a keyword of its parts.
    public init(namespace: String?, name: String) {
        qualified = QualifiedName(namespace: namespace, name: name)
    }

    /// A keyword of exactly this text, as a wire format read it.
    init(exactly text: String) {
        qualified = QualifiedName(text)
    }

    /// What stands before the first slash, if anything.
    public var namespace: String? { qualified.namespace }

    /// What stands after the first slash, or all of it.
    public var name: String { qualified.name }

    /// The keyword without its colon: `ns/name` or `name`.
    public var text: String { qualified.text }

    /// Whether a Clojure reader reads ``description`` back as this keyword.
    public var isValid: Bool { EDNName.isKeyword(text) }

    /// The keyword itself.
    /// - Throws: ``WireError`` of kind `unencodable` if no reader would read it back.
    public func validated() throws(WireError) -> Keyword {
        guard isValid else {
            throw WireError(
                .unencodable,
                "“\(text)” is not a keyword; write it as name or namespace/name without spaces, brackets or quotes."
            )
        }
        return self
    }
}

extension Keyword: ExpressibleByStringLiteral {
    /// Makes a keyword of a literal; never traps.
    public init(stringLiteral value: String) {
        self.init(value)
    }
}

extension Keyword: CustomStringConvertible {
    /// The keyword as EDN: `:ns/name`.
    public var description: String { ":" + text }
}
