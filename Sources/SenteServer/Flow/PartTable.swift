// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// The messages of one link of which some parts have come.
///
/// Parts may come in any order, and twice; in their order they are put together as they come. What is kept has one bound, for
/// which a size counts as soon as it is announced; beyond it, or when no part has come for a while, the message whose last part
/// is the oldest goes, and its number is remembered, so that parts that are late open nothing.
struct PartTable: Sendable {
    struct Limits: Sendable {
        /// The largest message.
        var messageBytes: Int
        /// The largest part.
        var partBytes: Int
        /// How long the next part may take.
        var timeout: Duration
        /// All that is kept, with what keeping it costs.
        var totalBytes: Int { messageBytes + 16 << 20 }
    }

    /// Why the link cannot go on.
    enum Problem: Error {
        case malformed(String)
        case tooBig
    }

    /// A whole message.
    struct Whole: Sendable {
        var bytes: ArraySlice<UInt8>
        var algorithm: FlowCapabilities.Algorithm?
    }

    private struct Unfinished: Sendable {
        /// The first parts, put together, and how many they are.
        var front: [UInt8] = []
        var frontCount = 0
        /// Those of which an earlier one has not come.
        var ahead: [Int: ArraySlice<UInt8>] = [:]
        var bytes = 0
        var isBinary: Bool
        /// How many there are, once that is known.
        var count: Int?
        var size: Int?
        var algorithm: FlowCapabilities.Algorithm?
        /// Whether the whole begins with the byte of an algorithm; nil before the first part.
        var isCompressed: Bool?
        /// Whether the last part, or the word for the end, has come.
        var isOver = false
        var touched: Instant

        var partCount: Int { frontCount + ahead.count }
        /// What it counts for.
        var weight: Int {
            max(bytes, size ?? 0) + partCount * PartTable.partOverhead + PartTable.messageOverhead
        }

        /// Whether no part came that would not be among so many.
        func fits(_ count: Int) -> Bool {
            frontCount <= count && ahead.keys.allSatisfy { $0 < count }
        }

        mutating func expect(_ size: Int) {
            self.size = size
            front.reserveCapacity(size)
        }

        mutating func add(_ part: ArraySlice<UInt8>, at index: Int) {
            bytes += part.count
            ahead[index] = part
            while let part = ahead.removeValue(forKey: frontCount) {
                front += part
                frontCount += 1
            }
        }
    }

    private static let partOverhead = 64
    private static let messageOverhead = 512
    private static let remembered = 4_096
    private static let maximumParts = 1 << 20

    let limits: Limits
    private var unfinished: [UInt64: Unfinished] = [:]
    /// The one whose last part is the oldest first.
    private var order = OrderedSet<UInt64>()
    private var over: Set<UInt64> = []
    private var overInOrder = Queue<UInt64>()
    private(set) var bytes = 0
    /// Messages that were let go of.
    private(set) var letGo = 0

    init(limits: Limits) {
        self.limits = limits
    }

    /// When the next message is let go of.
    var deadline: Instant? {
        order.first { _ in true }.flatMap { unfinished[$0]?.touched.advanced(by: limits.timeout) }
    }

    /// Whether there is too much of it.
    var isOverfull: Bool { bytes > limits.totalBytes }

    /// Whether a message was whole, or was let go of.
    func isOver(_ number: UInt64) -> Bool { over.contains(number) }

    /// Lets go of the message whose last part is the oldest.
    mutating func letGoOfOldest() {
        guard let oldest = order.first(where: { _ in true }) else { return }
        letGo += 1
        forget(oldest)
    }

