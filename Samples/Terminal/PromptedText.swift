// SPDX-License-Identifier: Apache-2.0

/// What is sent to a terminal so that its last two rows stay what they are: a notice, where there is one, and the prompt.
///
/// Lines go above both. The terminal itself edits what is typed, so nothing here knows of it before Return: a line that
/// comes meanwhile hides it, and the terminal's own Ctrl-R shows it again; a notice that changes leaves it alone.
public struct PromptedText: Sendable {
    private static let clearDown = "\r\u{1B}[J"
    private static let up = "\u{1B}[1A"
    private static let (save, restore) = ("\u{1B}7", "\u{1B}8")

    private let prompt: String
    private let ink: Ink
    private var notice: String?
    /// Before it begins there are lines alone.
    private var hasBegun = false

    /// A prompt may be empty: then the cursor stands on a row of its own.
    public init(prompt: String, ink: Ink) {
        self.prompt = prompt
        self.ink = ink
    }

    /// The two rows, from now on.
    public mutating func begin() -> String {
        hasBegun = true
        return footer
    }

    /// A line above them.
    public func show(_ line: String) -> String {
        cleared + line + "\n" + footer
    }

    /// Another notice, or none; cut so that it takes one row.
    public mutating func show(notice text: String?, columns: Int) -> String {
        let text = text.map { String($0.prefix(max(1, columns - 1))) }
        let old = notice
        guard text != old else { return "" }
        if let text, old != nil {
            notice = text
            return Self.save + Self.up + "\r\u{1B}[K" + ink(text, .dim) + Self.restore
        }
        let cleared = cleared
        notice = text
        return cleared + footer
    }

    /// The terminal moved on when this line was typed; it stays above, or is taken back.
    public func typed(_ line: String, stays: Bool, columns: Int) -> String {
        let rows = (2 + line.count + max(1, columns) - 1) / max(1, columns)
        let back = String(repeating: Self.up, count: max(1, rows)) + cleared
        return back + (stays ? shownPrompt + line + "\n" : "") + footer
    }

    /// Neither of them any more.
    public mutating func end() -> String {
        defer { notice = nil }
        return cleared
    }

    private var cleared: String { notice == nil ? Self.clearDown : Self.up + Self.clearDown }
    private var footer: String { (notice.map { ink($0, .dim) + "\n" } ?? "") + shownPrompt }
    private var shownPrompt: String { prompt.isEmpty || !hasBegun ? "" : ink(prompt, .dim) + " " }
}
