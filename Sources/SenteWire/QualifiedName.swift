// SPDX-License-Identifier: Apache-2.0

/// A name with or without a namespace, as one text `ns/name`: what keywords and symbols have in common.
struct QualifiedName: Hashable, Sendable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    init(namespace: String?, name: String) {
        text = namespace.map { "\($0)/\(name)" } ?? name
    }

    /// Where namespace and name part: the first slash that has something before it (`/` alone is a name).
    private var slash: String.UTF8View.Index? {
        guard text.utf8.first != UInt8(ascii: "/") else { return nil }
        return text.utf8.firstIndex(of: UInt8(ascii: "/"))
    }

    var namespace: String? { slash.map { String(text[..<$0]) } }

    var name: String { slash.map { String(text[text.utf8.index(after: $0)...]) } ?? text }

    static func == (left: QualifiedName, right: QualifiedName) -> Bool {
        left.text.isSameText(as: right.text)
    }

    func hash(into hasher: inout Hasher) {
        text.hashText(into: &hasher)
    }
}
