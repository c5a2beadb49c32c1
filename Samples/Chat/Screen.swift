// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Writes the conversation: with colours and a prompt to a terminal, as plain lines to anything else.
final class Screen: Sendable {
    private let isTerminal: Bool
    private let lock = NSLock()
    private let own: String
    /// Lets the names stand in one column.
    private let column = 10

    init(name: String) {
        own = name
        isTerminal = isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1
    }

    /// Shows a line above the prompt.
    func show(_ line: Conversation.Line) {
        let (mark, text) = parts(of: line)
        let time = Self.time()
        if isTerminal {
            write("\r\u{1B}[K\u{1B}[2m\(time)\u{1B}[0m \(mark) \(text)\n\(prompt)")
        } else {
            write("\(mark.trimmingCharacters(in: .whitespaces)) \(text)\n")
        }
    }

    /// Text as it is, such as the help.
    func show(text: String) {
        write(isTerminal ? "\r\u{1B}[K\(text)\n\(prompt)" : text + "\n")
    }

    /// Takes back the line that was typed: it shows when it has come round.
    func lineWasTyped() {
        if isTerminal { write("\u{1B}[1A\r\u{1B}[K\(prompt)") }
    }

    func showPrompt() {
        if isTerminal { write(prompt) }
    }

    func end() {
        if isTerminal { write("\r\u{1B}[K") }
    }

    private var prompt: String { "\u{1B}[2m›\u{1B}[0m " }

    private func parts(of line: Conversation.Line) -> (mark: String, text: String) {
        let name = String(repeating: " ", count: max(0, column - line.name.count)) + line.name
        switch line.kind {
        case .said: return (styled(name, line.name == own ? "1" : "1;\(colour(of: line.name))"), line.text)
        case .notice: return (styled(name, colour(of: line.name)), styled(line.text, "3;2"))
        case .connection: return (styled(padded("●"), "32"), styled(line.text, "2"))
        case .trouble: return (styled(padded("●"), "31"), styled(line.text, "31"))
        }
    }

    private func padded(_ text: String) -> String { String(repeating: " ", count: column - 1) + text }

    private func styled(_ text: String, _ code: String) -> String {
        isTerminal ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    /// The same for a name each time: one of six colours.
    private func colour(of name: String) -> String {
        "\(31 + name.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % 6)"
    }

    private static func time() -> String {
        let parts = Calendar.current.dateComponents([.hour, .minute], from: Date())
        return String(format: "%02d:%02d", parts.hour ?? 0, parts.minute ?? 0)
    }

    private func write(_ text: String) {
        lock.lock()
        defer { lock.unlock() }
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}

extension String {
    /// Without what a terminal would obey: a peer's text is shown, never done.
    var printable: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: "·"
                    default: scalar
                    }
                }))
    }
}
