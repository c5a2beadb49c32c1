// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What belongs to one link and dies with it: what has come in parts, what is gathered, and what goes in parts.
struct LinkFlow: Sendable {
    /// A message that is large, or has to wait behind one that is.
    struct Bulk: Sendable {
        fileprivate(set) var departure: Departure
        fileprivate(set) var shape: Shape
        fileprivate(set) var size: Int
        /// It goes again, so that nothing that counts goes before it; it is numbered and kept already.
        let isAgain: Bool
        /// When it had its last turn.
        fileprivate var turn: UInt64 = 0
    }

    /// How a message goes.
    enum Shape: Sendable {
        /// This work writes it first.
        case underWay(UInt64)
        /// As one that had not to wait.
        case whole
        /// As this.
        case ready(Message)
        case parts(MessageParts)
    }

    let features: FlowCapabilities
    var parts: PartTable
    var partsDue: DeadlineQueue<ConnectionID>.Ticket?
    /// What came and waits to be heard.
    var arrivals = HeldArrivals()
    /// What goes together, and is numbered already.
    var gathered: [Departure] = []
    var gatheredBytes = 0
    var gatheredDue: DeadlineQueue<ConnectionID>.Ticket?
    /// What goes in parts, in turns, and what waits behind it.
    private(set) var bulk = Queue<Bulk>()
    private(set) var bulkBytes = 0
    private var lastTurn: UInt64 = 0
    private var bulkChannels: [Value: Int] = [:]
    private var bulkAnswers = 0
    private var lastNumber: UInt64 = 0
    /// Whether the one who runs the server was asked to say when there is room for more.
    var awaitsRoom = false

    init(_ features: FlowCapabilities, messageBytes: Int, timeout: Duration) {
        self.features = features
        parts = PartTable(
            limits: PartTable.Limits(
                messageBytes: messageBytes, partBytes: features.maximumChunkBytes, timeout: timeout))
    }

    mutating func newNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    // MARK: In parts

    /// Whether a message must not overtake what goes in parts.
    ///
    /// The messages of a channel, or the events of one name, keep their order; so do answers, which clients tell apart by it
    /// alone, and a pong, which says that those before it were given. Behind what goes again all does that counts.
    func mustWait(_ departure: Departure) -> Bool {
        guard let first = bulk.first else { return false }
        if first.isAgain, departure.said.isCounted { return true }
        if let channel = departure.place, bulkChannels[channel] != nil { return true }
        return bulkAnswers > 0 && (departure.kind == .answer || departure.kind == .pong)
    }

    /// Whether more than this waits beside the largest message, which may be of any size.
    func holdsMore(than bytes: Int) -> Bool {
        guard bulkBytes > bytes else { return false }
        return bulkBytes - (bulk.map(\.size).max() ?? 0) > bytes
    }

    mutating func append(_ departure: Departure, _ shape: Shape, size: Int, isAgain: Bool = false) {
        // What goes again is counted with what is kept.
        bulk.append(Bulk(departure: departure, shape: shape, size: isAgain ? 0 : size, isAgain: isAgain))
        bulkBytes += isAgain ? 0 : size
        if let channel = departure.place { bulkChannels[channel, default: 0] += 1 }
        if departure.kind == .answer { bulkAnswers += 1 }
    }

    private mutating func remove(at index: Int) -> Bulk {
        let removed = bulk.remove(at: index)
        bulkBytes -= removed.size
        if let channel = removed.departure.place, let count = bulkChannels[channel] {
            bulkChannels[channel] = count > 1 ? count - 1 : nil
        }
        if removed.departure.kind == .answer { bulkAnswers -= 1 }
        return removed
    }

    /// The message that goes next, as it goes, or the parts of it that do; whether it was the last of them.
    mutating func takeNext() -> (bulk: Bulk, shape: TakenShape, isLast: Bool)? {
        guard let index = nextInTurn else { return nil }
        guard case .parts(var parts) = bulk[index].shape else {
            let next = remove(at: index)
            if case .ready(let message) = next.shape { return (next, .ready(message), true) }
            return (next, .whole, true)
        }
        let taken = TakenShape.parts(parts.takeNext())
        guard parts.isDone else {
            lastTurn += 1
            bulk[index].turn = lastTurn
            bulk[index].shape = .parts(parts)
            return (bulk[index], taken, false)
        }
        return (remove(at: index), taken, true)
    }

    enum TakenShape {
        case whole
        case ready(Message)
        case parts([FlowEnvelope])
    }

    /// Whether something could go that is not being written still.
    var hasNext: Bool { nextInTurn != nil }

    /// What overtakes nothing that it must not: the first that goes whole, or of those in parts the one whose last turn is the
    /// oldest.
    private var nextInTurn: Int? {
        guard let first = bulk.first else { return nil }
        if first.isAgain {
            if case .underWay = first.shape { return nil }
            return 0
        }
        var channels: Set<Value> = []
        var hasAnswer = false
        var next: Int?
        for index in bulk.indices {
            let departure = bulk[index].departure
            let isOrdered = departure.kind == .answer || departure.kind == .pong
            let isBehind =
                (hasAnswer && isOrdered) || departure.place.map(channels.contains) ?? false
            if let channel = departure.place { channels.insert(channel) }
            if departure.kind == .answer { hasAnswer = true }
            guard !isBehind else { continue }
            switch bulk[index].shape {
            case .underWay: continue
            case .whole, .ready: return index
            case .parts: if next.map({ bulk[index].turn < bulk[$0].turn }) ?? true { next = index }
            }
        }
        return next
    }

    // MARK: Being written

    private func index(of work: UInt64) -> Int? {
        bulk.firstIndex { if case .underWay(work) = $0.shape { true } else { false } }
    }

    /// What this work writes; nil when it is not here.
    func bulk(of work: UInt64) -> Bulk? { index(of: work).map { bulk[$0] } }

    mutating func written(_ work: UInt64, _ message: Message, _ shape: Shape) {
        guard let index = index(of: work) else { return }
        bulk[index].departure.message = message
        bulk[index].shape = shape
        guard !bulk[index].isAgain else { return }
        bulkBytes += message.bytes.count - bulk[index].size
        bulk[index].size = message.bytes.count
    }

    /// A message cannot be written.
    mutating func giveUp(_ work: UInt64) {
        if let index = index(of: work) { _ = remove(at: index) }
    }
}

extension Departure {
    /// Within what it keeps its order: a channel, the events of its name, or all that is pushed to a user of Sente.
    ///
    /// What became of a publish or a request is of no channel: behind its own delivery it would hold up all other answers.
    fileprivate var place: Value? {
        switch said {
        case .published, .publishRefused, .requestTaken, .requestRefused: nil
        case .application(let event): event[0]
        case .batch: .null
        default: said.channel
        }
    }
}
