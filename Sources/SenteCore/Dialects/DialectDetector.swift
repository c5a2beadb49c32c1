// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Tells dialect and format from the first message of a link: in every family the server speaks first.
///
/// The first bytes say which format it looks like, and one decoding says whether it is and whose shape it has; when it is
/// not, the fallback is tried, once.
package struct DialectDetector: Sendable {
    /// What the configuration insists on; nil takes whatever comes.
    package var dialect: Dialect?
    package var format: WireFormat?
    /// Tried for a first message that is no message of the format it looks like.
    package var fallback: WireFormat
    /// What reads and writes Sente's gzip packer; without one, that is not recognised.
    package var compressor: Compressor?
    /// Whether the link's messages are read for the traces they belong to.
    package var readsTraces: Bool
    /// What servers of NATS are told.
    package var nats: NATSSettings

    package init(
        dialect: Dialect? = nil, format: WireFormat? = nil, fallback: WireFormat = .edn,
        compressor: Compressor? = nil, readsTraces: Bool = false, nats: NATSSettings = NATSSettings()
    ) {
        self.nats = nats
        self.dialect = dialect
        self.format = format
        self.fallback = fallback
        self.compressor = compressor
        self.readsTraces = readsTraces
    }

    /// What reads the link from this message on.
    ///
    /// The message itself is still to be decoded.
    ///
    /// Throws `protocolMismatch`, with a sentence that shows what came; for what unfolds to more than may come, the error
    /// has the close code 1009.
    package func detect(_ first: Message, sizes: SizeLimits = SizeLimits()) throws(SenteError)
        -> any DialectCoder
    {
        if dialect == .nats { return try nats(first, sizes) }
        var problem: String?
        var found: (shape: GreetingShape, format: WireFormat)?
        do throws(UnreadableError) {
            if let format, let shape = try GreetingShape(first, format, sizes, &problem) {
                found = (shape, format)
            } else {
                found = try recognised(first, sizes, &problem)
            }
        } catch {
            throw SenteError(.protocolViolation, error.reason, closeCode: .messageTooBig)
        }
        guard let (shape, came) = found else { throw Self.mismatch(first, problem) }
        if let format, format != came {
            throw Self.contradiction("format", asked: format.name, came: came.name)
        }
        return try coder(shape, came, first, sizes)
    }

    /// NATS is never guessed: whether payload comes as a stream is settled before the first byte.
    private func nats(_ first: Message, _ sizes: SizeLimits) throws(SenteError) -> any DialectCoder {
        guard NATSCoder.isBeginning(first.bytes) else {
            throw Self.error(
                "The server's first message is \(Self.shown(first)), with which no server of NATS begins: correct `dialect`, "
                    + "or check the address.")
        }
        return NATSCoder(settings: nats, format: format ?? .json, sizes: sizes, readsTraces: readsTraces)
    }

    /// What it looks like, if it is that; else what the fallback makes of it.
    private func recognised(
        _ first: Message, _ sizes: SizeLimits, _ problem: inout String?
    ) throws(UnreadableError) -> (GreetingShape, WireFormat)? {
        var guess: WireFormat?
        do throws(WireError) {
            guess = try FormatGuess.format(of: first, compressor: compressor, limits: sizes)
        } catch {
            if error.kind == .tooLarge { throw .tooLarge("gzip", sizes) }
            problem = error.description
        }
        if let guess {
            var trouble: String?
            if let shape = try GreetingShape(first, guess, sizes, &trouble) { return (shape, guess) }
            // What can be read and greets in no known way is not made better by being read otherwise.
            guard let trouble else { return nil }
            problem = trouble
        }
        guard guess != fallback else { return nil }
        var ignored: String?
        return try GreetingShape(first, fallback, sizes, &ignored).map { ($0, fallback) }
    }

    private func coder(
        _ shape: GreetingShape, _ format: WireFormat, _ first: Message, _ sizes: SizeLimits
    ) throws(SenteError) -> any DialectCoder {
        guard let family = shape.dialect else { throw Self.oneWay(first) }
        if let dialect, dialect != family {
            throw Self.contradiction("dialect", asked: dialect.rawValue, came: family.rawValue)
        }
        return switch shape {
        case .maps(let keywords):
            SenteLiteMaps(
                format: format, writesKeywords: keywords, sizes: sizes, readsTraces: readsTraces)
        case .liteVectors, .namesAsText:
            SenteLiteVectors(format: format, sizes: sizes, readsTraces: readsTraces)
        case .sente: SenteVectors(format: format, sizes: sizes, readsTraces: readsTraces)
        }
    }

    // MARK: What cannot be

    private static func mismatch(_ first: Message, _ problem: String?) -> SenteError {
        guard !first.bytes.starts(with: "INFO {".utf8) else {
            return error("The server speaks NATS: set `dialect` to .nats, and say who you are in `nats`.")
        }
        let reason = problem.map { " (\($0.excerpt(120)))" } ?? ""
        guard first.kind == .text else {
            return error(
                "The server's first message is binary (\(first.bytes.count) bytes), which no dialect of this version "
                    + "begins with\(reason). Check the address.")
        }
        return error(
            "The server's first message is \(shown(first)), which no dialect of this version begins with\(reason). "
                + "Check the address.")
    }

    /// Names as plain texts are read by clients, but the server takes no event in the format that has no keywords.
    private static func oneWay(_ first: Message) -> SenteError {
        error(
            "The server speaks vectors in a format without keywords, such as plain JSON: it would drop every event it "
                + "is sent. Give it EDN or Transit (`:wire-format :edn`). Its first message is \(shown(first))."
        )
    }

    private static func shown(_ first: Message) -> String {
        guard first.kind == .text else { return "binary (\(first.bytes.count) bytes)" }
        // Enough for 80 characters of 4 bytes each.
        let start = String(decoding: first.bytes.prefix(400).drop { $0 <= UInt8(ascii: " ") }, as: UTF8.self)
        return start.isEmpty ? "empty" : "“\(start.excerpt())”"
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
