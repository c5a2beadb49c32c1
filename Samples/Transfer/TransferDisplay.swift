// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTerminal
import SenteLite

/// Shows how far a transfer is: a bar in a terminal, a line for each tenth where the output is piped, or JSON.
final class TransferDisplay: Sendable {
    private let ink = Ink(of: STDOUT_FILENO)
    private let isLive: Bool
    private let printsJSON: Bool

    init(printsJSON: Bool) {
        self.printsJSON = printsJSON
        isLive =
            !printsJSON && isatty(STDOUT_FILENO) == 1
            && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// Follows until the stream has ended.
    func follow(_ progress: StreamUpdates<StreamProgress>, _ label: String) async {
        var lastTenth = -1
        for await progress in progress {
            if printsJSON {
                write(json(progress, label) + "\n")
            } else if isLive {
                write("\r\u{1B}[K" + ink(label, .bold) + " " + bar(progress) + text(progress))
            } else {
                let tenth = progress.percentage.map { Int($0 / 10) } ?? Int(progress.bytes >> 24)
                guard tenth != lastTenth || progress.state.isFinal else { continue }
                lastTenth = tenth
                write("\(label): \(text(progress))\n")
            }
        }
        if isLive { write("\n") }
    }

    /// A sentence, unless the output is JSON.
    func say(_ sentence: String, _ style: Ink.Style = .dim) {
        if !printsJSON { write(ink(sentence, style) + "\n") }
    }

    /// How it ended, in every kind of output.
    func end(_ label: String, _ value: Value, _ sentence: String) {
        guard printsJSON else { return write(ink("✓ ", .green) + sentence + "\n") }
        let line: Value = ["event": "end", "label": .string(label), "result": value]
        write(Self.json(line) + "\n")
    }

    private func bar(_ progress: StreamProgress) -> String {
        guard let percentage = progress.percentage else { return "" }
        let full = Int(percentage / 100 * 24)
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: 24 - full)
        return ink(bar, .cyan) + String(format: " %3.0f %%  ", percentage)
    }

    private func text(_ progress: StreamProgress) -> String {
        var parts = [Self.size(progress.bytes)]
        if let total = progress.totalBytes { parts[0] += " of \(Self.size(total))" }
        parts.append("\(Self.size(UInt64(progress.throughput)))/s")
        if let left = progress.estimatedRemaining, !progress.state.isFinal {
            parts.append("\(left.components.seconds) s left")
        }
        if progress.state != .active { parts.append(progress.state.rawValue) }
        return parts.joined(separator: ", ")
    }

    private func json(_ progress: StreamProgress, _ label: String) -> String {
        let line: Value = [
            "event": "progress", "label": .string(label), "state": .string(progress.state.rawValue),
            "bytes": .integer(Int64(clamping: progress.bytes)),
            "total": progress.totalBytes.map { .integer(Int64(clamping: $0)) } ?? .null,
            "rate": .integer(Int64(progress.throughput)), "rewinds": .integer(Int64(progress.rewinds)),
        ]
        return Self.json(line)
    }

    private static func json(_ value: Value) -> String {
        (try? WireFormat.json.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// For people: `12.3 MB`.
    static func size(_ bytes: UInt64) -> String {
        var value = Double(bytes)
        for unit in ["B", "kB", "MB", "GB"] {
            if value < 1_000 { return unit == "B" ? "\(bytes) B" : String(format: "%.1f %@", value, unit) }
            value /= 1_000
        }
        return String(format: "%.1f TB", value)
    }

    private func write(_ text: String) {
        // Nobody is left to be told when standard output is gone.
        try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }
}
