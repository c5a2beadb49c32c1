// SPDX-License-Identifier: Apache-2.0

public import SenteBase
import SenteTransport

/// A clock whose time is a world's.
public struct WorldClock: Clock {
    /// The instants of clients.
    public typealias Instant = SenteBase.Instant

    private let time: VirtualTime
    private let pump: Pump

    init(_ time: VirtualTime, _ pump: Pump) {
        self.time = time
        self.pump = pump
    }

    /// Now, in the world.
    public var now: Instant { time.now.instant }
    /// No sleep is shorter in effect than what was asked for.
    public var minimumResolution: Duration { .nanoseconds(1) }

    /// Waits until the world's time has come there; throws `CancellationError` when the task is cancelled.
    public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        try Task.checkCancellation()
        let sleeper = Sleeper()
        let ticket = time.add(.app, at: max(deadline, now)) { [pump] in
            pump.wasTold()
            sleeper.wake(true)
        }
        let isOver = await withTaskCancellationHandler {
            await sleeper.wait(isolation: #isolation)
        } onCancel: {
            sleeper.wake(false)
        }
        time.remove(ticket)
        if !isOver { throw CancellationError() }
    }
}

/// Who sleeps, and whether it was woken because its time had come.
private final class Sleeper: Sendable {
    private enum State: Sendable {
        case awake
        case asleep(CheckedContinuation<Bool, Never>)
        case woken(Bool)
    }

    private let state = LockedValue(State.awake)

    func wait(isolation: isolated (any Actor)?) async -> Bool {
        await withCheckedContinuation(isolation: isolation) { continuation in
            let early = state.withLock { state -> Bool? in
                if case .woken(let isOver) = state { return isOver }
                state = .asleep(continuation)
                return nil
            }
            if let early { continuation.resume(returning: early) }
        }
    }

    func wake(_ isOver: Bool) {
        let sleeper = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            defer { if case .woken = state {} else { state = .woken(isOver) } }
            if case .asleep(let continuation) = state { return continuation }
            return nil
        }
        sleeper?.resume(returning: isOver)
    }
}
