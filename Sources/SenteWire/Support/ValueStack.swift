// SPDX-License-Identifier: Apache-2.0

/// The values a reader has read of collections that are still open, each beside its fingerprint if it is a
/// key.
///
/// A closing collection takes its share in one move, into an array of just the right size.
struct ValueStack: ~Copyable {
    private var values: UnsafeMutablePointer<Value>
    /// Behind the values in the same memory.
    private var fingerprints: UnsafeMutablePointer<UInt32>
    private var capacity: Int
    private(set) var count = 0
    /// Whether the memory is this stack's, and not lent to it.
    private var isOwner: Bool

    /// What fits 1,024 bytes is what Swift takes from the thread's stack (`withUnsafeTemporaryAllocation`), and about what
    /// glibc's malloc hands out at once.
    private static let usualCapacity = 32

    /// Without memory that `lendMemory` lends it has its own.
    init(on lent: UnsafeMutableRawPointer? = nil) {
        capacity = Self.usualCapacity
        isOwner = lent == nil
        (values, fingerprints) = Self.bind(lent ?? Self.allocate(capacity), capacity)
    }

    deinit {
        values.deinitialize(count: count)
        if isOwner { UnsafeMutableRawPointer(values).deallocate() }
    }

    /// Lends memory of the thread's stack, for a stack of values that is gone when `body` returns.
    @inline(__always)
    static func lendMemory<Result>(
        _ body: (UnsafeMutableRawPointer?) throws(WireError) -> Result
    ) throws(WireError) -> Result {
        try withUnsafeTemporaryAllocation(
            byteCount: byteCount(usualCapacity), alignment: MemoryLayout<Value>.alignment
        ) { memory in
            Swift.Result { () throws(WireError) in try body(memory.baseAddress) }
        }.get()
    }

    private static func byteCount(_ capacity: Int) -> Int {
        capacity * (MemoryLayout<Value>.stride + MemoryLayout<UInt32>.stride)
    }

    private static func allocate(_ capacity: Int) -> UnsafeMutableRawPointer {
        .allocate(byteCount: byteCount(capacity), alignment: MemoryLayout<Value>.alignment)
    }

    private static func bind(
        _ memory: UnsafeMutableRawPointer, _ capacity: Int
    ) -> (UnsafeMutablePointer<Value>, UnsafeMutablePointer<UInt32>) {
        (
            memory.bindMemory(to: Value.self, capacity: capacity),
            (memory + capacity * MemoryLayout<Value>.stride).bindMemory(to: UInt32.self, capacity: capacity)
        )
    }

    @inline(__always)
    mutating func push(_ value: consuming Value) {
        if count == capacity { grow() }
        (values + count).initialize(to: value)
        count += 1
    }

    @inline(__always)
    mutating func pushKey(_ key: consuming Value, fingerprint: UInt32) {
        if count == capacity { grow() }
        (values + count).initialize(to: key)
        fingerprints[count] = fingerprint
        count += 1
    }

    mutating func pop() -> Value {
        count -= 1
        return (values + count).move()
    }

    /// Takes everything from `start` on.
    mutating func takeArray(from start: Int) -> [Value] {
        let taken = count - start
        count = start
        if taken <= 2 * KeyIndex.smallCount {
            // Making room at once costs some 200 instructions in the library, more than moving so few one by one.
            var array: [Value] = []
            array.reserveCapacity(taken)
            for position in start..<(start + taken) { array.append((values + position).move()) }
            return array
        }
        return [Value](unsafeUninitializedCapacity: taken) { buffer, initialized in
            buffer.baseAddress?.moveInitialize(from: values + start, count: taken)
            initialized = taken
        }
    }

    /// Takes everything from `start` on, keys and values in turns, as a map in which the last of equal keys wins.
    mutating func takeMap(from start: Int) -> ValueMap {
        let isDistinct = hasFewDistinctKeys(from: start, stride: 2)
        let items = takeArray(from: start)
        return isDistinct ? ValueMap(items: items, index: KeyIndex()) : ValueMap(items: items)
    }

    /// Takes everything from `start` on, keys and values in turns, as a map; nil if Clojure takes two keys for equal.
    mutating func takeDistinctMap(from start: Int) -> ValueMap? {
        takeDistinct(from: start, stride: 2).map { ValueMap(items: $0, index: $1) }
    }

    /// Takes everything from `start` on as a set; nil if Clojure takes two elements for equal.
    mutating func takeDistinctSet(from start: Int) -> ValueSet? {
        takeDistinct(from: start, stride: 1).map { ValueSet(items: $0, index: $1) }
    }

    private mutating func takeDistinct(from start: Int, stride: Int) -> (items: [Value], index: KeyIndex)? {
        let isDistinct = hasFewDistinctKeys(from: start, stride: stride)
        let items = takeArray(from: start)
        if isDistinct { return (items, KeyIndex()) }
        guard let index = KeyIndex(distinct: items, stride: stride),
            ClojureEquality.tellsApart(items, stride: stride)
        else { return nil }
        return (items, index)
    }

    /// Whether there are few keys, and their fingerprints tell that they differ.
    private func hasFewDistinctKeys(from start: Int, stride: Int) -> Bool {
        guard count - start <= KeyIndex.smallCount * stride else { return false }
        var position = start + stride
        while position < count {
            let fingerprint = fingerprints[position]
            var other = start
            while other < position {
                if fingerprints[other] == fingerprint { return false }
                other += stride
            }
            position += stride
        }
        return true
    }

    private mutating func grow() {
        let (newValues, newFingerprints) = Self.bind(Self.allocate(capacity * 4), capacity * 4)
        newValues.moveInitialize(from: values, count: count)
        newFingerprints.update(from: fingerprints, count: count)
        if isOwner { UnsafeMutableRawPointer(values).deallocate() }
        (values, fingerprints, capacity, isOwner) = (newValues, newFingerprints, capacity * 4, true)
    }
}
