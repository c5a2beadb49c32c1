// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore

/// Whether anything waits for the app to consume what it was handed.
///
/// The session holds back what comes for an inbox whose last batch is not consumed yet, counts such a batch in the
/// inbox's bounds, and may have stopped reading because of it. When none of that matters, a consumer need not wake the
/// loop, which learns of it at its next turn.
struct Consumption {
    /// What each inbox's consumer has and is not done with, and when it was handed over.
    private var batches: [InboxID: (count: Int, arrivals: Int)] = [:]
    /// How many turns have brought messages.
    private var arrivals = 0
    /// How many inboxes had a batch out when messages came last.
    private var behind = 0
    /// What has come since no consumer had anything: no inbox can have more out.
    private var out = (messages: 0, bytes: 0)
    /// So little of an inbox's bounds that it matters nothing whether it is counted one turn too long.
    private let negligible: (messages: Int, bytes: Int)
    /// The link is told to read nothing.
    var isPaused = false

    init(_ policy: InboxPolicy) {
        negligible = (policy.maximumMessages / 16, policy.maximumBytes / 16)
    }

    /// Whether no consumer has anything.
    var isEmpty: Bool { batches.isEmpty }

    /// Whether a consumer is to wake the loop.
    var isAwaited: Bool {
        isPaused || behind > 0 || out.messages > negligible.messages || out.bytes > negligible.bytes
    }

    /// For whichever inboxes; before they are handed over.
    mutating func messagesCame(_ messages: [Message]) {
        guard !messages.isEmpty else { return }
        if batches.isEmpty { out = (0, 0) }
        arrivals += 1
        behind = batches.count
        out.messages += messages.count
        for message in messages { out.bytes += message.bytes.count }
    }

    /// All that the session has for an inbox went to its consumer.
    mutating func handedOver(_ count: Int, to inbox: InboxID) {
        let before = ended(inbox)
        batches[inbox] = (before + count, arrivals)
    }

    mutating func consumed(_ count: Int, from inbox: InboxID) {
        guard let batch = batches[inbox] else { return }
        if batch.count > count { batches[inbox]?.count -= count } else { ended(inbox) }
    }

    /// The inbox is gone, or its consumer is done; how much it had.
    @discardableResult
    mutating func ended(_ inbox: InboxID) -> Int {
        guard let batch = batches.removeValue(forKey: inbox) else { return 0 }
        if batch.arrivals < arrivals { behind -= 1 }
        return batch.count
    }
}
