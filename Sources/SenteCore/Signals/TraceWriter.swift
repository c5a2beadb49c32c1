// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// One thing for the trace of a connection.
package enum TraceEntry: Sendable {
    /// Whole messages, and what reads them; nil when nobody knows yet.
    case sent([Message], (any DialectCoder)?)
    case received([Message], (any DialectCoder)?)
    /// A link is opened to this URL.
    case opening(String)
    case signal(ClientSignal)
}

/// Writes a trace's lines: `>` for what goes out, `<` for what comes, `=` for what happens.
package struct TraceWriter: Sendable {
    private let redaction: Redaction
    /// How many characters of a value are shown.
    private let maximumLength: Int

    package init(redaction: Redaction, maximumLength: Int) {
        self.redaction = redaction
        self.maximumLength = max(1, maximumLength)
    }

    package func lines(for entry: TraceEntry, at milliseconds: Int64) -> [String] {
        let time = TimeOfDay(milliseconds: milliseconds)
        switch entry {
        case .sent(let messages, let coder): return messages.map { "> \(time) \(shown($0, coder))" }
        case .received(let messages, let coder): return messages.map { "< \(time) \(shown($0, coder))" }
        case .opening(let url): return ["= \(time) opening \(redaction.redacted(url: url))"]
        case .signal(let signal):
            // Each message stands for itself, and a state's change is told by what brought it about.
            guard signal.level > .trace else { return [] }
            return ["= \(time) \(signal.id.name): \(signal.message.excerpt(2_000))"]
        }
    }

    private func shown(_ message: Message, _ coder: (any DialectCoder)?) -> String {
        "\(message.bytes.count) B \(excerpt(text(message, coder)))"
    }

    private func text(_ message: Message, _ coder: (any DialectCoder)?) -> String {
        guard let coder else { return "(not readable yet)" }
        do throws(UnreadableError) {
            return redaction.redacted(try coder.value(of: message)).description
        } catch {
            // What cannot be read cannot be redacted.
            return "(no \(coder.format.name))"
        }
    }

    private func excerpt(_ text: String) -> String {
        text.utf8.count <= maximumLength || text.count <= maximumLength
            ? text : text.prefix(maximumLength) + "… (\(text.count) characters)"
    }
}
