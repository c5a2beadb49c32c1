// SPDX-License-Identifier: Apache-2.0

import SenteSignals

/// The records that one thread hands to one telemetry: two buffers that change places.
///
/// The thread writes into the front one; the dispatcher takes it whole and gives an empty one for it. A lane is shared by two
/// threads at most, so its lock is nearly always free; a ring without a lock costs as much, for the fence it needs before it
/// looks whether the dispatcher sleeps, and cannot throw away its oldest exactly. It is raw memory, since the access check and
/// the reference count of an object would cost more than the lock.
struct Lane {
    typealias Place = UnsafeMutablePointer<Lane>

    static let capacity = 256 << 10

    private var mutex = Mutex()
    private var room = Condition()
    private var front = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
    private var back = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
    private var count = 0
    private var dropped = 0
    private var isUrgent = false
    private var isWaiting = false
    /// It takes no more.
    private var isClosed = false
    // It is given back when both who share it are done with it.
    private var isLeftByThread = false
    private var isLeftByTelemetry = false

    /// Of the thread alone: the rules it last asked, and their generation.
    var rules: Rules?
    var rulesGeneration: UInt64 = 0
    /// How many signals it was asked about; it begins somewhere else for each thread, or all would choose the same samples.
    var asked = UInt64(UInt.random(in: 0...UInt.max))

    static func make(isClosed: Bool) -> Place {
        let lane = Place.allocate(capacity: 1)
        lane.initialize(to: Lane())
        Mutex.start(&lane.pointee.mutex)
        Condition.start(&lane.pointee.room)
        lane.pointee.isClosed = isClosed
        return lane
    }

    private static func destroy(_ lane: Place) {
        Condition.end(&lane.pointee.room)
        Mutex.end(&lane.pointee.mutex)
        lane.pointee.front.deallocate()
        lane.pointee.back.deallocate()
        lane.deinitialize(count: 1)
        lane.deallocate()
    }

    // MARK: The thread's side

    enum Answer {
        case taken
        /// It was taken, and the dispatcher should come for it before its time.
        case takenAndPressing
        case dropped
    }

    /// Copies a record in.
    ///
    /// `wake` is called where the thread has to wait for the dispatcher.
    static func append(
        _ record: SignalRecord, to lane: Place, whenFull rule: OverflowRule, wake: () -> Void
    ) -> Answer {
        let size = record.size
        Mutex.lock(&lane.pointee.mutex)
        defer { Mutex.unlock(&lane.pointee.mutex) }
        while capacity - lane.pointee.count < size || lane.pointee.isClosed {
            switch rule {
            case _ where lane.pointee.isClosed, .dropNewest:
                lane.pointee.dropped += 1
                return .dropped
            case .dropOldest: lane.pointee.dropOldestQuarter()
            case .wait:
                lane.pointee.isWaiting = true
                wake()
                Mutex.wait(&lane.pointee.mutex, for: &lane.pointee.room)
            }
        }
        copy(record.bytes, size, to: lane.pointee.front + lane.pointee.count)
        lane.pointee.count += size
        if record.level >= .error { lane.pointee.isUrgent = true }
        return lane.pointee.isPressing ? .takenAndPressing : .taken
    }

    /// Copies a record by words, as it was written just now: a call takes longer than the few words of most.
    @inline(__always)
    private static func copy(_ record: UnsafeRawPointer, _ size: Int, to place: UnsafeMutableRawPointer) {
        var offset = 0
        while offset < size {
            place.storeBytes(
                of: record.load(fromByteOffset: offset, as: UInt64.self), toByteOffset: offset,
                as: UInt64.self)
            offset &+= 8
        }
    }

    private var isPressing: Bool { isUrgent || count > Self.capacity / 2 }

    private mutating func dropOldestQuarter() {
        var start = 0
        while start < count, start < Self.capacity / 4 {
            start += SignalRecord(front + start).size
            dropped += 1
        }
        front.copyMemory(from: front + start, byteCount: count - start)
        count -= start
    }

    /// The thread ends.
    static func leaveByThread(_ lane: Place) {
        Mutex.lock(&lane.pointee.mutex)
        lane.pointee.isLeftByThread = true
        let isLast = lane.pointee.isLeftByTelemetry
        Mutex.unlock(&lane.pointee.mutex)
        if isLast { destroy(lane) }
    }

    // MARK: The dispatcher's side

    /// What a lane held.
    ///
    /// The bytes are good until it is taken from again.
    struct Taken {
        var bytes: UnsafeRawBufferPointer
        var dropped: Int
        /// Nothing will ever come again.
        var isOver: Bool
    }

    static func take(from lane: Place, closing: Bool) -> Taken {
        Mutex.lock(&lane.pointee.mutex)
        if closing { lane.pointee.isClosed = true }
        let isWaiting = lane.pointee.isWaiting
        let taken = lane.pointee.take()
        Mutex.unlock(&lane.pointee.mutex)
        // Behind the lock, or the thread that wakes would sleep again at once, before the lock.
        if isWaiting { Condition.signal(&lane.pointee.room) }
        return taken
    }

    private mutating func take() -> Taken {
        defer { (count, dropped, isUrgent, isWaiting) = (0, 0, false, false) }
        swap(&front, &back)
        return Taken(
            bytes: UnsafeRawBufferPointer(start: back, count: count), dropped: dropped, isOver: isLeftByThread
        )
    }

    /// Whether the dispatcher should rather take from it than rest.
    static func wantsAttention(_ lane: Place, evenIfCalm: Bool) -> Bool {
        Mutex.lock(&lane.pointee.mutex)
        defer { Mutex.unlock(&lane.pointee.mutex) }
        return evenIfCalm ? lane.pointee.count > 0 : lane.pointee.isPressing || lane.pointee.isWaiting
    }

    /// The telemetry is done with it.
    static func leaveByTelemetry(_ lane: Place) {
        Mutex.lock(&lane.pointee.mutex)
        lane.pointee.isLeftByTelemetry = true
        let isLast = lane.pointee.isLeftByThread
        Mutex.unlock(&lane.pointee.mutex)
        if isLast { destroy(lane) }
    }

    /// Whether the other side is done with it.
    static func isLeftByTelemetry(_ lane: Place) -> Bool {
        Mutex.lock(&lane.pointee.mutex)
        defer { Mutex.unlock(&lane.pointee.mutex) }
        return lane.pointee.isLeftByTelemetry
    }
}
