// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import SenteWire

/// What holds around the code that runs: context for its signals, and the step of a trace.
struct Surroundings: Sendable {
    private var context = ValueMap()
    private(set) var encoded: EncodedContext?
    private(set) var trace: TraceContext?

    @TaskLocal private static var current: Surroundings?
    /// Whether there ever were any: a task local takes 25 ns to read, a third of a signal.
    static let everSet = SharedWord(0)

    /// Those of the code that runs.
    static var present: Surroundings? { everSet.value == 0 ? nil : current }

    func adding(_ more: ValueMap) -> Surroundings {
        var result = self
        for (key, value) in more { result.context[key] = value }
        result.encoded = EncodedContext(result.context)
        return result
    }

    func with(_ trace: TraceContext?) -> Surroundings {
        var result = self
        result.trace = trace
        return result
    }

    /// The next step of the trace; nil if there is none.
    func child() -> Surroundings? {
        guard let trace else { return nil }
        return with(
            TraceContext(
                traceID: trace.traceID, spanID: .random(in: 1...UInt64.max), isSampled: trace.isSampled,
                state: trace.state))
    }

    static func within<R>(_ surroundings: Surroundings?, _ body: () throws -> R) rethrows -> R {
        guard let surroundings else { return try body() }
        everSet.value = 1
        return try $current.withValue(surroundings, operation: body)
    }

    static func within<R>(
        _ surroundings: Surroundings?, isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> R
    ) async rethrows -> R {
        guard let surroundings else { return try await body() }
        everSet.value = 1
        return try await $current.withValue(surroundings, operation: body)
    }
}
