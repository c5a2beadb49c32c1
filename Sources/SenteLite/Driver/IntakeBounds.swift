// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// How much was submitted and has not reached the outbox yet; it counts in the outbox's bounds.
struct IntakeBounds: Sendable {
    struct Load: Sendable, Equatable {
        var messages = 0
        var bytes = 0

        static func + (a: Load, b: Load) -> Load {
            Load(messages: a.messages + b.messages, bytes: a.bytes + b.bytes)
        }
    }

    enum Verdict: Equatable {
        case accepted
        /// The call throws `outboxFull`.
        case rejected
        /// The message resolves *not sent*.
        case dropped
        /// The oldest that is posted makes room.
        case replacesOldest
    }

    let policy: OutboxPolicy
    /// Not taken by the driver yet.
    var posted = Load()
    /// Taken, and not counted by `outbox` yet.
    var taken = Load()
    /// The outbox as it was after the last turn.
    var outbox = Load()

    /// What becomes of one more message.
    ///
    /// The session applies the policy to its outbox. Here only what is on its way to it is bounded, but for
    /// `.rejectNewest`, which is to tell the caller at once.
    func verdict(on weight: Int) -> Verdict {
        switch policy.overflow {
        case .rejectNewest: fits(weight, beside: posted + taken + outbox) ? .accepted : .rejected
        case .coalesce: fits(weight, beside: posted + taken) ? .accepted : .rejected
        case .dropNewest: fits(weight, beside: posted + taken) ? .accepted : .dropped
        case .dropOldest:
            fits(weight, beside: posted + taken)
                ? .accepted
                : posted.messages > 0 && weight <= policy.maximumBytes ? .replacesOldest : .dropped
        }
    }

    private func fits(_ weight: Int, beside load: Load) -> Bool {
        load.messages < policy.maximumMessages && weight <= policy.maximumBytes - load.bytes
    }
}
