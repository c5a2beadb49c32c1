// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

/// Streams that the server offers, until somebody takes them; each goes to one, who has waited longest.
struct StreamOffers: Sendable {
    private typealias Continuation = CheckedContinuation<StreamHandle?, Never>

    private struct State {
        var offers: [StreamHandle] = []
        var waiters: [(ticket: UInt64, channel: String?, continuation: Continuation)] = []
        var lastTicket: UInt64 = 0
        var isFinished = false
    }

    private let state = LockedValue(State())

    func add(_ handle: StreamHandle) {
        let waiter = state.withLock { state -> Continuation? in
            let place = state.waiters.firstIndex { handle.isOn($0.channel) }
            guard let place else {
                state.offers.append(handle)
                return nil
            }
            return state.waiters.remove(at: place).continuation
        }
        waiter?.resume(returning: handle)
    }

    /// It has ended.
    func remove(_ handle: StreamHandle) {
        state.withLock { $0.offers.removeAll { $0 === handle } }
    }

    func finish() {
        let waiters = state.withLock { state in
            state.isFinished = true
            state.offers = []
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: nil) }
    }

    /// The next one on a channel, or on any; nil when the task is cancelled or the client gone.
    func next(on channel: String?, isolation: isolated (any Actor)?) async -> StreamHandle? {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation(isolation: isolation) { continuation in
                let ready = state.withLock { state -> StreamHandle?? in
                    if state.isFinished || Task.isCancelled { return .some(nil) }
                    if let place = state.offers.firstIndex(where: { $0.isOn(channel) }) {
                        return state.offers.remove(at: place)
                    }
                    state.waiters.append((ticket, channel, continuation))
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
                // The handler may have run before there was anything to cancel.
                if Task.isCancelled { cancel(ticket) }
            }
        } onCancel: {
            cancel(ticket)
        }
    }

    private func cancel(_ ticket: UInt64) {
        let waiter = state.withLock { state -> Continuation? in
            guard let place = state.waiters.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            return state.waiters.remove(at: place).continuation
        }
        waiter?.resume(returning: nil)
    }
}

extension StreamHandle {
    /// Whether it is on a channel; all are on nil.
    fileprivate func isOn(_ channel: String?) -> Bool { channel == nil || opening.channel == channel }
}
