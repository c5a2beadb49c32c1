// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The figures of one run.
public struct BenchResult: Sendable {
    /// What was measured.
    public var client: String
    /// How, in a word.
    public var mode: String
    /// The bytes, or fields, of each.
    public var size: Int
    /// How many there were.
    public var count: Int
    /// The names say the units.
    public var figures: [(name: String, value: Double)]

    /// All of it.
    public init(
        client: String, mode: String, size: Int, count: Int, figures: [(name: String, value: Double)]
    ) {
        self.client = client
        self.mode = mode
        self.size = size
        self.count = count
        self.figures = figures
    }

    func figure(_ name: String) -> Double {
        figures.first { $0.name == name }?.value ?? 0
    }

    /// One line, in the form that `run.py` reads.
    public var json: String {
        let numbers = figures.map { "\"\($0.name)\":\(($0.value * 1000).rounded() / 1000)" }
        return
            "{\"client\":\(Self.quoted(client)),\"mode\":\(Self.quoted(mode)),\"size\":\(size),\"count\":\(count),"
            + numbers.joined(separator: ",") + "}"
    }

    /// The same for people: columns that are alike in each row, with their units.
    public var row: String {
        let load =
            switch mode {
            case "idle": "\(count) connections"
            case "telemetry": "\(size) fields × \(count)"
            default: "\(size) B × \(count)"
            }
        let head = [(client, 34), (mode, 10), (load, 18)].map { text, width in
            text + String(repeating: " ", count: max(1, width - text.count))
        }
        return head.joined() + figures.map { Self.cell($0.name, $0.value) }.joined(separator: "  ")
    }

    private static func cell(_ name: String, _ value: Double) -> String {
        switch name {
        // Where many are under way no round trip is timed.
        case "p50_us" where value == 0, "p99_us" where value == 0: String(repeating: " ", count: 14)
        case "p50_us": "p50 " + number(value, "µs")
        case "p99_us": "p99 " + number(value, "µs")
        case "msgs_s": number(value, "messages/s", 0, 9)
        case "call_ns": number(value, "ns a call")
        case "cpu_ns": number(value, "ns CPU")
        case "processors": number(value, "processors")
        case "signals_s": number(value, "signals/s", 0, 9)
        case "cpu_us": number(value, "µs CPU each")
        case "rss_kib": number(value / 1_024, "MiB")
        case "rss_base_kib": "of which before " + number(value / 1_024, "MiB")
        case "kib_per_conn": number(value, "KiB a connection")
        default: "\(name) " + number(value, "", 0)
        }
    }

    private static func number(_ value: Double, _ unit: String, _ digits: Int = 1, _ width: Int = 7) -> String
    {
        String(format: "%\(width).\(digits)f \(unit)", value).replacingOccurrences(
            of: " +$", with: "", options: .regularExpression)
    }

    /// Text as JSON has it.
    static func quoted(_ text: String) -> String {
        let escaped = text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(
            of: "\"", with: "\\\"")
        return "\"\(escaped)\""
    }
}
