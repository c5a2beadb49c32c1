// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleOptions

/// What flow saves and costs, beside plain messages, and beside what was asked of it.
///
/// Both sides of a ratio are measured in one run, in turns, so that what else the machine does hits both.
enum FlowBench {
    enum Scenario: String, CaseIterable {
        case batching, compression, chunking, resumption, crowd, plain
    }

    /// How much is measured.
    struct Effort {
        /// Whether the run only shows that all of it works.
        var isSmoke = false

        var rounds: Int { isSmoke ? 1 : 7 }

        func count(_ usual: Int) -> Int { isSmoke ? max(10, usual / 50) : usual }
    }

    /// `flow [--smoke] [SCENARIO…]`: all of them, or those that are named.
    static func read(_ words: [String]) throws(UsageError) -> (Effort, [Scenario]) {
        var scenarios: [Scenario] = []
        for word in words where word != "--smoke" {
            scenarios.append(try Reading.choice(word, of: Scenario.self))
        }
        return (
            Effort(isSmoke: words.contains("--smoke")), scenarios.isEmpty ? Scenario.allCases : scenarios
        )
    }

    static func run(_ words: [String]) async throws {
        let (effort, scenarios) = try read(words)
        for scenario in scenarios {
            output.progress("flow: \(scenario.rawValue)")
            switch scenario {
            case .batching: try await FlowBatchingBench.run(effort)
            case .compression: try await FlowCompressionBench.run(effort)
            case .chunking: try await FlowChunkingBench.run(effort)
            case .resumption: try await FlowResumptionBench.run(effort)
            case .crowd: try await FlowCrowdBench.run(effort)
            case .plain: try await FlowPlainBench.run(effort)
            }
        }
    }

    static func median(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }

    /// Seconds that something takes.
    static func seconds(_ body: () async throws -> Void) async rethrows -> Double {
        let start = Measure.nanoseconds()
        try await body()
        return Double(Measure.nanoseconds() - start) / 1e9
    }
}

/// A figure beside what was asked of it.
struct FlowBar {
    enum Bound {
        case atLeast(Double)
        case atMost(Double)
        /// Nothing was asked.
        case none
    }

    var name: String
    var value: Double
    var unit: String
    var bound: Bound

    init(_ name: String, _ value: Double, _ unit: String, _ bound: Bound = .none) {
        self.name = name
        self.value = (value * 1_000).rounded() / 1_000
        self.unit = unit
        self.bound = bound
    }

    private var isHeld: Bool? {
        switch bound {
        case .atLeast(let least): value >= least
        case .atMost(let most): value <= most
        case .none: nil
        }
    }

    var json: String {
        let limit =
            switch bound {
            case .atLeast(let least): ",\"at-least\":\(least)"
            case .atMost(let most): ",\"at-most\":\(most)"
            case .none: ""
            }
        let held = isHeld.map { ",\"held\":\($0)" } ?? ""
        return
            "{\"bar\":\(BenchResult.quoted(name)),\"value\":\(value),\"unit\":\(BenchResult.quoted(unit))\(limit)\(held)}"
    }

    var row: String {
        let limit =
            switch bound {
            case .atLeast(let least): "at least \(least)"
            case .atMost(let most): "at most \(most)"
            case .none: ""
            }
        let mark = isHeld.map { $0 ? "✓" : "✗" } ?? " "
        let figure = "\(value) \(unit)"
        return "  \(mark) " + name.padding(toLength: max(name.count, 62), withPad: " ", startingAt: 0)
            + figure.padding(toLength: max(figure.count, 18), withPad: " ", startingAt: 0) + limit
    }
}

extension BenchOutput {
    func show(_ bar: FlowBar) { show(json: bar.json, row: bar.row) }
}
