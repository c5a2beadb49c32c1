// SPDX-License-Identifier: Apache-2.0

public import SenteWire

extension Telemetry {
    /// Runs a closure; all signals of its task, from any source, carry these values beside those that held before.
    public func withContext<Result>(_ context: ValueMap, _ body: () throws -> Result) rethrows -> Result {
        try Surroundings.within((Surroundings.present ?? Surroundings()).adding(context), body)
    }

    /// Runs a closure that may wait; all signals of its task carry these values beside those that held before.
    public func withContext<Result>(
        _ context: ValueMap, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
    ) async rethrows -> Result {
        try await Surroundings.within((Surroundings.present ?? Surroundings()).adding(context), body)
    }

    /// Runs a closure; all signals of its task belong to this step of a trace, or to none with nil.
    public func withTrace<Result>(_ trace: TraceContext?, _ body: () throws -> Result) rethrows -> Result {
        try Surroundings.within((Surroundings.present ?? Surroundings()).with(trace), body)
    }

    /// Runs a closure that may wait; all signals of its task belong to this step of a trace, or to none with nil.
    public func withTrace<Result>(
        _ trace: TraceContext?, isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        try await Surroundings.within((Surroundings.present ?? Surroundings()).with(trace), body)
    }

    /// Runs a closure that may wait with no context and in no trace, for a task that lives longer than what started it.
    package static func withoutSurroundings(_ body: () async -> Void) async {
        await Surroundings.within(Surroundings.present == nil ? nil : Surroundings(), body)
    }

    /// The step of a trace that the code that runs belongs to, to be handed on to other processes.
    public static var currentTrace: TraceContext? { Surroundings.present?.trace }
}
