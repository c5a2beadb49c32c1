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
    /// What goes together, and is numbered already.
    var gathered: [Departure] = []
    var gatheredBytes = 0
    var gatheredDue: DeadlineQueue<ConnectionID>.Ticket?
    /// What goes in parts, in turns, and what waits behind it.
    private(set) var bulk = Queue<Bulk>()
    /// What went in parts, and the client has not said to have heard.
    private var unheard: [UInt64: Order] = [:]
    private(set) var bulkBytes = 0
    private var lastTurn: UInt64 = 0
    /// How many of both have a place, and are answers.
    private var places: [Value: Int] = [:]
    private var answers = 0
    /// How many of those that are unheard go again.
    private var unheardAgain = 0
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
        if bulk.first?.isAgain == true || unheardAgain > 0, departure.said.isCounted { return true }
        if let place = departure.place, places[place] != nil { return true }
        return answers > 0 && (departure.kind == .answer || departure.kind == .pong)
    }

    /// Whether some message may have to wait.
    var holdsUp: Bool { !bulk.isEmpty || !unheard.isEmpty }

    /// Whether more than this waits beside the largest message, which may be of any size.
    func holdsMore(than bytes: Int) -> Bool {
        guard bulkBytes > bytes else { return false }
        return bulkBytes - (bulk.map(\.size).max() ?? 0) > bytes
    }

    mutating func append(_ departure: Departure, _ shape: Shape, size: Int, isAgain: Bool = false) {
        // What goes again is counted with what is kept.
        bulk.append(Bulk(departure: departure, shape: shape, size: isAgain ? 0 : size, isAgain: isAgain))
        bulkBytes += isAgain ? 0 : size
        let order = Order(departure, isAgain: isAgain)
        if let place = order.place { places[place, default: 0] += 1 }
        if order.isAnswer { answers += 1 }
    }

    /// What of a message others look at that must not overtake it.
    private struct Order: Sendable {
        let place: Value?
        let isAnswer: Bool
        let isAgain: Bool

        init(_ departure: Departure, isAgain: Bool) {
            place = departure.place
            isAnswer = departure.kind == .answer
            self.isAgain = isAgain
        }
    }

    /// Nothing waits for a message any more.
    private mutating func release(_ order: Order) {
        if let place = order.place, let count = places[place] { places[place] = count > 1 ? count - 1 : nil }
        if order.isAnswer { answers -= 1 }
    }

    /// Takes a message out; others wait for one in parts until the client has heard it.
    private mutating func remove(at index: Int) -> Bulk {
        let removed = bulk.remove(at: index)
        bulkBytes -= removed.size
        let order = Order(removed.departure, isAgain: removed.isAgain)
        if case .parts(let parts) = removed.shape, features.acknowledgesChunks {
            unheard[parts.number] = order
            if order.isAgain { unheardAgain += 1 }
        } else {
            release(order)
        }
        return removed
    }

    /// Whether more went than could be on their way, so that the client cannot mean to say that it has heard them.
    var isNotHeard: Bool { unheard.count > Self.maximumUnheard }

    private static let maximumUnheard = 1_024

    /// The client has heard what went in parts of this number.
    mutating func heard(_ number: UInt64) {
        guard let order = unheard.removeValue(forKey: number) else { return }
        if order.isAgain { unheardAgain -= 1 }
        release(order)
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
            switch first.shape {
            case .underWay: return nil
            case .parts: return 0
            case .whole, .ready: return unheardAgain > 0 ? nil : 0
            }
        }
        var before: [Value: Int] = [:]
        var answersBefore = 0
        var next: Int?
        for index in bulk.indices {
            let order = Order(bulk[index].departure, isAgain: false)
            let isOrdered = order.isAnswer || bulk[index].departure.kind == .pong
            let isBehind = (answersBefore > 0 && isOrdered) || order.place.map { before[$0] != nil } ?? false
            if let place = order.place { before[place, default: 0] += 1 }
            if order.isAnswer { answersBefore += 1 }
            guard !isBehind else { continue }
            switch bulk[index].shape {
            case .underWay: continue
            case .whole, .ready:
                guard !isUnheard(order, isOrdered) else { continue }
                return index
            case .parts: if next.map({ bulk[index].turn < bulk[$0].turn }) ?? true { next = index }
            }
        }
        return next
    }

    /// Whether a message has to wait for one that went in parts to be heard; another in parts has not, for those are heard in order.
    private func isUnheard(_ order: Order, _ isOrdered: Bool) -> Bool {
        unheard.values.contains {
            $0.isAgain || $0.place != nil && $0.place == order.place || $0.isAnswer && isOrdered
        }
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
