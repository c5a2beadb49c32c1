// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore

/// What any thread may read of a client, and the sequences that follow its status.
///
/// The driver writes it once a turn, before anybody is resumed: what a call was told is never newer than what
/// it reads here.
final class StatusBoard: Sendable {
    struct Reading: Sendable {
        var status = ConnectionStatus(state: .closed)
        var engine: ClientEngine.Reading
    }

    /// How many statuses wait for one consumer before the oldest go.
    static let bound = 256

    private struct State {
        var reading: Reading
        var followers: [UInt64: Mailbox<ConnectionStatus>] = [:]
        var lastFollower: UInt64 = 0
        var isFinished = false
    }

    private let state: Guarded<State>

    init(at now: Moment) {
        state = Guarded(State(reading: Reading(engine: ClientEngine.Reading(at: now))))
    }

    var status: ConnectionStatus { state.withLock { $0.reading.status } }
    var subscriptions: [String] { state.withLock { $0.reading }.engine.subscriptions }

    func channel(_ name: String) -> SubscriptionStatus? {
        state.withLock { $0.reading.engine.subscription(name) }
    }

    func metrics(at now: Instant) -> ClientMetrics {
        state.withLock { $0.reading }.engine.metrics(at: now)
    }

    /// Changes the reading, and hands `statuses` to whoever follows.
    func update(statuses: [ConnectionStatus], _ change: (inout Reading) -> Void) {
        let followers = state.withLock { state -> [Mailbox<ConnectionStatus>] in
            change(&state.reading)
            guard let last = statuses.last else { return [] }
            state.reading.status = last
            return Array(state.followers.values)
        }
        for follower in followers { follower.put(statuses) }
    }

    /// A mailbox that holds the current status and gets those to come.
    func follow() -> (UInt64, Mailbox<ConnectionStatus>) {
        let mailbox = Mailbox<ConnectionStatus>(bound: Self.bound)
        let id = state.withLock { state in
            state.lastFollower += 1
            mailbox.put([state.reading.status])
            if state.isFinished { mailbox.finish() } else { state.followers[state.lastFollower] = mailbox }
            return state.lastFollower
        }
        return (id, mailbox)
    }

    func unfollow(_ id: UInt64) {
        state.withLock { $0.followers[id] = nil }
    }

    /// The client is gone.
    func finish() {
        let followers = state.withLock { state in
            state.isFinished = true
            defer { state.followers = [:] }
            return Array(state.followers.values)
        }
        for follower in followers { follower.finish() }
    }
}
