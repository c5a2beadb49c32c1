// SPDX-License-Identifier: Apache-2.0

/// Does something with signals: writes, counts or sends them.
///
/// It is called on the thread that its options name, never on a task's, so it may block: it holds up no other handler that has
/// a thread of its own. With one thread calls come one after the other, in the order of the signals.
public protocol TelemetryHandler: Sendable {
    /// Takes signals; what it throws is counted for all of them, and the next handler goes on.
    ///
    /// One that throws ten times in a row is left alone for a while (``HandlerStatistics/skipped``): what comes meanwhile is lost
    /// to it. One that can keep signals for better times keeps them itself, and does not throw.
    func handle(_ batch: SignalBatch) throws

    /// Brings what it holds back to where it belongs.
    func flush() throws

    /// Ends; nothing comes after.
    func stop()
}

extension TelemetryHandler {
    /// Does nothing.
    public func flush() throws {}

    /// Does nothing.
    public func stop() {}
}
