// SPDX-License-Identifier: Apache-2.0

/// Why bytes are no document of a format, or why a value cannot be said in it.
public struct WireError: Error, Hashable, Sendable {
    /// What kind of trouble it is.
    public enum Kind: String, Hashable, Sendable {
        /// The bytes break the format's grammar.
        case malformed
        /// The bytes end in the middle of a value.
        case incomplete
        /// Text is not well-formed Unicode.
        case invalidText
        /// A number or date beyond what a value holds.
        case outOfRange
        /// Deeper than ``WireLimits/maximumDepth``.
        case tooDeep
        /// Longer than ``WireLimits/maximumBytes``.
        case tooLarge
        /// The format has no way to say this value; ``WireError/path`` leads to it.
        case unencodable
        /// Something the format needs is not there.
        case unavailable

        /// The former name of ``unencodable``.
        @available(*, deprecated, renamed: "unencodable")
        public static var unsayable: Kind { .unencodable }
    }

    /// What kind of trouble it is.
    public var kind: Kind
    /// A sentence that says what is wrong.
    public var message: String
    /// Where in the bytes it was noticed, counted from 0; nil for errors of writing.
    public var offset: Int?
    /// The keys and indices that lead from the whole value to the one that cannot be said.
    public var path: [Value]

    /// Makes an error; formats of one's own use it too.
    public init(_ kind: Kind, _ message: String, offset: Int? = nil, path: [Value] = []) {
        self.kind = kind
        self.message = message
        self.offset = offset
        self.path = path
    }

    /// What a reader or writer of the user's threw.
    init(_ error: any Error, from handler: String, kind: Kind) {
        self = error as? WireError ?? WireError(kind, "The \(handler) threw an error: \(error)")
    }
}

extension WireError: CustomStringConvertible {
    /// The sentence, with the place where it applies.
    public var description: String {
        if let offset { return "\(message) (at byte \(offset))" }
        return path.isEmpty ? message : "\(message) (at \(Value.vector(path)))"
    }
}
