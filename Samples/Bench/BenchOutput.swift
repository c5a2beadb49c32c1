// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTerminal

/// Where figures go: rows of a table for people, a JSON object a line for programs; and how far it is, on standard error.
struct BenchOutput: Sendable {
    /// People sit before a terminal, unless they ask for JSON.
    static let standard = BenchOutput(
        isForPeople: isatty(STDOUT_FILENO) == 1 && !wantsJSON)

    /// Whether the command line says so.
    static let wantsJSON = CommandLine.arguments.contains("--json")

    private let isForPeople: Bool
    private let isWatched =
        isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    private let ink = Ink(of: STDERR_FILENO)

    func show(_ result: BenchResult) {
        show(json: result.json, row: result.row)
    }

    func show(json: String, row: String) {
        write(isForPeople ? row : json)
    }

    /// How many times something is something else.
    func show(ratio value: Double, _ name: String, of other: String) {
        let value = (value * 100).rounded() / 100
        write(
            isForPeople
                ? "  \(name): \(value) × \(other)"
                : "{\"ratio\":\(BenchResult.quoted(name)),\"of\":\(BenchResult.quoted(other)),\"value\":\(value)}"
        )
    }

    /// A result that is a sentence.
    func show(sentence: String) {
        write(isForPeople ? "  \(sentence)" : "{\"sentence\":\(BenchResult.quoted(sentence))}")
    }

    /// What is measured now: in one place on a terminal, a line elsewhere.
    func progress(_ step: String) {
        say(isWatched ? "\r\u{1B}[K" + ink(step + " …", .dim) : step + "\n")
    }

    /// The same for what takes a moment only, which nobody reads afterwards.
    func glimpse(_ step: String) {
        if isWatched { progress(step) }
    }

    /// Something people should know before they believe the figures.
    func warn(_ sentence: String) {
        say(ink(sentence, .yellow) + "\n")
    }

    /// Why nothing was measured.
    func fail(_ sentence: String) {
        say((isWatched ? "\r\u{1B}[K" : "") + ink("bench: ", .red) + sentence + "\n")
    }

    /// A line that is the same for people and programs.
    func write(_ line: String) {
        if isWatched { say("\r\u{1B}[K") }
        try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
    }

    private func say(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
