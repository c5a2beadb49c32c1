// SPDX-License-Identifier: Apache-2.0

public import SenteTelemetry

/// What is known of the apps whose signals come: how many, how fast, of which level, and how long their work takes.
///
/// It is public, so that its tests need no more than an app's own.
public struct Board: Sendable {
    struct Row: Sendable {
        var name: String
        var count = 0
        var levels: [SignalLevel: Int] = [:]
        var durations = Histogram()
        /// How many came in each of the last seconds, the present one last.
        var seconds: [(second: Int64, count: Int)] = []

        /// Signals a second over the last ten whole seconds.
        func rate(at second: Int64) -> Double {
            let recent = seconds.filter { $0.second < second && $0.second >= second - Board.span }
            return Double(recent.reduce(0) { $0 + $1.count }) / Double(Board.span)
        }
    }

    private static let span: Int64 = 10
    /// Apps beyond this are counted together.
    private static let maximumRows = 50

    private(set) var rows: [Row] = []

    /// Makes one of nobody.
    public init() {}

    /// Takes a signal; the time is in seconds of any clock.
    public mutating func add(_ signal: Signal, at second: Int64) {
        var name = signal.context[.keyword("app")]?.stringValue ?? "?"
        if !rows.contains(where: { $0.name == name }), rows.count >= Self.maximumRows { name = "others" }
        let index = rows.firstIndex { $0.name == name } ?? rows.endIndex
        if index == rows.endIndex { rows.append(Row(name: name)) }
        rows[index].count += 1
        rows[index].levels[signal.level, default: 0] += 1
        if let duration = signal.duration { rows[index].durations.record(duration) }
        if rows[index].seconds.last?.second == second {
            rows[index].seconds[rows[index].seconds.count - 1].count += 1
        } else {
            rows[index].seconds.append((second, 1))
            rows[index].seconds.removeAll { $0.second < second - Self.span }
        }
    }

    /// The table for people, its heading first.
    public func lines(at second: Int64) -> [String] {
        let heading = ["app", "signals", "a second", "info", "warn", "error", "p50", "p99"]
        let cells = rows.sorted { $0.name < $1.name }.map { row in
            [
                row.name, String(row.count), Self.text(row.rate(at: second)),
                String(row.levels[.info] ?? 0), String(row.levels[.warn] ?? 0),
                String(row.levels[.error] ?? 0), Self.text(row.durations.percentile(0.5)),
                Self.text(row.durations.percentile(0.99)),
            ]
        }
        let table = [heading] + cells
        let widths = heading.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
        return table.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + padding : padding + row[column]
            }.joined(separator: "  ")
        }
    }

    /// The same as data.
    public func value(at second: Int64) -> Value {
        .vector(
            rows.sorted { $0.name < $1.name }.map { row in
                [
                    "app": Value(row.name), "signals": Value(row.count),
                    "per-second": .double(row.rate(at: second)),
                    "levels": .map(
                        ValueMap(
                            row.levels.sorted { $0.key < $1.key }.map {
                                (.string($0.key.name), Value($0.value))
                            })),
                    "p50-ms": Self.milliseconds(row.durations.percentile(0.5)),
                    "p99-ms": Self.milliseconds(row.durations.percentile(0.99)),
                ]
            })
    }

    private static func milliseconds(_ duration: Duration?) -> Value {
        duration.map { .double($0 / .milliseconds(1)) } ?? nil
    }

    private static func text(_ rate: Double) -> String { String(Double(Int(rate * 10)) / 10) }

    private static func text(_ duration: Duration?) -> String {
        duration.map { "\(Int($0 / .milliseconds(1))) ms" } ?? "–"
    }
}
