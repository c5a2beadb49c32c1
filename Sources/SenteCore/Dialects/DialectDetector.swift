// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Tells dialect and format from the first message of a link: in every family the server speaks first.
package struct DialectDetector: Hashable, Sendable {
    /// What the configuration insists on; nil takes whatever comes.
    package var dialect: Dialect?
    package var format: WireFormat?

    package init(dialect: Dialect? = nil, format: WireFormat? = nil) {
        self.dialect = dialect
        self.format = format
    }

    /// What reads the link from this message on.
    ///
    /// The message itself is still to be decoded.
    ///
    /// Throws `protocolMismatch`, with a sentence that shows what came.
    package func detect(_ first: Message) throws(SenteError) -> any DialectCoder {
        guard let (family, format) = Self.known(first) else { throw Self.mismatch(first) }
        if let dialect, dialect != family {
            throw Self.contradiction("dialect", asked: dialect.rawValue, came: family.rawValue)
        }
        if let wanted = self.format, wanted != format {
            throw Self.contradiction("format", asked: wanted.name, came: format.name)
        }
        switch family {
        case .senteLiteMaps: return SenteLiteMaps(format: format)
        case .senteLiteVectors, .sente: throw Self.mismatch(first)
        }
    }

    private static func known(_ first: Message) -> (Dialect, WireFormat)? {
        // A map with a `type`, in whatever order its fields come.
        guard first.kind == .text, let value = try? WireFormat.json.decode(first.bytes),
            let frame = MapFrame(value), frame.text(MapField.type) != nil
        else { return nil }
        return (.senteLiteMaps, .json)
    }

    /// How messages begin that others speak (in the order of trying), and what that is.
    private static let others = [
        ("{:type", "sente-lite's maps in EDN"),
        ("[:chsk/", "sente-lite's vectors in EDN"),
        ("[[:chsk/", "Sente's vectors in EDN"),
        ("[\"~:chsk/", "sente-lite's vectors in Transit JSON"),
        ("[[\"~:chsk/", "Sente's vectors in Transit JSON"),
        ("[\"chsk/", "sente-lite's vectors in plain JSON"),
    ]

    private static func mismatch(_ first: Message) -> SenteError {
        guard first.kind == .text else {
            return error(
                "The server's first message is binary (\(first.bytes.count) bytes), which no dialect of this version "
                    + "begins with. Check the address.")
        }
        // Enough for 80 characters of 4 bytes each.
        let start = String(decoding: first.bytes.prefix(400).drop { $0 <= UInt8(ascii: " ") }, as: UTF8.self)
        let shown = start.isEmpty ? "empty" : "“\(start.excerpt())”"
        guard let (_, name) = others.first(where: { start.hasPrefix($0.0) }) else {
            return error(
                "The server's first message is \(shown), which no dialect of this version begins with. Check the address."
            )
        }
        return error(
            "This is a server that speaks \(name), which this version does not: its first message is \(shown)."
        )
    }

    private static func contradiction(_ setting: String, asked: String, came: String) -> SenteError {
        error(
            "The server speaks \(came) and the configuration asks for \(asked): correct `\(setting)`, "
                + "or leave it out to take what comes.")
    }

    private static func error(_ message: String) -> SenteError {
        SenteError(.protocolMismatch, message)
    }
}
