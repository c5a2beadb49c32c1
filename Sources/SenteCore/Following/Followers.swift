// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// The handles that follow streams, each along its own way.
///
/// A handle is its own wish, whose name no channel has: `channel >number`, the inbox's.
package struct Followers: Sendable {
    struct Entry: Sendable {
        var follower: ChannelFollower
        let inbox: InboxID
        let wish: WireName
        /// Where it stands among the wishes.
        let place: UInt64
        var status = SubscriptionStatus()
        /// The call that waits for the server's word.
        var waiter: CallID?
    }

    private var entries: [UInt32: Entry] = [:]
    private var ids: [InboxID: UInt32] = [:]
    private var wishes: [WireName: UInt32] = [:]
    /// When to look at each; it may have moved on by then.
    private var alarms = DeadlineQueue<UInt32>()
    private var times: [UInt32: (due: Instant, ticket: DeadlineQueue<UInt32>.Ticket)] = [:]
    /// Those that go on when their apps have consumed.
    private var waiting: Set<UInt32> = []
    private var lastID: UInt32 = 0

    package init() {}

    /// By what the session knows the wish of a handle.
    package static func wish(_ channel: String, _ inbox: InboxID) -> String {
        NATSWish(subject: channel, group: ">\(inbox.number)").name
    }

    package var isEmpty: Bool { entries.isEmpty }
    package var deadline: Instant? { alarms.earliest }
    /// Whether one of them waits for its app to consume.
    var awaitConsumption: Bool { !waiting.isEmpty }
    var all: [UInt32] { entries.keys.sorted() }

    subscript(id: UInt32) -> Entry? { entries[id] }

    func id(of inbox: InboxID) -> UInt32? { ids.isEmpty ? nil : ids[inbox] }

    /// Where the messages of a try go; nil when its follower is at another, or is no more.
    ///
    /// An entry would do, but who keeps one while its follower changes copies all that is held with each message.
    func inbox(trying number: UInt64) -> InboxID? {
        guard let index = entries.index(forKey: ChannelFollower.id(of: number)),
            entries.values[index].follower.number == number
        else { return nil }
        return entries.values[index].inbox
    }

    /// The inboxes of those that follow a channel.
    func inboxes(of channel: String) -> [InboxID] {
        all.compactMap { entries[$0] }.filter { WireName($0.follower.channel) == WireName(channel) }.map(
            \.inbox)
    }

    func status(of wish: WireName) -> WishStatus? {
        guard !wishes.isEmpty, let entry = wishes[wish].flatMap({ entries[$0] }) else { return nil }
        return WishStatus(place: entry.place, status: entry.status)
    }

    mutating func add(
        _ channel: String, from start: ChannelStart, _ inbox: InboxID, place: UInt64, at now: Instant
    ) -> UInt32 {
        lastID &+= 1
        let wish = WireName(Self.wish(channel, inbox))
        entries[lastID] = Entry(
            follower: ChannelFollower(channel, from: start, id: lastID, at: now), inbox: inbox, wish: wish,
            place: place)
        ids[inbox] = lastID
        wishes[wish] = lastID
        return lastID
    }

    mutating func remove(_ id: UInt32) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        ids[entry.inbox] = nil
        wishes[entry.wish] = nil
        waiting.remove(id)
        if let time = times.removeValue(forKey: id) { alarms.remove(time.ticket) }
    }

    mutating func set(_ status: SubscriptionStatus, of id: UInt32) { entries[id]?.status = status }

    mutating func wait(_ call: CallID, for id: UInt32) { entries[id]?.waiter = call }

    mutating func takeWaiter(of id: UInt32) -> CallID? { entries[id]?.waiter.take() }

    /// Something happened to one of them.
    mutating func change(
        _ id: UInt32, _ body: (inout ChannelFollower, inout [ChannelFollower.Action]) -> Void
    ) -> [ChannelFollower.Action] {
        guard let index = entries.index(forKey: id) else { return [] }
        var actions: [ChannelFollower.Action] = []
        body(&entries.values[index].follower, &actions)
        setAlarm(id, entries.values[index].follower.deadline)
        if entries.values[index].follower.awaitsRoom {
            waiting.insert(id)
        } else if !waiting.isEmpty {
            waiting.remove(id)
        }
        return actions
    }

    /// One whose time may have come; `change` is to follow, which sets the next.
    mutating func popDue(at now: Instant) -> UInt32? {
        guard let id = alarms.take(by: now) else { return nil }
        times[id] = nil
        return id
    }

    /// A deadline that has moved on, as each message moves it, is looked at when the old one has come.
    private mutating func setAlarm(_ id: UInt32, _ deadline: Instant?) {
        guard let deadline else {
            if let time = times.removeValue(forKey: id) { alarms.remove(time.ticket) }
            return
        }
        if let time = times[id] {
            guard deadline < time.due else { return }
            alarms.remove(time.ticket)
        }
        times[id] = (deadline, alarms.add(id, due: deadline))
    }
}
