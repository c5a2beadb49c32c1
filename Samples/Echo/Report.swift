// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Writes to the terminal: one aligned line a step, in colours where somebody sees them.
struct Report: Sendable {
    private enum Style: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
    }

    private let hasColors: Bool
    private let labelWidth = 16
    private let valueWidth = 34

    /// Coloured only on a terminal, and not when `NO_COLOR` is set (no-color.org).
    static var standard: Report {
        let refuses = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return Report(hasColors: isatty(STDOUT_FILENO) == 1 && !refuses)
    }

    func text(_ text: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
    }

    func heading(_ title: String) {
        text("\n" + styled(title, .bold))
    }

    /// A step that happened, and a value that shows it.
    func step(_ label: String, _ value: String, _ detail: String = "") {
        line(styled("✓", .green), label, value, detail)
    }

    /// Something seen on the way.
    func passing(_ label: String, _ value: String, _ detail: String = "") {
        line(styled("·", .dim), label, value, detail)
    }

    func failure(_ sentence: String) {
        try? FileHandle.standardError.write(contentsOf: Data("\n  \(styled("✗", .red)) \(sentence)\n".utf8))
    }

    private func line(_ mark: String, _ label: String, _ value: String, _ detail: String) {
        guard !detail.isEmpty else { return text("  \(mark) \(padded(label, labelWidth)) \(value)") }
        let value = padded(value, valueWidth)
        text("  \(mark) \(padded(label, labelWidth)) \(value) \(styled(detail, .dim))")
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func styled(_ text: String, _ style: Style) -> String {
        hasColors ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }
}