    /// A message that is whole now; nil while it is not.
    mutating func take(_ envelope: FlowEnvelope, at now: Instant) throws(Problem) -> Whole? {
        switch envelope {
        case .start(let number, let parts, let size, let algorithm):
            guard !over.contains(number) else { return nil }
            guard size <= limits.messageBytes, parts <= Self.maximumParts else { throw .tooBig }
            var message = try message(number, isBinary: false, at: now)
            guard message.size == nil, message.fits(Int(parts)), parts > 0 else {
                throw .malformed("a message in parts began twice, or with too few")
            }
            message.count = Int(parts)
            message.expect(Int(size))
            message.algorithm = algorithm
            return try put(message, number, at: now)
        case .part(let part):
            guard !over.contains(part.number) else { return nil }
            guard part.index < Self.maximumParts else { throw .tooBig }
            guard part.bytes.count <= limits.partBytes else { throw .malformed("a part is too large") }
            return try add(part, at: now)
        case .end(let number):
            guard !over.contains(number) else { return nil }
            var message = try message(number, isBinary: false, at: now)
            guard message.size != nil else { throw .malformed("a message in parts ended that has not begun") }
            message.isOver = true
            return try put(message, number, at: now)
        case .abort(let number):
            forget(number)
            return nil
        case .compressed: throw .malformed("a compressed message is no part")
        }
    }

    private mutating func add(_ part: FlowPart, at now: Instant) throws(Problem) -> Whole? {
        let index = Int(part.index)
        if let known = unfinished[part.number], index < known.frontCount || known.ahead[index] != nil {
            return nil
        }
        // A compressed one begins with a byte more.
        let most = limits.messageBytes + 1
        guard part.size ?? 0 <= most else { throw .tooBig }
        var message = try message(part.number, isBinary: part.isBinary, at: now)
        guard message.isCompressed ?? part.isCompressed == part.isCompressed else {
            throw .malformed("the parts of a message contradict one another")
        }
        message.isCompressed = part.isCompressed
        if part.isLast {
            guard message.count ?? (index + 1) == index + 1, message.fits(index + 1)
            else { throw .malformed("a message in parts has two ends") }
            message.count = index + 1
            message.isOver = true
        }
        guard index < message.count ?? .max else { throw .malformed("a part is behind the last one") }
        guard message.bytes + part.bytes.count <= most else { throw .tooBig }
        if let size = part.size.map(Int.init) {
            guard message.size ?? size == size else { throw .malformed("a message in parts has two sizes") }
            message.expect(size)
        }
        message.add(part.bytes, at: index)
        return try put(message, part.number, at: now)
    }

    /// Takes a message out, to be put back; one of which nothing has come is new.
    private mutating func message(
        _ number: UInt64, isBinary: Bool, at now: Instant
    ) throws(Problem) -> Unfinished {
        guard let message = unfinished.removeValue(forKey: number) else {
            return Unfinished(isBinary: isBinary, touched: now)
        }
        bytes -= message.weight
        guard message.isBinary == isBinary else { throw .malformed("a message comes in two manners") }
        return message
    }

    private mutating func put(
        _ message: Unfinished, _ number: UInt64, at now: Instant
    ) throws(Problem) -> Whole? {
        var message = message
        message.touched = now
        unfinished[number] = message
        bytes += message.weight
        order.remove(number)
        order.insert(number)
        guard message.isOver, message.frontCount == message.count else { return nil }
        forget(number)
        let whole = message.front
        guard message.size ?? whole.count == whole.count else {
            throw .malformed("a message in parts is not as long as was said")
        }
        guard message.isCompressed == true else {
            return Whole(bytes: whole[...], algorithm: message.algorithm)
        }
        guard let algorithm = whole.first.flatMap(FlowCapabilities.Algorithm.init(byte:)) else {
            throw .malformed("a message is compressed by nothing that is known")
        }
        return Whole(bytes: whole.dropFirst(), algorithm: algorithm)
    }

    /// The number is never used again.
    private mutating func forget(_ number: UInt64) {
        order.remove(number)
        if let message = unfinished.removeValue(forKey: number) {
            bytes -= message.weight
        }
        guard over.insert(number).inserted else { return }
        overInOrder.append(number)
        if over.count > Self.remembered, let oldest = overInOrder.popFirst() { over.remove(oldest) }
    }
}
