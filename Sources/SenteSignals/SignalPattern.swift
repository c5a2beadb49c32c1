// SPDX-License-Identifier: Apache-2.0

/// A pattern for names: of namespaces (`my.app.chat`) or of ids (`my.app.chat/joined`).
///
/// - `my.app.chat` is that name alone.
/// - `my.app.*` is everything that begins with `my.app.`; a `*` may stand anywhere, for any run of characters, none included.
/// - `my.app(.*)` is `my.app` and everything below it.
/// - `*` is every name.
///
/// All other characters mean themselves, a dot is a dot.
public struct SignalPattern: Hashable, Sendable {
    /// The pattern as it was written.
    public let text: String
    private let glob: [UInt8]
    /// The pattern for what lies below, of one that ends in `(.*)`.
    private let below: [UInt8]?

    /// Makes a pattern; every text is one.
    public init(_ text: String) {
        self.text = text
        let whole = Array(text.utf8)
        if text.hasSuffix("(.*)") {
            glob = Array(whole.dropLast(4))
            below = glob + Array(".*".utf8)
        } else {
            (glob, below) = (whole, nil)
        }
    }

    /// Whether a name is one that the pattern means.
    public func matches(_ name: String) -> Bool {
        var name = name
        return name.withUTF8(matches)
    }

    /// The same, of the name's bytes.
    package func matches(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        Self.matches(glob, name) || below.map { Self.matches($0, name) } == true
    }

    /// After a mismatch only the last star can take one byte more: what an earlier one would take, the last one can take too.
    private static func matches(_ glob: [UInt8], _ name: UnsafeBufferPointer<UInt8>) -> Bool {
        let star = UInt8(ascii: "*")
        var (inGlob, inName) = (0, 0)
        var retry: (glob: Int, name: Int)?
        while inName < name.count {
            if inGlob < glob.count, glob[inGlob] == star {
                inGlob += 1
                retry = (inGlob, inName)
            } else if inGlob < glob.count, glob[inGlob] == name[inName] {
                (inGlob, inName) = (inGlob + 1, inName + 1)
            } else if let last = retry {
                (inGlob, inName) = (last.glob, last.name + 1)
                retry = (last.glob, last.name + 1)
            } else {
                return false
            }
        }
        return glob[inGlob...].allSatisfy { $0 == star }
    }
}

extension SignalPattern: ExpressibleByStringLiteral, CustomStringConvertible {
    /// Makes a pattern of a literal.
    public init(stringLiteral text: String) { self.init(text) }

    /// The pattern as it was written.
    public var description: String { text }
}
