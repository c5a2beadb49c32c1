// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// The messages of which parts have come, on one link.
///
/// Parts come in any order, and one that came before changes nothing. Those whose turn it is are put together at once, in memory
/// of the size that was announced. What is kept is bounded, what was announced and the bookkeeping included. A message whose
/// parts stay away, or for which there is no room, is given up, and its number remembered so that late parts open nothing; where
/// both ends count messages that would let the counts drift, so there the link ends instead.
package struct Reassembly: Sendable {
    package struct Limits: Hashable, Sendable {
        /// The largest message, in bytes of all its parts.
        package var messageBytes: Int
        /// What all unfinished messages may take together; never less than one message.
        package var bytes: Int
        /// How many parts a message may have.
        package var parts: Int
        /// How long no part of a message may come.
        package var timeout: Duration
        /// Whether the link ends where a message would have to be given up.
        package var losesNothing: Bool

        package init(
            messageBytes: Int, bytes: Int? = nil, parts: Int = 1_024, timeout: Duration = .seconds(30),
            losesNothing: Bool = false
        ) {
            self.messageBytes = messageBytes
            self.bytes = max(bytes ?? messageBytes + 16 << 20, messageBytes + parts * Reassembly.partOverhead)
            self.parts = parts
            self.timeout = timeout
            self.losesNothing = losesNothing
        }
    }

    /// What a part was.
    package enum Arrival: Hashable, Sendable {
        /// More parts are due.
        case unfinished
        /// It came before, or its message is over.
        case late
        case whole(Assembled)
    }

    /// What was given up, for the metrics.
    package struct Losses: Hashable, Sendable {
        /// For want of parts.
        package var timeouts = 0
        /// For want of room.
        package var evictions = 0
        /// Because the peer said so.
        package var aborts = 0

        package init(timeouts: Int = 0, evictions: Int = 0, aborts: Int = 0) {
            self.timeouts = timeouts
            self.evictions = evictions
            self.aborts = aborts
        }
    }

    /// What is kept of unfinished messages, for the metrics.
    package struct Holding: Hashable, Sendable {
        package var messages = 0
        package var bytes = 0
        /// The most bytes so far.
        package var peakBytes = 0

        package init(messages: Int = 0, bytes: Int = 0, peakBytes: Int = 0) {
            self.messages = messages
            self.bytes = bytes
            self.peakBytes = peakBytes
        }
    }

    /// What a part is counted for beside its bytes, and a message beside its parts.
    private static let partOverhead = 64
    private static let messageOverhead = 512
    /// How many messages may be unfinished at once, and how many that are over are remembered.
    private static let maximumMessages = 1_024

    private struct Unfinished: Sendable {
        /// The parts from the first on, one after the other, and how many they are.
        var joined: [UInt8] = []
        var joinedCount: UInt64 = 0
        /// Those before which others have not come.
        var early: [UInt64: ArraySlice<UInt8>] = [:]
        var bytes = 0
        /// How many parts there are, once that is known.
        var count: UInt64?
        /// How many bytes they have, where that was said.
        var size: UInt64?
        var algorithm: MessageCompression.Algorithm?
        /// Whether they came in binary messages, and in compressed ones; nil before the first.
        var manner: Manner?
        var hasEnded = false
        var touchedAt: Instant

        var weight: Int {
            Reassembly.messageOverhead + max(bytes, Int(clamping: size ?? 0))
                + (Int(joinedCount) + early.count) * Reassembly.partOverhead
        }
        var isWhole: Bool { hasEnded && joinedCount == count }
        /// Behind the last of those that came.
        var end: UInt64 { early.keys.max().map { $0 + 1 } ?? joinedCount }

        func has(_ index: UInt64) -> Bool { index < joinedCount || early[index] != nil }

        /// All parts will have so many bytes, and may.
        mutating func announce(_ size: UInt64) {
            self.size = size
            joined.reserveCapacity(Int(size))
        }

        mutating func add(_ part: ArraySlice<UInt8>, at index: UInt64) {
            bytes += part.count
            early[index] = part
            while let next = early.removeValue(forKey: joinedCount) {
                joined.append(contentsOf: next)
                joinedCount += 1
            }
        }
    }

    private enum Manner: Hashable, Sendable {
        case words
        case binary(namesAlgorithm: Bool)
    }

    package let limits: Limits
    private var unfinished: [UInt64: Unfinished] = [:]
    /// Their numbers, the one whose last part is oldest first.
    private var order = OrderedSet<UInt64>()
    private var over = Set<UInt64>()
    private var overInOrder = Queue<UInt64>()
    /// What is kept now, in bytes.
    package private(set) var bytes = 0
    /// The most that was kept, the message that was whole then included.
    private var peakBytes = 0
    package private(set) var losses = Losses()
    private var toldLosses = Losses()
    private var toldHolding = Holding()
    /// Whether there is anything to tell since this was asked last; kept, for it is asked with every message.
    package private(set) var hasNews = false
    /// When the next message is given up; kept, for it is asked with every step.
    package private(set) var deadline: Instant?

    package init(limits: Limits) {
        self.limits = limits
    }

    /// How many messages are unfinished.
    package var count: Int { unfinished.count }

    /// What is kept of unfinished messages.
    package var holding: Holding { Holding(messages: count, bytes: bytes, peakBytes: peakBytes) }

    /// What is kept, unless it is what it was when this was asked last.
    package mutating func takeHolding() -> Holding? {
        guard holding != toldHolding else { return nil }
        toldHolding = holding
        changed()
        return toldHolding
    }

    /// What was given up since this was asked last; nil for nothing.
    package mutating func takeLosses() -> Losses? {
        guard losses != toldLosses else { return nil }
        defer {
            toldLosses = losses
            changed()
        }
        return Losses(
            timeouts: losses.timeouts - toldLosses.timeouts,
            evictions: losses.evictions - toldLosses.evictions, aborts: losses.aborts - toldLosses.aborts)
    }

    /// What is unfinished has changed.
    private mutating func changed() {
        deadline = order.first.flatMap { unfinished[$0] }?.touchedAt.advanced(by: limits.timeout)
        hasNews = losses != toldLosses || holding != toldHolding
    }

    // MARK: What comes

    package mutating func start(_ start: ChunkStart, at now: Instant) throws(FlowViolation) -> Arrival {
        guard start.chunks > 0 else { throw Self.contradiction(start.number) }
        guard start.chunks <= limits.parts, start.size <= limits.messageBytes else {
            throw tooBig(start.number)
        }
        return try change(start.number, .words, at: now) { message throws(FlowViolation) in
            guard message.count.map({ $0 == start.chunks }) ?? true,
                message.size.map({ $0 == start.size }) ?? true,
                message.end <= start.chunks
            else { throw Self.contradiction(start.number) }
            guard message.size == nil else { return false }
            message.count = start.chunks
            message.announce(start.size)
            message.algorithm = start.algorithm
            return true
        }
    }

    package mutating func add(
        _ part: ChunkPart, isBinary: Bool, at now: Instant
    ) throws(FlowViolation) -> Arrival {
        guard part.index < limits.parts else { throw tooBig(part.number) }
        let manner: Manner = isBinary ? .binary(namesAlgorithm: part.namesAlgorithm) : .words
        let most = limits.messageBytes + (part.namesAlgorithm ? 1 : 0)
        let tooBig = tooBig(part.number)
        return try change(part.number, manner, at: now) { message throws(FlowViolation) in
            if part.isLast {
                guard message.count.map({ $0 == part.index + 1 }) ?? true,
                    message.end <= part.index + 1
                else { throw Self.contradiction(part.number) }
                message.count = part.index + 1
                message.hasEnded = true
            }
            guard part.index < message.count ?? .max else { throw Self.contradiction(part.number) }
            guard !message.has(part.index) else { return false }
            guard message.bytes + part.bytes.count <= most, part.size ?? 0 <= most else { throw tooBig }
            if let size = part.size {
                guard message.size ?? size == size else { throw Self.contradiction(part.number) }
                message.announce(size)
            }
            message.add(part.bytes, at: part.index)
            return true
        }
    }

    package mutating func end(_ number: UInt64, at now: Instant) throws(FlowViolation) -> Arrival {
        guard unfinished[number] != nil || over.contains(number) else {
            throw FlowViolation(
                .protocolError, "It ended the message in parts \(number), of which no part came.")
        }
        return try change(number, .words, at: now) { message throws(FlowViolation) in
            defer { message.hasEnded = true }
            return !message.hasEnded
        }
    }

    /// No more parts of it will come.
    package mutating func abort(_ number: UInt64) {
        guard remove(number) != nil else { return }
        losses.aborts += 1
        changed()
    }

    /// Gives up what has waited too long for its next part.
    package mutating func expire(at now: Instant) throws(FlowViolation) {
        while let deadline, deadline <= now {
            guard !limits.losesNothing else {
                throw FlowViolation(
                    .messageTooBig, "It sent no part of an unfinished message for \(limits.timeout).")
            }
            removeOldest()
            losses.timeouts += 1
            changed()
        }
    }

    // MARK: What is kept

    /// Changes an unfinished message, a new one at first; `body` says whether there was anything new.
    private mutating func change(
        _ number: UInt64, _ manner: Manner, at now: Instant,
        _ body: (inout Unfinished) throws(FlowViolation) -> Bool
    ) throws(FlowViolation) -> Arrival {
        guard !over.contains(number) else { return .late }
        defer { changed() }
        // Taken out, so that its parts are not copied.
        var message = unfinished.removeValue(forKey: number) ?? Unfinished(touchedAt: now)
        let isKnown = message.manner != nil
        if isKnown { bytes -= message.weight }
        let isNew: Bool
        do throws(FlowViolation) {
            guard message.manner ?? manner == manner else { throw Self.contradiction(number) }
            message.manner = manner
            isNew = try body(&message)
        } catch {
            order.remove(number)
            throw error
        }
        peakBytes = max(peakBytes, bytes + message.weight)
        if message.isWhole {
            order.remove(number)
            forget(number)
            return .whole(try assemble(number, message))
        }
        if isNew || !isKnown {
            message.touchedAt = now
            order.remove(number)
            order.insert(number)
        }
        unfinished[number] = message
        bytes += message.weight
        try makeRoom()
        return isNew ? .unfinished : .late
    }

    private func assemble(_ number: UInt64, _ message: Unfinished) throws(FlowViolation) -> Assembled {
        guard message.size.map({ $0 == message.bytes }) ?? true else { throw Self.contradiction(number) }
        var bytes = message.joined[...]
        guard message.manner == .binary(namesAlgorithm: true) else {
            return Assembled(bytes: bytes, algorithm: message.algorithm)
        }
        guard let algorithm = bytes.popFirst().flatMap(MessageCompression.Algorithm.init(code:)) else {
            throw FlowViolation(
                .protocolError, "It compressed a message in parts by nothing that was agreed on.")
        }
        return Assembled(bytes: bytes, algorithm: algorithm)
    }

    private mutating func makeRoom() throws(FlowViolation) {
        while bytes > limits.bytes || unfinished.count > Self.maximumMessages {
            guard !limits.losesNothing else {
                throw FlowViolation(
                    .messageTooBig,
                    "It has more unfinished messages on their way than \(limits.bytes) bytes hold.")
            }
            removeOldest()
            losses.evictions += 1
        }
    }

    private mutating func removeOldest() {
        if let number = order.first { _ = remove(number) }
    }

    private mutating func remove(_ number: UInt64) -> Unfinished? {
        guard let message = unfinished.removeValue(forKey: number) else { return nil }
        bytes -= message.weight
        order.remove(number)
        forget(number)
        return message
    }

    /// Its late parts open nothing.
    private mutating func forget(_ number: UInt64) {
        guard over.insert(number).inserted else { return }
        overInOrder.append(number)
        if overInOrder.count > Self.maximumMessages, let oldest = overInOrder.popFirst() {
            over.remove(oldest)
        }
    }

    // MARK: What is wrong

    private func tooBig(_ number: UInt64) -> FlowViolation {
        FlowViolation(
            .messageTooBig,
            "It sends a message in parts (\(number)) that is larger than \(limits.messageBytes) bytes or has more "
                + "than \(limits.parts) parts.")
    }

    private static func contradiction(_ number: UInt64) -> FlowViolation {
        FlowViolation(
            .protocolError, "It contradicted itself about the message in parts \(number).")
    }
}

/// A message all of whose parts have come.
package struct Assembled: Hashable, Sendable {
    package var bytes: ArraySlice<UInt8>
    package var algorithm: MessageCompression.Algorithm?

    package init(bytes: ArraySlice<UInt8>, algorithm: MessageCompression.Algorithm?) {
        self.bytes = bytes
        self.algorithm = algorithm
    }
}
