// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What a session that survives its links has counted, and what the server has not said to have (after XEP-0198).
///
/// Counted is every message but the words of flow and what keeps a link alive, in the order of the wire. What was sent stays here until
/// the server's count covers it; after a new link it goes again from there.
struct Resumption: Sendable {
    /// A message that the server may not have.
    struct Kept: Sendable {
        var outbound: Outbound
        var bytes: Int
        var call: CallID?
        /// Where its reply goes.
        var slot: PendingReplies.SlotKey?
    }

    /// The time without a link.
    struct Parking: Sendable {
        /// Why the last one ended.
        var error: SenteError
        /// When it was heard last.
        var heardAt: Instant
        /// When the server has forgotten the session.
        var until: Instant
    }

    /// How many bytes the name of a session may have.
    static let names = 1...1_024

    private let policy: ResumptionPolicy
    /// The server's name for the session; nil until it has given one.
    private(set) var session: String?
    private(set) var features: FlowFeatures.Resumption?
    var parking: Parking?
    /// How many links in a row were asked to go on and did not answer in time.
    var unanswered = 0

    // Out
    /// So many of ours the server has.
    private(set) var acknowledged: UInt64 = 0
    private var kept = Queue<Kept>()
    private var keptBytes = 0
    /// How many messages are kept that are larger than all the others may be together.
    private var keptLarge = 0
    /// Calls that gave up on a message that is kept.
    private(set) var givenUp: Set<CallID> = []
    /// The server closed the last link for what came.
    private var isBlamed = false
    /// What was first in line after such a link, and how many there were in a row.
    private var suspect: (number: UInt64, call: CallID?, links: Int)?

    // In
    private(set) var received: UInt64 = 0
    private var unacknowledged = (messages: 0, bytes: 0)
    /// A quarter of what the server keeps of its own: so much is acknowledged at the latest.
    private var quarter = (messages: Int.max, bytes: Int.max)
    /// When what came is to be acknowledged at the latest.
    private(set) var ackDeadline: Instant?
    /// How many of the server's next messages it has sent before.
    private(set) var repeatsDue: UInt64 = 0

    init(policy: ResumptionPolicy) {
        self.policy = policy
    }

    /// The server has named the session: what it sends from now on counts.
    mutating func begin(_ session: String, _ features: FlowFeatures.Resumption) {
        self.session = session
        self.features = features
        quarter = (max(1, features.messages / 4), max(1, features.bytes / 4))
    }

    var sent: UInt64 { acknowledged + UInt64(kept.count) }
    /// How much is kept.
    var load: OutboxPolicy.Load {
        OutboxPolicy.Load(messages: kept.count, bytes: kept.reduce(0) { $0 + $1.bytes })
    }

    /// Whether the outbox has to wait: one message is always allowed.
    ///
    /// A larger one than all may be together counts apart: while the server has read it not yet, others may leave.
    var isFull: Bool {
        kept.count >= policy.maximumMessages || (keptBytes >= policy.maximumBytes && !kept.isEmpty)
            || keptLarge > 1
    }

    private mutating func weigh(_ bytes: Int, _ sign: Int) {
        if bytes > policy.maximumBytes { keptLarge += sign } else { keptBytes += sign * bytes }
    }

    // MARK: Out

    mutating func keep(_ message: consuming Kept) {
        let message = consume message
        weigh(message.bytes, 1)
        kept.append(consume message)
    }

    /// Whether a server can have received so many.
    func allows(_ count: UInt64) -> Bool { (acknowledged...sent).contains(count) }

    /// The server has this many: what they are is forgotten, and `each` hears their calls.
    mutating func acknowledge(_ count: UInt64, each: (CallID) -> Void) {
        while acknowledged < count, let message = kept.popFirst() {
            acknowledged += 1
            weigh(message.bytes, -1)
            guard let call = message.call else { continue }
            if givenUp.isEmpty || givenUp.remove(call) == nil { each(call) }
        }
    }

    /// A call that waits no more: its message says nothing if it has to go again.
    mutating func giveUp(_ call: CallID) {
        // Of one that the server has there is nothing to give up.
        if kept.contains(where: { $0.call == call }) { givenUp.insert(call) }
    }

    /// Takes what goes again, in order: each is kept anew when it has left; `replace` gives what stands in for one, or nil for
    /// the message itself.
    mutating func takeAgain(_ replace: (Kept, _ isGivenUp: Bool, _ isSuspect: Bool) -> Kept?) -> [Kept] {
        let isSuspect = (suspect?.links ?? 0) >= 2
        let messages = kept.enumerated().map { index, message in
            replace(message, message.call.map(givenUp.contains) ?? false, isSuspect && index == 0) ?? message
        }
        kept = Queue()
        (keptBytes, keptLarge) = (0, 0)
        givenUp = []
        return messages
    }

    /// The server closed the link for what it was sent.
    mutating func closedForContent() { isBlamed = true }

    /// What the server's count leaves first in line is what it closed the last link for, if it did; whether it was so before.
    mutating func noteSuspect() -> Bool {
        defer { isBlamed = false }
        guard isBlamed, let first = kept.first else { return false }
        // A large one that goes again is overtaken and renumbered.
        let isKnown =
            suspect.map { $0.number == acknowledged || $0.call != nil && $0.call == first.call } ?? false
        suspect = (acknowledged, first.call, isKnown ? (suspect?.links ?? 0) + 1 : 1)
        return isKnown
    }

    // MARK: In

    /// A counted message came.
    mutating func count(bytes: Int, at now: Instant) {
        received += 1
        if repeatsDue > 0 { repeatsDue -= 1 }
        unacknowledged.messages += 1
        unacknowledged.bytes += bytes
        if ackDeadline == nil { ackDeadline = now.advanced(by: .seconds(1)) }
    }

    /// The server goes on after `sent` of its messages, so many of which are gone.
    mutating func goOn(sent: UInt64, missed: UInt64) {
        received += missed
        repeatsDue = sent > received ? sent - received : 0
        unacknowledged = (0, 0)
        ackDeadline = nil
        unanswered = 0
    }

    /// Whether a quarter of what the server keeps waits for our word.
    var owesAck: Bool {
        unacknowledged.messages >= quarter.messages || unacknowledged.bytes >= quarter.bytes
    }

    /// The count that is told now.
    mutating func takeAck() -> UInt64 {
        unacknowledged = (0, 0)
        ackDeadline = nil
        return received
    }
}
