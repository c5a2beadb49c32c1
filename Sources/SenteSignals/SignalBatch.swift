// SPDX-License-Identifier: Apache-2.0

/// Signals in the order of their numbers, as a handler is given them.
///
/// They are bytes, and each becomes a `Signal` when it is asked for. A batch may be kept; it then holds on to its bytes.
public struct SignalBatch: Sequence, Sendable {
    private var bytes: [UInt8] = []
    private var starts: [Int] = []
    /// Whether a handler raised one of them.
    package private(set) var hasRaised = false

    /// Makes one of signals.
    public init(_ signals: some Sequence<Signal> = []) {
        for signal in signals { append(signal) }
    }

    /// How many signals there are.
    public var count: Int { starts.count }

    /// Whether there are none.
    public var isEmpty: Bool { starts.isEmpty }

    /// Exactly how many signals there are.
    public var underestimatedCount: Int { count }

    /// Reads signals one after the other.
    public struct Iterator: IteratorProtocol {
        fileprivate let batch: SignalBatch
        fileprivate var position = 0

        /// The next signal.
        public mutating func next() -> Signal? {
            guard position < batch.count else { return nil }
            defer { position += 1 }
            return batch.withRecord(at: position) { Signal($0) }
        }
    }

    /// Reads the signals in order.
    public func makeIterator() -> Iterator { Iterator(batch: self) }

    // MARK: - Records

    /// Calls with each record in order; none is good after its call.
    package func forEachRecord(_ body: (SignalRecord) throws -> Void) rethrows {
        try bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            for start in starts { try body(SignalRecord(base + start)) }
        }
    }

    package func withRecord<R>(at index: Int, _ body: (SignalRecord) throws -> R) rethrows -> R {
        try bytes.withUnsafeBytes { bytes in
            try body(SignalRecord(UnsafeRawBufferPointer(rebasing: bytes[starts[index]...])))
        }
    }

    /// Copies a record to the end.
    package mutating func append(_ record: UnsafeRawBufferPointer) {
        starts.append(bytes.count)
        bytes.append(contentsOf: record)
        if record.load(fromByteOffset: RecordLayout.origin, as: UInt16.self) != 0 { hasRaised = true }
    }

    /// Copies records that lie one behind the other; those that have no number get the next ones, of which `numbers` gives the
    /// first for so many.
    package mutating func append(records: UnsafeRawBufferPointer, numbers: (Int) -> UInt64) {
        let (first, firstByte) = (starts.count, bytes.count)
        bytes.append(contentsOf: records)
        bytes.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            var (position, unnumbered) = (firstByte, 0)
            while position < bytes.count {
                let record = SignalRecord(base + position)
                starts.append(position)
                if record.origin != 0 { hasRaised = true }
                if record.sequence == 0 { unnumbered += 1 }
                position += record.size
            }
            guard unnumbered > 0 else { return }
            var next = numbers(unnumbered)
            for start in starts[first...] where SignalRecord(base + start).sequence == 0 {
                base.storeBytes(of: next, toByteOffset: start + RecordLayout.sequence, as: UInt64.self)
                next += 1
            }
        }
    }

    /// The same bytes with only those signals for which `isIncluded` says so.
    package func filter(_ isIncluded: (SignalRecord) -> Bool) -> SignalBatch {
        var batch = self
        batch.starts = bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return [] }
            return starts.filter { isIncluded(SignalRecord(base + $0)) }
        }
        return batch
    }

    package var heldByteCount: Int { bytes.count }
    /// How many bytes its signals have.
    package var liveByteCount: Int { bytes.count - (starts.first ?? bytes.count) }

    /// Takes away the oldest, and its bytes once they are half of all.
    package mutating func removeFirst() {
        starts.removeFirst()
        let dead = starts.first ?? bytes.count
        guard dead > bytes.count / 2 else { return }
        bytes.removeFirst(dead)
        for index in starts.indices { starts[index] -= dead }
    }

    /// Adds a signal, and which handler raised it.
    package mutating func append(_ signal: Signal, origin: UInt16 = 0) {
        signal.withRecord(origin: origin) { append($0.buffer) }
    }

    /// Empties it, and keeps its room if that is not large.
    package mutating func removeAll() {
        hasRaised = false
        bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
        starts.removeAll(keepingCapacity: starts.capacity <= 1 << 14)
    }
}
