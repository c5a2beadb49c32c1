// SPDX-License-Identifier: Apache-2.0

/// The headers of a message: `NATS/1.0[ status[ text]]`, a line each, a blank line (ADR-4).
///
/// Names may come more than once and keep their case; values are UTF-8.
package struct NATSHead: Hashable, Sendable {
    /// What the server itself has to say, such as 503 for a request that nobody serves.
    package var status: Int?
    package var fields: NamedValues

    package init(_ fields: NamedValues = NamedValues(), status: Int? = nil) {
        self.status = status
        self.fields = fields
    }

    private static let version = "NATS/1.0"
    /// How many are read.
    private static let maximumFields = 1_024

    /// Reads a head; nil for what is none.
    package init?(_ bytes: [UInt8]) {
        var lines = bytes.split(separator: .lineFeed, omittingEmptySubsequences: false).makeIterator()
        guard let first = lines.next()?.line, first.starts(with: Self.version.utf8) else { return nil }
        let rest = first.dropFirst(Self.version.utf8.count)
        let words = rest.split { $0 == .blank || $0 == .tab }
        guard rest.isEmpty || rest.first == .blank || rest.first == .tab else { return nil }
        status = words.first.flatMap { Int(String(decoding: $0, as: UTF8.self)) }
        guard words.isEmpty || status != nil else { return nil }
        var pairs: [NamedValues.Pair] = []
        while let line = lines.next()?.line, !line.isEmpty {
            guard pairs.count < Self.maximumFields, let colon = line.firstIndex(of: UInt8(ascii: ":")),
                colon > line.startIndex, line[..<colon].allSatisfy(\.isOfHeaderName)
            else { return nil }
            let value = line[(colon + 1)...].trimmed
            pairs.append(
                NamedValues.Pair(
                    name: String(decoding: line[..<colon], as: UTF8.self),
                    value: String(decoding: value, as: UTF8.self)))
        }
        fields = NamedValues(pairs)
    }

    /// The bytes of a head; nothing where there are no fields.
    ///
    /// Throws `invalidArgument` for what would end a line or be no name.
    package func encoded() throws(SenteError) -> [UInt8] {
        guard !fields.isEmpty else { return [] }
        var bytes = Array("\(Self.version)\r\n".utf8)
        for field in fields {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(\.isOfHeaderName) else {
                throw Dialect.invalid(
                    "“\(field.name.excerpt())” is no name of a header: use printable ASCII without blanks and colons."
                )
            }
            guard !field.value.utf8.contains(where: { $0 == .lineFeed || $0 == .carriageReturn || $0 == 0 })
            else {
                throw Dialect.invalid(
                    "The header \(field.name.excerpt()) holds a line break or a zero (“\(field.value.excerpt())”): use one line of text."
                )
            }
            bytes += "\(field.name): \(field.value)\r\n".utf8
        }
        return bytes + [.carriageReturn, .lineFeed]
    }

    /// The first value of a name in any case: those who publish write it as they like.
    package subscript(name: String) -> String? {
        let wanted = name.lowercased()
        return fields.first { $0.name.lowercased() == wanted }?.value
    }
}

extension ArraySlice<UInt8> {
    /// Without the carriage return at its end.
    fileprivate var line: ArraySlice<UInt8> { last == .carriageReturn ? dropLast() : self }

    /// Without the blanks around it.
    fileprivate var trimmed: ArraySlice<UInt8> {
        var rest = drop { $0 == .blank || $0 == .tab }
        while let last = rest.last, last == .blank || last == .tab { rest.removeLast() }
        return rest
    }
}

extension UInt8 {
    /// Printable ASCII but the colon.
    fileprivate var isOfHeaderName: Bool { self > 0x20 && self < 0x7F && self != UInt8(ascii: ":") }
}
