// SPDX-License-Identifier: Apache-2.0

extension OutboxPolicy {
    /// How much waits.
    package struct Load: Sendable, Equatable {
        package var messages: Int
        package var bytes: Int
        /// Those of messages that are larger than all the others may be together.
        package var largeBytes: Int

        package init(messages: Int = 0, bytes: Int = 0, largeBytes: Int = 0) {
            self.messages = messages
            self.bytes = bytes
            self.largeBytes = largeBytes
        }

        package static func + (a: Load, b: Load) -> Load {
            Load(
                messages: a.messages + b.messages, bytes: a.bytes + b.bytes,
                largeBytes: a.largeBytes + b.largeBytes)
        }

        package static func - (a: Load, b: Load) -> Load {
            Load(
                messages: a.messages - b.messages, bytes: a.bytes - b.bytes,
                largeBytes: a.largeBytes - b.largeBytes)
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

    /// What one message of this weight adds to what waits.
    package func load(of weight: Int) -> Load {
        isLarge(weight) ? Load(messages: 1, largeBytes: weight) : Load(messages: 1, bytes: weight)
    }

    /// Whether a message is more than all that may wait, and so counts apart.
    func isLarge(_ weight: Int) -> Bool { weight > maximumBytes }

    /// What becomes of a message of this weight beside what waits.
    ///
    /// What goes in parts may be larger than all that is to wait. Such messages have a bound of their own, the size of the
    /// largest, so that one of them leaves the others their room; nothing makes room for what does not fit there.
    package func admission(of weight: Int, beside load: Load, largest: Int = 0) -> Admission {
        let room = isLarge(weight) ? largest - load.largeBytes : maximumBytes - load.bytes
        if load.messages < maximumMessages, weight <= room { return .accepted }
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
