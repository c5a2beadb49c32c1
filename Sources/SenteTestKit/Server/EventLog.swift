// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

/// The application events that came to a server on a real port, and those who wait for one.
final class EventLog: Sendable {
    private struct State {
        var events: [Event] = []
        var waiters: [UInt64: AsyncStream<Event>.Continuation] = [:]
        var lastWaiter: UInt64 = 0
    }

    private let state = LockedValue(State())

    var events: [Event] { state.withLock { $0.events } }

    func append(_ event: Event) {
        let waiters = state.withLock { state in
            state.events.append(event)
            return state.waiters.values.map(\.self)
        }
        for waiter in waiters { waiter.yield(event) }
    }

    /// Waits until an event has come for which `isWanted` holds; the latest, or nil when the time is up or the task is cancelled.
    func latest(within limit: Duration, where isWanted: (Event) -> Bool) async -> Event? {
        let (arrivals, arrival) = AsyncStream.makeStream(of: Event.self)
        let (number, earlier) = state.withLock { state in
            state.lastWaiter += 1
            state.waiters[state.lastWaiter] = arrival
            return (state.lastWaiter, state.events.last(where: isWanted))
        }
        let timer = Task {
            try await Task.sleep(for: limit)
            arrival.finish()
        }
        defer {
            timer.cancel()
            state.withLock { _ = $0.waiters.removeValue(forKey: number) }
        }
        if let earlier { return earlier }
        for await event in arrivals where isWanted(event) { return event }
        return nil
    }
}
