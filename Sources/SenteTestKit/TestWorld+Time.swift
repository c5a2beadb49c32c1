// SPDX-License-Identifier: Apache-2.0

public import SenteBase
import SenteTransport

/// The time of a world.
extension TestWorld {
    /// Now, as clients here say it in `retryAt` and `openedAt`.
    public var now: Instant { time.now.instant }

    /// A clock of this time, for the app's own pauses and time limits.
    public var clock: WorldClock { WorldClock(time, pump) }

    /// Runs `body`, and moves the time to what is due next whenever everybody waits.
    ///
    /// `body` and its child tasks run on `executor`; on systems that have none they run on the ordinary one.
    ///
    /// - Parameters:
    ///   - limit: How much time may pass meanwhile. The default is an hour.
    ///   - body: What to run.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws; a ``TestFailure`` when it has not returned within the limit, or waits for what cannot
    ///   happen.
    public func run<Result: Sendable>(
        within limit: Duration = .seconds(3_600), _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        // What was begun outside has come to rest before.
        await settle()
        let result = LockedValue<Swift.Result<Result, any Error>?>(nil)
        let running = app.start {
            let outcome: Swift.Result<Result, any Error>
            do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
            result.withLock { $0 = outcome }
        }
        let outcome = await pump.wait(until: now.advanced(by: limit)) { result.withLock { $0 != nil } }
        if let result = result.withLock({ $0 }) { return try result.get() }
        running.cancel()
        throw TestFailure(outcome, "The end of what runs", within: limit)
            ?? TestFailure(.timedOut, "What runs has not ended.")
    }

    /// Moves the time until a condition holds.
    ///
    /// The condition is looked at whenever everybody waits, on the main queue.
    ///
    /// - Parameters:
    ///   - what: What is waited for, for the failure's sentence.
    ///   - limit: How much time may pass. The default is 10 minutes.
    ///   - isReached: The condition.
    /// - Throws: A ``TestFailure`` when it did not hold within the limit, or never will.
    public func run(
        until what: String = "What was waited for", within limit: Duration = .seconds(600),
        _ isReached: @escaping @Sendable () -> Bool
    ) async throws(TestFailure) {
        let outcome = await pump.wait(until: now.advanced(by: limit), or: isReached)
        if let failure = TestFailure(outcome, what, within: limit) { throw failure }
    }

    /// Moves the time; what is due on the way happens.
    ///
    /// It returns earlier only when its task is cancelled.
    public func advance(by duration: Duration) async {
        _ = await pump.wait(until: now.advanced(by: duration))
    }

    /// Lets everything happen that needs no time.
    public func settle() async {
        await advance(by: .zero)
    }

    /// The system stops the app, as in the background, and time passes.
    ///
    /// Clients do nothing meanwhile, nor do tasks on `executor`. Servers go on, and messages come as far as the device.
    /// Then the app goes on, later.
    ///
    /// The main actor cannot be stopped: what runs there must wait by itself.
    public func suspendApp(for duration: Duration) async {
        await settle()
        time.post(.world) { [time] in time.setSuspended(true) }
        let end = now.advanced(by: duration)
        // Before whoever waits for the same instant.
        let ticket = time.add(.world, at: end) { [time] in time.setSuspended(false) }
        _ = await pump.wait(until: end)
        time.remove(ticket)
        time.setSuspended(false)
    }
}
