// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// The messages that streams are to keep, until each is kept or refused or its call gives up.
///
/// While nobody can say whether a message is kept it goes again, with the same id, so that the stream keeps it once: after
/// 503, after silence, and over the next link. Of one channel one is under way and the others wait behind it, so that none
/// overtakes another that has to go again.
package struct StoredPublishes: Sendable {
    /// How long an answer is waited for before the message goes again.
    package static let patience: Duration = .seconds(2)
    /// How long a message rests that nobody had: so long and half as much again at most.
    package static let rest: Duration = .milliseconds(200)

    private enum Phase: Sendable {
        /// Behind another of its channel.
        case waiting
        /// To go as soon as the link takes it.
        case ready
        /// On the link, or resting before it goes again.
        case underWay(DeadlineQueue<UInt64>.Ticket)
    }

    private struct Item: Sendable {
        let call: CallID
        let outbound: Outbound
        let channel: WireName
        var phase = Phase.waiting
        /// It has been on a link.
        var wasSent = false
        /// Why it goes again.
        var trouble: String?
    }

    /// What is known of a message whose call ends.
    package struct End: Equatable, Sendable {
        package var call: CallID
        package var wasSent: Bool
        package var trouble: String?
    }

    private var items: [UInt64: Item] = [:]
    private var tokens: [CallID: UInt64] = [:]
    /// Ascending; the first of each is under way.
    private var lines: [WireName: Queue<UInt64>] = [:]
    private var ready = Queue<UInt64>()
    private var due = DeadlineQueue<UInt64>()
    private var lastToken: UInt64 = 0
    private var bytes = 0

    package init() {}

    package var isEmpty: Bool { items.isEmpty }
    package var deadline: Instant? { due.earliest }
    package var load: OutboxPolicy.Load { OutboxPolicy.Load(messages: items.count, bytes: bytes) }

    /// The name for the next message.
    package mutating func nextToken() -> UInt64 {
        lastToken += 1
        return lastToken
    }

    package mutating func add(_ outbound: Outbound, as token: UInt64, for call: CallID, in channel: WireName)
    {
        items[token] = Item(call: call, outbound: outbound, channel: channel)
        tokens[call] = token
        bytes += outbound.weight
        lines[channel, default: Queue()].append(token)
        if lines[channel]?.count == 1 { makeReady(token) }
    }

    /// The next message that is to go, which is then on the link.
    package mutating func popReady(at now: Instant) -> (call: CallID, outbound: Outbound, wasSent: Bool)? {
        while let token = ready.popFirst() {
            guard var item = items[token], case .ready = item.phase else { continue }
            item.phase = .underWay(due.add(token, due: now.advanced(by: Self.patience)))
            let wasSent = item.wasSent
            item.wasSent = true
            items[token] = item
            return (item.call, item.outbound, wasSent)
        }
        return nil
    }

    /// Silence was long enough, or a rest is over: those messages go again.
    package mutating func wake(at now: Instant) {
        while let token = due.take(by: now) { makeReady(token) }
    }

    /// Nobody has the message for now.
    package mutating func rest(
        _ token: UInt64, because trouble: String, at now: Instant, using random: inout Generator
    ) {
        guard case .underWay(let ticket)? = items[token]?.phase else { return }
        due.remove(ticket)
        let jitter = Duration.milliseconds(Int64.random(in: 0...100, using: &random))
        items[token]?.phase = .underWay(due.add(token, due: now.advanced(by: Self.rest + jitter)))
        items[token]?.trouble = trouble
    }

    /// The link is gone, and with it the answers that were under way.
    package mutating func linkEnded() {
        due = DeadlineQueue()
        ready = Queue()
        for token in items.keys.sorted() {
            guard let item = items[token] else { continue }
            if case .waiting = item.phase { continue }
            if item.wasSent { items[token]?.trouble = "The connection was lost before the answer came." }
            makeReady(token)
        }
    }

    package func call(of token: UInt64) -> CallID? { items[token]?.call }

    /// The call is over; the next of its channel may go.
    package mutating func end(_ call: CallID) -> End? {
        guard let token = tokens.removeValue(forKey: call), let item = items.removeValue(forKey: token) else {
            return nil
        }
        if case .underWay(let ticket) = item.phase { due.remove(ticket) }
        bytes -= item.outbound.weight
        leaveLine(token, of: item.channel)
        return End(call: call, wasSent: item.wasSent, trouble: item.trouble)
    }

    /// All that are not done, in their order.
    package var calls: [CallID] { items.sorted { $0.key < $1.key }.map(\.value.call) }

    private mutating func leaveLine(_ token: UInt64, of channel: WireName) {
        guard let index = lines.index(forKey: channel) else { return }
        let place = lines.values[index].partitioningIndex { $0 >= token }
        if place < lines.values[index].count { _ = lines.values[index].remove(at: place) }
        guard let next = lines.values[index].first else {
            lines.remove(at: index)
            return
        }
        if case .waiting? = items[next]?.phase { makeReady(next) }
    }

    private mutating func makeReady(_ token: UInt64) {
        items[token]?.phase = .ready
        ready.append(token)
    }
}
