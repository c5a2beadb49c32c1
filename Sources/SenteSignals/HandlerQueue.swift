// SPDX-License-Identifier: Apache-2.0

/// What a queue does when it is full.
package enum OverflowRule: Hashable, Sendable {
    /// What comes is dropped.
    case dropNewest
    /// What waited longest is dropped.
    case dropOldest
    /// Whoever brings it waits.
    case wait
}

/// Records that wait for a handler's thread, bounded in number and in bytes.
package struct HandlerQueue: Sendable {
    package enum Answer: Hashable, Sendable {
        /// It was taken in, in place of so many older ones.
        case taken(dropped: Int)
        case dropped
        /// There is no room; try again when there is.
        case full
    }

    package let rule: OverflowRule
    package let maximumCount: Int
    package let maximumBytes: Int
    private var waiting = SignalBatch()

    /// Makes a queue for so many signals, of 1 KiB each on average.
    package init(rule: OverflowRule, maximumCount: Int) {
        self.rule = rule
        self.maximumCount = max(1, maximumCount)
        maximumBytes = max(self.maximumCount << 10, 2 * SignalFields.maximumRecord)
    }

    package var count: Int { waiting.count }
    package var isEmpty: Bool { waiting.isEmpty }
    /// How many bytes it holds on to, those of signals that it gave up among them.
    package var heldByteCount: Int { waiting.heldByteCount }
    /// How full it is, from 0 to 1.
    package var fill: Double {
        max(Double(count) / Double(maximumCount), Double(waiting.liveByteCount) / Double(maximumBytes))
    }

    package mutating func offer(_ record: SignalRecord) -> Answer {
        var dropped = 0
        while !hasRoom(for: record.size) {
            switch rule {
            case .dropNewest: return .dropped
            case .wait: return .full
            case .dropOldest:
                waiting.removeFirst()
                dropped += 1
            }
        }
        waiting.append(record.buffer)
        return .taken(dropped: dropped)
    }

    private func hasRoom(for size: Int) -> Bool {
        count < maximumCount && waiting.liveByteCount + size <= maximumBytes
    }

    /// Takes all that waits.
    package mutating func take() -> SignalBatch? {
        guard !waiting.isEmpty else { return nil }
        defer { waiting = SignalBatch() }
        return waiting
    }
}
