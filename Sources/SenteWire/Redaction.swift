// SPDX-License-Identifier: Apache-2.0

/// Takes secrets out of values, before they are shown or leave the process.
public struct Redaction: Hashable, Sendable {
    /// The words that mark a field as secret unless others are given: those of `csrf-token`, `sessionID`, `set-cookie` are
    /// among them.
    public static let secretWords = [
        "authorization", "bearer", "cookie", "cookies", "credential", "credentials", "password", "passwd",
        "secret", "session", "sessions", "token", "tokens",
    ]

    /// The words by which a field is known to hold a secret, in lower case.
    private let words: Set<String>

    /// Hides the fields with one of these words in their names, whatever its case.
    ///
    /// The default is `secretWords`.
    public init(words: some Sequence<String> = secretWords) {
        self.words = Set(words.map { $0.lowercased() })
    }

    /// Whether one of a name's words is such a word: `csrf-token`, `sessionID`, `:auth/Token` and `token2` have one.
    public func hides(_ name: String) -> Bool {
        var word = ""
        var mayEnd = false
        for character in name {
            let isUpper = character.isUppercase
            if !character.isLetter && !character.isNumber || isUpper && mayEnd {
                if isSecret(word) { return true }
                word = ""
            }
            mayEnd = !isUpper
            if character.isLetter || character.isNumber { word += character.lowercased() }
        }
        return isSecret(word) || words.contains(name.lowercased())
    }

    /// Who has several tokens numbers them.
    private func isSecret(_ word: String) -> Bool {
        var stem = word[...]
        while stem.last?.isNumber == true { stem.removeLast() }
        return words.contains(word) || words.contains(String(stem))
    }

    /// The value with `"…"` in place of what such fields hold, and of the token that stands without a name in Sente's
    /// handshake (`[:chsk/handshake [uid csrf-token …]]`).
    public func redacted(_ value: Value) -> Value {
        switch value {
        case .map(let map):
            var redacted = ValueMap()
            for (key, value) in map {
                redacted[self.redacted(key)] =
                    key.nameText.map(hides) == true ? Self.mark : self.redacted(value)
            }
            return .map(redacted)
        case .vector(let items):
            var redacted = items.map(self.redacted)
            if redacted.count >= 2, redacted[0].keywordValue == Self.handshake,
                case .vector(var said) = redacted[1], said.count > 1, said[1] != .null
            {
                said[1] = Self.mark
                redacted[1] = .vector(said)
            }
            return .vector(redacted)
        case .list(let items): return .list(items.map(self.redacted))
        case .set(let items): return .set(ValueSet(items.map(self.redacted)))
        case .tagged(let tag, let value): return .tagged(tag, redacted(value))
        case .uri(let uri): return .uri(redacted(url: uri))
        default: return value
        }
    }

    /// A URL with `…` in place of the parameters that hold secrets, and of a password.
    public func redacted(url: String) -> String {
        guard let question = url.firstIndex(of: "?") else { return redactedUser(url) }
        let query = url[url.index(after: question)...].split(separator: "&", omittingEmptySubsequences: false)
        let parts = query.map { part -> Substring in
            guard let equals = part.firstIndex(of: "="), hides(String(part[..<equals])) else { return part }
            return part[...equals] + "…"
        }
        return redactedUser(String(url[..<question])) + "?" + parts.joined(separator: "&")
    }

    private func redactedUser(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        let rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return url }
        return String(url[..<scheme.upperBound]) + "…" + String(rest[at...])
    }

    private static let handshake: Keyword = "chsk/handshake"
    private static let mark: Value = "…"
}

extension Value {
    fileprivate var nameText: String? {
        switch self {
        case .string(let text): text
        case .keyword(let keyword): keyword.text
        default: nil
        }
    }
}
