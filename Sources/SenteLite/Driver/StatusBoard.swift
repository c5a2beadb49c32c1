// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteTransport
import SenteWire

/// What any thread may read of a client, and the sequence of its statuses.
///
/// The driver writes it once a turn, before anybody is resumed: what a call was told is never newer than what
/// it reads here.
final class StatusBoard: Sendable {
    struct Snapshot: Sendable {
        var status = ConnectionStatus(state: .closed)
        var engine: ClientEngine.Reading
        /// Of the channels whose states somebody follows.
        fileprivate var channels: [WireName: Broadcast<SubscriptionState>] = [:]
    }

    /// How many statuses wait for one consumer before the oldest go.
    static let bound = 256

    private let snapshot: LockedValue<Snapshot>
    private let statuses: Broadcast<ConnectionStatus>

    init(at now: Moment) {
        let first = Snapshot(engine: ClientEngine.Reading(at: now))
        snapshot = LockedValue(first)
        statuses = Broadcast(BoundedQueue(latest: Self.bound), current: first.status)
    }

    var status: ConnectionStatus { snapshot.withLock { $0.status } }
    var state: ConnectionState { snapshot.withLock { $0.status.state } }
    var format: WireFormat? { snapshot.withLock { $0.status.format } }
    // Sorted or counted outside: the loop must not wait for it.
    var subscriptions: [String] { snapshot.withLock { $0 }.engine.subscriptions }

    func channel(_ name: String) -> SubscriptionStatus? {
        snapshot.withLock { $0.engine.subscription(name) }
    }

    func metrics(at now: Instant) -> ClientMetrics {
        snapshot.withLock { $0 }.engine.metrics(at: now)
    }

    /// Changes the snapshot, and hands `statuses` to whoever follows.
    func update(statuses new: [ConnectionStatus], _ change: (inout Snapshot) -> Void) {
        snapshot.withLock { snapshot in
            change(&snapshot)
            if let last = new.last { snapshot.status = last }
        }
        if !new.isEmpty { statuses.send(new) }
    }

    /// Hands what became of channels to whoever follows them, after the snapshot has it.
    func tell(_ states: [(channel: WireName, state: SubscriptionState)]) {
        for (channel, state) in states {
            let followers = snapshot.withLock { snapshot in
                state == .ended
                    ? snapshot.channels.removeValue(forKey: channel) : snapshot.channels[channel]
            }
            followers?.send([state])
            if state == .ended { followers?.finish() }
        }
    }

    /// The states of a channel that nobody wishes for.
    static var ended: Broadcast<SubscriptionState> {
        let states = Broadcast(BoundedQueue(latest: 1), current: SubscriptionState.ended)
        states.finish()
        return states
    }

    /// Follows the states of a channel: the current one first.
    func states(of channel: String) -> MailboxIterator<SubscriptionState> {
        snapshot.withLock { snapshot in
            let name = WireName(channel)
            if let known = snapshot.channels[name] { return known }
            guard let state = snapshot.engine.subscription(channel)?.state else { return Self.ended }
            let broadcast = Broadcast(BoundedQueue(latest: Self.bound), current: state)
            snapshot.channels[name] = broadcast
            return broadcast
        }.makeIterator()
    }

    /// Follows the statuses: the current one first.
    func makeIterator() -> MailboxIterator<ConnectionStatus> {
        statuses.makeIterator()
    }

    /// The client is gone.
    func finish() {
        statuses.finish()
        let channels = snapshot.withLock { snapshot in
            defer { snapshot.channels = [:] }
            return snapshot.channels.values
        }
        for channel in channels { channel.finish() }
    }
}
