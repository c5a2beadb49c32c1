// SPDX-License-Identifier: Apache-2.0

extension OutboxPolicy {
    /// How much waits.
    package struct Load: Sendable, Equatable {
        package var messages: Int
        package var bytes: Int

        package init(messages: Int = 0, bytes: Int = 0) {
            self.messages = messages
            self.bytes = bytes
        }

        package static func + (a: Load, b: Load) -> Load {
            Load(messages: a.messages + b.messages, bytes: a.bytes + b.bytes)
        }
    }

    /// What becomes of one more message.
    package enum Admission: Sendable, Equatable {
        case accepted
        /// The oldest that waits makes room; then the policy is asked again.
        case replacesOldest
        /// Whoever can wait does, in the same queue; nobody else's is taken.
        case waits
        /// It does not wait; `error(_:)` of the code says why.
        case refused(SenteError.Code)
    }

    /// What becomes of a message of this weight beside what waits.
    ///
    /// Nothing makes room for a message that would not fit into an empty outbox either; but an empty one takes one message as
    /// large as `largest`, for what goes in parts may be larger than all that is to wait.
    package func admission(of weight: Int, beside load: Load, largest: Int = 0) -> Admission {
        if load.messages == 0, maximumMessages > 0, weight <= largest { return .accepted }
        if load.messages < maximumMessages, weight <= maximumBytes - load.bytes { return .accepted }
        switch overflow {
        case .rejectNewest, .coalesce: return .refused(.outboxFull)
        case .dropNewest: return .refused(.dropped)
        case .wait: return .waits
        case .dropOldest:
            return load.messages > 0 && maximumMessages > 0 && weight <= maximumBytes
                ? .replacesOldest : .refused(.outboxFull)
        }
    }

    /// Why a message left the outbox, or never came into it, without being sent.
    package func error(_ code: SenteError.Code) -> SenteError {
        let text =
            switch code {
            case .outboxFull:
                "The outbox is full (\(maximumMessages) messages or \(maximumBytes) bytes): slow down."
            case .superseded: "A later message for the same place replaced this one in the outbox."
            case .expired:
                "The message waited longer than its time to live (\(timeToLive ?? .zero)) for a connection."
            default: "The outbox was full, and its policy dropped the message."
            }
        return SenteError(code, text, outcome: .notSent)
    }
}
