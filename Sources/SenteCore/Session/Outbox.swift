// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// What is not yet on a link: neutral messages in three lanes, bounded together in number, bytes and time.
///
/// A message leaves once: to a link, by its time to live, by cancellation, or by the overflow policy. The more urgent lane
/// goes first; within a lane the order is that of the calls. Durable ones know no time to live, nobody takes their place, and
/// those whose link ends under them come back. What goes again in a session is like them while that goes on.
package struct Outbox: Sendable {
    package struct Item: Sendable {
        package var call: CallID
        package var outbound: Outbound
        package var priority: SendOptions.Priority
        package var weight: Int
        package var queuedAt: Instant
        package var expires: Instant?
        package var isDurable: Bool
        /// Its place among all that left.
        fileprivate var departure = 0
        /// It has been on a link, whole.
        fileprivate var wasSent = false
        /// It waits for another to leave first.
        fileprivate var isAside = false
        /// It was on an earlier link whole, and its session goes on.
        fileprivate(set) var isRepeat = false
        /// How many links the server closed while parts of it came.
        fileprivate(set) var closings = 0
        fileprivate var key: CoalescingKey?
        /// It knows no time to live, and nobody takes its place.
        fileprivate var isStaying: Bool { isDurable || isRepeat }
    }

    package enum Insertion: Equatable {
        case accepted
        /// The message finds no room; the call gets this code.
        case refused(SenteError.Code)
    }

    package let policy: OutboxPolicy
    private var items: [CallID: Item] = [:]
    private var lanes = Lanes()
    /// All but those that stay, the oldest first; each has the same time to live, so the head expires first.
    private var ages = Queue<CallID>()
    /// Durable ones that left and are not done, and large ones that have not left whole; they take their room until then.
    private var underWay: [CallID: Item] = [:]
    /// Those that wait for another to leave first, in their order.
    private var aside = Queue<CallID>()
    private var asideCount = 0
    private var departures = 0
    /// Who waits for each key, with `.coalesce`.
    private var holders: [CoalescingKey: CallID] = [:]
    package private(set) var bytes = 0
    /// Those of messages that count apart.
    private var largeBytes = 0
    /// How many entries were passed over or moved since the beginning, for tests of what a step costs.
    package private(set) var steps = 0

    package init(policy: OutboxPolicy) {
        self.policy = policy
    }

    package var count: Int { items.count + underWay.count }
    /// Nothing waits that could leave.
    package var isEmpty: Bool { items.count == asideCount }
    package var load: OutboxPolicy.Load {
        OutboxPolicy.Load(messages: count, bytes: bytes - largeBytes, largeBytes: largeBytes)
    }
    package var deadline: Instant? { oldest?.expires }
    package var oldest: Item? { items.isEmpty ? nil : ages.first.flatMap { items[$0] } }
    package var oldestQueuedAt: Instant? { oldest?.queuedAt }

    package func contains(_ call: CallID) -> Bool { items[call] != nil }

    /// Queues a message.
    ///
    /// `dropped` receives what the policy threw out to make room, with the reason.
    package mutating func insert(
        _ outbound: Outbound, for call: CallID, _ options: SendOptions = SendOptions(), largest: Int = 0,
        at now: Instant,
        dropped: inout [(CallID, SenteError.Code)]
    ) -> Insertion {
        let weight = outbound.weight
        let key = policy.overflow == .coalesce && !options.durable ? CoalescingKey(outbound) : nil
        let older = key.flatMap { holders[$0] }
        if let code = makeRoom(for: weight, largest: largest, replacing: older, dropped: &dropped) {
            return .refused(code)
        }
        if let older, remove(older) != nil { dropped.append((older, .superseded)) }
        if let key { holders[key] = call }
        add(outbound, for: call, options, at: now, key)
        return .accepted
    }

    /// Keeps no room for messages that are gone.
    package mutating func giveBackMemory() {
        if items.isEmpty {
            items = [:]
            lanes = Lanes()
        }
        if underWay.isEmpty { underWay = [:] }
        if ages.isEmpty { ages = Queue() }
    }

    /// Puts messages before all others of their lanes that did not leave after all; they had their room, so nothing is asked of the
    /// bounds.
    mutating func putBack(_ messages: [Leaving]) {
        guard !messages.isEmpty else { return }
        takeIn(messages)
        lanes.prepend(messages.map { ($0.call, $0.priority) })
    }

    private mutating func takeIn(_ messages: [Leaving]) {
        var older = Queue<CallID>()
        for message in messages {
            // One that is under way has its room still.
            if var item = underWay.removeValue(forKey: message.call) {
                item.priority = message.priority
                items[message.call] = item
                if !item.isStaying { older.append(message.call) }
                continue
            }
            let item = Item(message, policy)
            items[message.call] = item
            weigh(message.weight, 1)
            if !item.isStaying { older.append(message.call) }
        }
        for call in ages { older.append(call) }
        ages = older
    }

    /// Queues a message that was accepted in an earlier life, whatever waits.
    package mutating func restore(
        _ outbound: Outbound, for call: CallID, _ options: SendOptions, at now: Instant
    ) {
        add(outbound, for: call, options, at: now, nil)
    }

    private mutating func add(
        _ outbound: Outbound, for call: CallID, _ options: SendOptions, at now: Instant, _ key: CoalescingKey?
    ) {
        let item = Item(outbound, for: call, options, at: now, policy, key)
        items[call] = item
        lanes.append(call, to: item.priority)
        if !item.isDurable { ages.append(call) }
        weigh(item.weight, 1)
    }

    private mutating func weigh(_ weight: Int, _ sign: Int) {
        bytes += sign * weight
        if policy.isLarge(weight) { largeBytes += sign * weight }
    }

    /// Takes the message whose turn it is.
    package mutating func popNext() -> Item? { popNext(behind: []) }

    /// Takes the message whose turn it is; those that would overtake one of `others` step aside.
    mutating func popNext(behind others: [LargeMessages.Ahead]) -> Item? {
        while true {
            guard let next = lanes.inTurn(passingOver: &steps, { items[$0] != nil }).flatMap({ items[$0] })
            else { return nil }
            // Behind one that stands aside on its channel none goes.
            let weight = aside.isEmpty ? next.weight : 0
            guard !others.isEmpty, others.hold(next.outbound, weight, next.priority) else {
                return take(next)
            }
            lanes.stepAside(next.priority)
            items[next.call]?.isAside = true
            aside.append(next.call)
            asideCount += 1
        }
    }

    /// Messages that were about to leave have to wait for another.
    mutating func setAside(_ messages: [Leaving]) {
        guard !messages.isEmpty else { return }
        takeIn(messages)
        for message in messages {
            items[message.call]?.isAside = true
            aside.append(message.call)
        }
        asideCount += messages.count
    }

    /// What had to wait for another to leave may leave now.
    mutating func endAside() {
        guard !aside.isEmpty else { return }
        let back = aside.drain().compactMap { items[$0]?.isAside == true ? items[$0] : nil }
        for item in back { items[item.call]?.isAside = false }
        asideCount = 0
        lanes.prepend(back.map { ($0.call, $0.priority) })
    }

    private mutating func take(_ next: Item) -> Item? {
        lanes.leaves(next.priority, weighing: next.weight)
        guard let item = remove(next.call) else { return nil }
        if item.isDurable { keep(item) }
        return item
    }

    /// Takes the oldest message, whatever its priority.
    package mutating func popOldest() -> Item? {
        ages.first.flatMap { remove($0) }
    }

    // MARK: Durable messages

    /// A durable message leaves without having waited.
    package mutating func keep(
        _ outbound: Outbound, for call: CallID, _ options: SendOptions, at now: Instant
    ) {
        keep(Item(outbound, for: call, options, at: now, policy, nil))
    }

    private mutating func keep(_ item: Item) {
        departures += 1
        underWay[item.call] = item
        underWay[item.call]?.departure = departures
        weigh(item.weight, 1)
    }

    /// A durable message is done.
    package mutating func settle(_ call: CallID) {
        if let item = underWay.removeValue(forKey: call) { weigh(item.weight, -1) }
        _ = remove(call)
    }

    // MARK: Large messages

    /// A large message begins to leave, which takes its time: until it has left whole it takes its room.
    mutating func keepRoom(for message: Leaving) {
        if underWay[message.call] == nil { keep(Item(message, policy)) }
    }

    /// A large message has left, or goes no further.
    mutating func giveRoom(of call: CallID) {
        guard let item = underWay[call], !item.isDurable else { return }
        underWay[call] = nil
        weigh(item.weight, -1)
    }

    // MARK: What goes again

    /// The session that they went again in is over: they wait like any other.
    mutating func endRepeats() {
        let repeats = items.values.filter(\.isRepeat)
        guard !repeats.isEmpty else { return }
        for item in repeats { items[item.call]?.isRepeat = false }
        var older = Queue<CallID>()
        for item in repeats.sorted(by: { $0.queuedAt < $1.queuedAt }) { older.append(item.call) }
        for call in ages { older.append(call) }
        ages = older
    }

    /// The server closed a link while parts of a message came, which waits again; how many links that makes.
    mutating func blame(_ call: CallID) -> Int {
        items[call]?.closings += 1
        return items[call]?.closings ?? 0
    }

    /// The link ended: durable ones that it had wait again, in their order and before all others of their lanes.
    package mutating func takeBack() -> [CallID] {
        let returned = underWay.values.sorted { $0.departure < $1.departure }
        underWay = [:]
        for item in returned {
            items[item.call] = item
            items[item.call]?.wasSent = true
        }
        lanes.prepend(returned.map { ($0.call, $0.priority) })
        return returned.map(\.call)
    }

    /// Whether a message that waits has been on a link before.
    package func hasLeft(_ call: CallID) -> Bool { (items[call] ?? underWay[call])?.wasSent == true }

    // MARK: Leaving

    package mutating func remove(_ call: CallID) -> Item? {
        guard let item = items.removeValue(forKey: call) else { return nil }
        if item.isAside { asideCount -= 1 } else { lanes.removed(from: item.priority) }
        weigh(item.weight, -1)
        if let key = item.key { holders[key] = nil }
        skipRemoved()
        return item
    }

    /// Takes the oldest message if its time to live has passed.
    package mutating func popExpired(at now: Instant) -> Item? {
        guard let expires = deadline, expires <= now else { return nil }
        return popOldest()
    }

    /// Why there is no room, when the policy can make none.
    private mutating func makeRoom(
        for weight: Int, largest: Int, replacing older: CallID?, dropped: inout [(CallID, SenteError.Code)]
    ) -> SenteError.Code? {
        let replaced = older.flatMap { items[$0] }
        while true {
            let older = replaced.map { policy.load(of: $0.weight) } ?? OutboxPolicy.Load()
            switch policy.admission(of: weight, beside: load - older, largest: largest) {
            // Those who cannot wait were refused before they came here.
            case .accepted, .waits: return nil
            case .refused(let code): return code
            case .replacesOldest:
                guard let first = popOldest() else { return .outboxFull }
                dropped.append((first.call, .dropped))
            }
        }
    }

    private mutating func skipRemoved() {
        while let first = ages.first, items[first] == nil {
            _ = ages.popFirst()
            steps += 1
        }
        if asideCount == 0, !aside.isEmpty { aside = Queue() }
        // Removed ones must not pile up behind a head that waits.
        guard max(ages.count, lanes.count) > 2 * max(items.count, 32) else { return }
        steps += ages.count + lanes.count
        let items = items
        ages.removeAll { items[$0] == nil }
        lanes.removeAll { items[$0] == nil }
    }
}

