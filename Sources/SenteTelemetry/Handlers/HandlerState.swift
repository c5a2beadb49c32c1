// SPDX-License-Identifier: Apache-2.0

package import SenteSignals

/// What is known of a handler, and what its threads do next; all times are of the clock that nobody sets.
package struct HandlerState {
    enum Phase: Hashable {
        case open
        /// It gets nothing more, and ends when it has taken what waits.
        case leaving
        /// One thread flushes and stops it.
        case ending
        case ended
    }

    enum Job {
        case handle(SignalBatch)
        case flush(UInt64)
        case end
        case quit
    }

    var phase = Phase.open
    /// The change with which it was removed.
    var end: UInt32?
    var counts = HandlerStatistics()
    var sieve: HandlerSieve
    var queue: HandlerQueue
    /// How many threads are inside the handler, and with how many signals from the queue.
    var running = 0
    private var inHand = 0
    private(set) var flushAsked: UInt64 = 0
    private(set) var flushed: UInt64 = 0
    /// Nobody waits for room any more.
    private(set) var isGivenUp = false
    private var rest = FailureRest()
    private var lastFailure: MonotonicTime?
    private var lastDrop: MonotonicTime?
    private var tally = DropTally()
    private var errorCadence = Cadence(nanoseconds: Self.minute)
    private var pressureCadence = Cadence(nanoseconds: Self.minute)

    private static let minute: MonotonicTime = 60_000_000_000

    package init(sieve: HandlerSieve, queue: HandlerQueue) {
        self.sieve = sieve
        self.queue = queue
    }

    /// What passes of a batch for the handler of that number, which is not given what it raised itself.
    mutating func sift(_ batch: SignalBatch, for number: UInt16) -> SignalBatch {
        counts.seen += batch.count
        let others = batch.hasRaised ? batch.filter { $0.origin != number } : batch
        counts.suppressed += batch.count - others.count
        return sieve.sift(others)
    }

    /// Lets signals wait, from `next` on as far as there is room; returns how many were dropped.
    mutating func enqueue(_ batch: SignalBatch, from next: inout Int, at now: MonotonicTime) -> Int {
        var dropped = 0
        defer { drop(dropped, at: now) }
        while next < batch.count {
            guard !isGivenUp, phase == .open || phase == .leaving else {
                dropped += batch.count - next
                next = batch.count
                break
            }
            switch batch.withRecord(at: next, { queue.offer($0) }) {
            case .taken(let older): dropped += older
            case .dropped: dropped += 1
            case .full: return dropped
            }
            next += 1
        }
        return dropped
    }

    var hasRoom: Bool { queue.fill < 1 }

    package mutating func drop(_ number: Int, at now: MonotonicTime) {
        guard number > 0 else { return }
        counts.dropped += number
        lastDrop = now
        tally.add(number, at: now)
    }

    /// Drops to be told of now that there is room again.
    mutating func dropsToTell(at now: MonotonicTime, isLast: Bool) -> (count: Int, since: MonotonicTime)? {
        isLast || queue.fill < 1 ? tally.told(at: now, isLast: isLast) : nil
    }

    /// When drops are to be told; nil when there are none, or no room yet.
    func nextTelling(at now: MonotonicTime) -> MonotonicTime? { queue.fill < 1 ? tally.next(at: now) : nil }

    /// What waits has no more time: returns how much it was.
    mutating func giveUp(at now: MonotonicTime) -> Int {
        isGivenUp = true
        let left = queue.count
        drop(left, at: now)
        _ = queue.take()
        return left + inHand
    }

    /// How many were dropped in all, if that is to be told now.
    package mutating func pressure(at now: MonotonicTime) -> Int? {
        pressureCadence.take(at: now) ? counts.dropped : nil
    }

    // MARK: Its threads

    mutating func nextJob() -> Job? {
        if phase == .ending || phase == .ended { return .quit }
        if let batch = queue.take() {
            running += 1
            inHand += batch.count
            return .handle(batch)
        }
        guard running == 0 else { return nil }
        if flushAsked > flushed {
            running += 1
            return .flush(flushAsked)
        }
        guard phase == .leaving else { return nil }
        phase = .ending
        return .end
    }

    /// True if drops can be told of now.
    mutating func finished(_ batch: SignalBatch) -> Bool {
        running -= 1
        inHand -= batch.count
        return tally.isOwed
    }

    mutating func askFlush(_ ticket: UInt64) {
        flushAsked = max(flushAsked, ticket)
    }

    func isDone(withFlush ticket: UInt64) -> Bool { flushed >= ticket || phase == .ended }

    mutating func finishedFlush(_ ticket: UInt64) {
        flushed = max(flushed, ticket)
    }

    /// Whether so many signals are not even tried now, since the handler rests; then they are counted.
    package mutating func skips(_ number: Int, at now: MonotonicTime) -> Bool {
        guard rest.holds(at: now) else { return false }
        counts.failed += number
        counts.skipped += number
        return true
    }

    /// Counts a call with so many signals; returns the error if it is to be told now.
    package mutating func ran(_ number: Int, _ failure: (any Error)?, at now: MonotonicTime) -> (any Error)? {
        guard let failure else {
            counts.handled += number
            rest.worked()
            return nil
        }
        counts.failed += number
        rest.failed(at: now)
        lastFailure = now
        return errorCadence.take(at: now) ? failure : nil
    }

    // MARK: What others see

    package var statistics: HandlerStatistics {
        var statistics = counts
        statistics.filtered = sieve.filtered
        statistics.sampled = sieve.sampled
        statistics.limited = sieve.limited
        statistics.queued = queue.count + inHand
        return statistics
    }

    package func health(at now: MonotonicTime) -> HandlerHealth {
        func isRecent(_ time: MonotonicTime?) -> Bool { time.map { now - $0 < Self.minute } ?? false }
        return HandlerHealth(
            isFailing: isRecent(lastFailure) || rest.hasRunOut, isDropping: isRecent(lastDrop),
            fill: queue.fill, isResting: rest.holds(at: now))
    }
}
