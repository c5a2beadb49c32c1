// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteTransport
import SenteWire

/// What any thread may read of a client, and the sequence of its statuses.
///
/// The driver writes it once a turn, before anybody is resumed: what a call was told is never newer than what
/// it reads here.
struct StatusBoard: Sendable {
    struct Snapshot: Sendable {
        var status = ConnectionStatus(state: .closed)
        var engine: ClientEngine.Reading
        /// Of those who follow the statuses; nil as long as nobody ever did.
        fileprivate var statuses: Broadcast<ConnectionStatus>?
        /// Of the channels whose states somebody follows.
        fileprivate var channels: [WireName: Broadcast<SubscriptionState>] = [:]
        fileprivate var isFinished = false

        /// Those who follow these channels; whoever begins to follow one later finds the state in the snapshot.
        mutating func followers(of states: ChannelStates) -> [Broadcast<SubscriptionState>?] {
            states.map { (channel, state) in
                state == .ended ? channels.removeValue(forKey: channel) : channels[channel]
            }
        }
    }

    typealias ChannelStates = [(channel: WireName, state: SubscriptionState)]

    /// How many statuses wait for one consumer before the oldest go.
    static let bound = 256

    private let snapshot: LockedValue<Snapshot>

    init(at now: Moment) {
        snapshot = LockedValue(Snapshot(engine: ClientEngine.Reading(at: now)))
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
        let followers = snapshot.withLock { snapshot -> Broadcast<ConnectionStatus>? in
            change(&snapshot)
            guard let last = new.last else { return nil }
            snapshot.status = last
            return snapshot.statuses
        }
        followers?.send(new)
    }

    /// Hands what became of channels to those who followed them when the snapshot got it.
    static func tell(_ states: ChannelStates, to followers: [Broadcast<SubscriptionState>?]) {
        for (followers, (_, state)) in zip(followers, states) {
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
        snapshot.withLock { snapshot in
            if let known = snapshot.statuses { return known }
            let broadcast = Broadcast(BoundedQueue(latest: Self.bound), current: snapshot.status)
            if snapshot.isFinished { broadcast.finish() }
            snapshot.statuses = broadcast
            return broadcast
        }.makeIterator()
    }

    /// The client is gone.
    func finish() {
        let (statuses, channels) = snapshot.withLock { snapshot in
            snapshot.isFinished = true
            defer { snapshot.channels = [:] }
            return (snapshot.statuses, snapshot.channels.values)
        }
        statuses?.finish()
        for channel in channels { channel.finish() }
    }
}
