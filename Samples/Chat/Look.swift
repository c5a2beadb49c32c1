// SPDX-License-Identifier: Apache-2.0

import SampleTerminal

/// How the conversation looks: with colours and names in a column on a terminal, as plain lines elsewhere.
struct Look: Sendable {
    private static let column = 10

    /// What this side is called.
    let own: String
    let ink: Ink
    let isLive: Bool

    /// The line, without its time.
    func text(_ line: Conversation.Line) -> String {
        let name = line.name.printable
        let text = line.text.printable
        switch line.kind {
        case .said:
            let code = line.name == own ? "1" : "1;\(colour(of: name))"
            return "\(ink.code(code, inColumn(name))) \(text)"
        case .notice: return "\(ink.code(colour(of: name), inColumn(name))) \(ink.code("3;2", text))"
        case .connection: return "\(ink(inColumn("●"), .green)) \(ink(text, .dim))"
        case .trouble: return "\(ink(inColumn("●"), .red)) \(ink(text, .red))"
        }
    }

    private func inColumn(_ text: String) -> String {
        isLive ? String(repeating: " ", count: max(0, Self.column - text.count)) + text : text
    }

    /// The same for a name each time: one of six colours.
    private func colour(of name: String) -> String {
        "\(31 + name.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % 6)"
    }
}
