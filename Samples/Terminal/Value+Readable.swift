// SPDX-License-Identifier: Apache-2.0

public import SenteLite

extension Value {
    /// For people, on one line: JSON, or EDN where there is a word that JSON has not.
    public var readable: String {
        let json = holdsKeywords ? nil : try? WireFormat.json.encode(self)
        return (json.map { String(decoding: $0, as: UTF8.self) } ?? description).printable
    }

    private var holdsKeywords: Bool {
        switch self {
        case .keyword: true
        case .vector(let values): values.contains(where: \.holdsKeywords)
        case .map(let map): map.contains { $0.key.holdsKeywords || $0.value.holdsKeywords }
        default: false
        }
    }
}
