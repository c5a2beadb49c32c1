// SPDX-License-Identifier: Apache-2.0

public import SenteSignals

/// Calls a closure with each signal.
public struct ClosureHandler: TelemetryHandler {
    private let body: @Sendable (Signal) throws -> Void

    /// Makes one; with several threads the closure is called on all of them.
    public init(_ body: @escaping @Sendable (Signal) throws -> Void) {
        self.body = body
    }

    /// Calls the closure with each signal, up to the first for which it throws.
    public func handle(_ batch: SignalBatch) throws {
        for signal in batch { try body(signal) }
    }
}