extension Outbox.Item {
    fileprivate init(_ message: Leaving, _ policy: OutboxPolicy) {
        self.init(
            message.outbound, for: message.call, SendOptions(priority: message.priority),
            at: message.queuedAt, policy, nil)
        isRepeat = message.isRepeat
        closings = message.closings
    }

    fileprivate init(
        _ outbound: Outbound, for call: CallID, _ options: SendOptions, at now: Instant,
        _ policy: OutboxPolicy,
        _ key: CoalescingKey?
    ) {
        self.call = call
        self.outbound = outbound
        self.key = key
        priority = options.priority
        isDurable = options.durable
        weight = outbound.weight
        queuedAt = now
        expires = policy.timeToLive.map { now.advanced(by: $0) }
    }
}

/// What makes two waiting messages the same, for `.coalesce`.
private enum CoalescingKey: Hashable {
    case channel(WireName)
    case event(Keyword)

    init?(_ outbound: Outbound) {
        switch outbound {
        case .publish(let channel, _, _): self = .channel(WireName(channel))
        case .event(let event, callback: nil): self = .event(event.id)
        case .headed(_, let outbound): self.init(outbound)
        case .event, .identified, .traced, .subscribe, .unsubscribe, .request, .answer, .ping, .pong,
            .listChannels,
            .listSubscriptions, .flow, .jetStream:
            return nil
        }
    }
}
