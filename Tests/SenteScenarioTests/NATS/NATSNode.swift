// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// One node of a cluster: its clients, their subscriptions, and what it knows of the other nodes' interest.
///
/// A pure value, written from what was measured on servers: it answers in order, a `-ERR` stands before the `PONG` of its
/// segment, of a group one member gets a message over all nodes, and whoever asks where nobody listens is told 503 at once.
struct NATSNode {
    /// Who hears what matches.
    enum Listener: Hashable {
        case client(Int, sid: String)
        /// The leader of the stream, within the node.
        case stream
        /// What asks streams questions; each node has it for itself.
        case api
        case consumer(Int)
    }

    struct Subscription {
        let listener: Listener
        let pattern: NATSPattern
        let group: String?

        var name: String { group.map { "\(pattern.text) \($0)" } ?? pattern.text }
    }

    struct Client {
        var reading = NATSReading()
        var isIntroduced = false
        /// Whether it is told that nobody listens.
        var hearsOfNobody = false
        /// Where it is in the order of its PINGs.
        var pings = 0
        /// Operations that were refused since the last PING.
        var refusals = 0
        var unanswered = 0
    }

    /// Interest, as routes tell it.
    struct Interest: Hashable {
        var pattern: NATSPattern
        var group: String?
    }

    /// What comes of a publication.
    enum Outcome {
        /// A client of this node gets it.
        case say(Int, NATSServerWord)
        /// Somebody within this node gets it.
        case hand(Listener, NATSPublication)
        /// Another node gets it, for its plain subscriptions or not, and for one member of each of these groups.
        case relay(to: Int, NATSPublication, isPlain: Bool, groups: [String])
    }

    let number: Int
    var isUp = true
    var isLeaving = false
    var clients: [Int: Client] = [:]
    private(set) var subscriptions: [Subscription] = []
    /// How many subscriptions of a kind another node has.
    var remote: [Int: [Interest: Int]] = [:]

    init(_ number: Int) {
        self.number = number
    }

    /// What a client is subscribed to, in the order of subscribing, as `subject` or `subject group`.
    func subscriptions(of client: Int) -> [String] {
        subscriptions.compactMap {
            if case .client(client, _) = $0.listener { $0.name } else { nil }
        }
    }

    /// False for a number that the client uses already: a second SUB of it is ignored silently.
    mutating func subscribe(_ listener: Listener, _ pattern: NATSPattern, _ group: String? = nil) -> Bool {
        guard !subscriptions.contains(where: { $0.listener == listener }) else { return false }
        subscriptions.append(Subscription(listener: listener, pattern: pattern, group: group))
        return true
    }

    mutating func unsubscribe(_ listener: Listener) -> Interest? {
        guard let index = subscriptions.firstIndex(where: { $0.listener == listener }) else { return nil }
        let subscription = subscriptions.remove(at: index)
        return Interest(pattern: subscription.pattern, group: subscription.group)
    }

    /// What others need not know of.
    static func isOwn(_ listener: Listener) -> Bool { listener == .api }

    /// All that others must know.
    var interests: [Interest] {
        subscriptions.filter { !Self.isOwn($0.listener) }.map {
            Interest(pattern: $0.pattern, group: $0.group)
        }
    }

    /// Whether anybody is known to listen.
    func hasInterest(in subject: String) -> Bool {
        // Most patterns are the subject itself.
        if subscriptions.contains(where: { $0.pattern.text == subject }) { return true }
        let tokens = subject.split(separator: ".", omittingEmptySubsequences: false)
        return subscriptions.contains { $0.pattern.matches(tokens) }
            || remote.values.contains { $0.contains { $0.value > 0 && $0.key.pattern.matches(tokens) } }
    }

    // MARK: Publishing

    /// Who gets what is published here.
    func publish(_ message: NATSPublication, using random: inout Generator) -> [Outcome] {
        let tokens = message.subject.split(separator: ".", omittingEmptySubsequences: false)
        var outcomes: [Outcome] = []
        var members: [String: [Member]] = [:]
        var relays: [Int: (isPlain: Bool, groups: [String])] = [:]
        for subscription in subscriptions where subscription.pattern.matches(tokens) {
            if let group = subscription.group {
                members[group, default: []].append(.here(subscription.listener))
            } else {
                outcomes.append(given(message, to: subscription.listener))
            }
        }
        for (node, interests) in remote.sorted(by: { $0.key < $1.key }) {
            for (interest, count) in interests where count > 0 && interest.pattern.matches(tokens) {
                if let group = interest.group {
                    members[group, default: []].append(.there(node))
                } else {
                    relays[node, default: (true, [])].isPlain = true
                }
            }
        }
        for (group, some) in members.sorted(by: { $0.key < $1.key }) {
            // In an order that hashing has no part in.
            let ordered = some.sorted { $0.order < $1.order }
            switch ordered[Int.random(in: 0..<ordered.count, using: &random)] {
            case .here(let listener): outcomes.append(given(message, to: listener))
            case .there(let node): relays[node, default: (false, [])].groups.append(group)
            }
        }
        for (node, targets) in relays.sorted(by: { $0.key < $1.key }) {
            outcomes.append(
                .relay(to: node, message, isPlain: targets.isPlain, groups: targets.groups))
        }
        return outcomes
    }

    /// Who gets what another node relayed.
    func receive(
        _ message: NATSPublication, isPlain: Bool, groups: [String], using random: inout Generator
    ) -> [Outcome] {
        let tokens = message.subject.split(separator: ".", omittingEmptySubsequences: false)
        var outcomes: [Outcome] = []
        var members: [String: [Listener]] = [:]
        for subscription in subscriptions
        where subscription.pattern.matches(tokens) && !Self.isOwn(subscription.listener) {
            if let group = subscription.group {
                members[group, default: []].append(subscription.listener)
            } else if isPlain {
                outcomes.append(given(message, to: subscription.listener))
            }
        }
        for group in groups {
            guard let some = members[group], !some.isEmpty else { continue }
            let chosen = some[Int.random(in: 0..<some.count, using: &random)]
            outcomes.append(given(message, to: chosen))
        }
        return outcomes
    }

    private enum Member {
        case here(Listener)
        case there(Int)

        var order: String {
            switch self {
            case .here(.client(let client, let sid)): "a\(client + 1_000_000) \(sid)"
            case .here: "b"
            case .there(let node): "c\(node)"
            }
        }
    }

    private func given(_ message: NATSPublication, to listener: Listener) -> Outcome {
        guard case .client(let client, let sid) = listener else { return .hand(listener, message) }
        var message = message
        message.subject = message.shown ?? message.subject
        return .say(client, .message(message, sid: sid))
    }
}
