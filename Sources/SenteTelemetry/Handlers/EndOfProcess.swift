// SPDX-License-Identifier: Apache-2.0

/// What ends with the process, if nobody ends it before.
///
/// A telemetry that has a thread is kept until it is stopped, for the thread needs it. One that has none ends when nobody holds
/// it, so only its handlers stand here.
enum EndOfProcess {
    private struct Open {
        var telemetries: [UInt64: Telemetry] = [:]
        var handlers: [ObjectIdentifier: HandlerSlot] = [:]
    }

    private static let open = Gate(Open())
    private static let isWatched: Void = SystemThread.atExit { EndOfProcess.end() }

    static func add(_ telemetry: Telemetry) {
        _ = isWatched
        open.withLock { $0.telemetries[telemetry.number] = telemetry }
    }

    static func remove(_ telemetry: Telemetry) {
        // Its deinit may not run under the lock.
        _ = open.withLock { $0.telemetries.removeValue(forKey: telemetry.number) }
    }

    /// Adds a handler that its callers run.
    static func add(_ handler: HandlerSlot) {
        _ = isWatched
        open.withLock { $0.handlers[ObjectIdentifier(handler)] = handler }
    }

    static func remove(_ handler: HandlerSlot) {
        open.withLock { $0.handlers[ObjectIdentifier(handler)] = nil }
    }

    /// An app that ends without `stop` gets what a second is good for.
    private static func end() {
        let deadline = Clock.after(.seconds(1))
        for telemetry in open.withLock({ Array($0.telemetries.values) }) {
            telemetry.stopNow(until: deadline)
        }
        for handler in open.withLock({ Array($0.handlers.values) }) {
            handler.endSynchronously(until: deadline)
        }
    }
}
