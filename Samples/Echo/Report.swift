// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTerminal

/// Writes to the terminal: one aligned line a step, in colours where somebody sees them.
struct Report: Sendable {
    private let ink: Ink
    /// Whether a line can be written anew.
    private let isLive: Bool
    private let labelWidth = 16
    private let valueWidth = 34

    static var standard: Report {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let environment = ProcessInfo.processInfo.environment
        return Report(
            ink: Ink(isTerminal: isTerminal, environment: environment),
            isLive: isTerminal && environment["TERM"] != "dumb")
    }

    func text(_ text: String) {
        write((isLive ? "\r\u{1B}[K" : "") + text + "\n")
    }

    func heading(_ title: String) {
        text("\n" + ink(title, .bold))
    }

    /// A step that happened, and a value that shows it.
    func step(_ label: String, _ value: String, _ detail: String = "") {
        line(ink("✓", .green), label, value, detail)
    }

    /// Something seen on the way.
    func passing(_ label: String, _ value: String, _ detail: String = "") {
        line(ink("·", .dim), label, value, detail)
    }

    /// How far a long step is: in one place on a terminal, elsewhere a line for each tenth.
    func progress(_ label: String, of count: Int, at number: Int) {
        if isLive {
            write("\r\u{1B}[K  \(ink("·", .dim)) \(label) of \(count)")
        } else if number * 10 / count > (number - 1) * 10 / count {
            passing(label, "of \(count)")
        }
    }

    func failure(_ sentence: String) {
        let text = "\n  \(Ink(of: STDERR_FILENO)("✗", .red)) \(sentence)\n"
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    private func line(_ mark: String, _ label: String, _ value: String, _ detail: String) {
        guard !detail.isEmpty else { return text("  \(mark) \(padded(label, labelWidth)) \(value)") }
        let value = padded(value, valueWidth)
        text("  \(mark) \(padded(label, labelWidth)) \(value) \(ink(detail, .dim))")
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func write(_ text: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }
}
