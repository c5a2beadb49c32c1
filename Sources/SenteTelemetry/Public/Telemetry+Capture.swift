// SPDX-License-Identifier: Apache-2.0

extension Telemetry {
    /// Runs a closure, and returns the signals that were raised meanwhile, on any thread, and which the filter lets pass.
    ///
    /// Handlers get them too.
    public func capture(_ body: () throws -> Void) rethrows -> [Signal] {
        let capture = beginCapture()
        defer { remove(capture.id) }
        try body()
        return capture.signals
    }

    /// Runs a closure that may wait, and returns the signals that were raised meanwhile, on any thread.
    public func capture(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
    ) async rethrows -> [Signal] {
        let capture = beginCapture()
        defer { remove(capture.id) }
        try await body()
        return capture.signals
    }

    private func beginCapture() -> Capture {
        let capture = Capture()
        add(capture, as: capture.id, HandlerOptions(mode: .synchronous))
        return capture
    }
}

/// Keeps all it is given.
private final class Capture: TelemetryHandler {
    private static let count = SharedWord(0)

    let id = "sente-lite.telemetry/capture-\(count.add(1))"
    private let kept = Gate([Signal]())

    var signals: [Signal] { kept.withLock { $0 } }

    func handle(_ batch: SignalBatch) {
        kept.withLock { $0.append(contentsOf: batch) }
    }
}
