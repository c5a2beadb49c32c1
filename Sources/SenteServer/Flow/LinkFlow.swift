// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What belongs to one link and dies with it: what has come in parts, what is gathered, and what goes in parts.
struct LinkFlow: Sendable {
    /// A message that goes in parts, or has to wait behind one that does.
    struct Bulk: Sendable {
        let departure: Departure
        /// Nil for one that goes whole.
        var parts: MessageParts?
        /// When it had its last turn.
        fileprivate var turn: UInt64 = 0

        init(departure: Departure, parts: MessageParts?) {
            self.departure = departure
            self.parts = parts
        }
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
    /// alone, and a pong, which says that those before it were given.
    func mustWait(_ departure: Departure) -> Bool {
        guard !bulk.isEmpty else { return false }
        if let channel = departure.place, bulkChannels[channel] != nil { return true }
        return bulkAnswers > 0 && (departure.kind == .answer || departure.kind == .pong)
    }

    /// Whether more than this waits beside the largest message, which may be of any size.
    func holdsMore(than bytes: Int) -> Bool {
        guard bulkBytes > bytes else { return false }
        return bulkBytes - (bulk.map(\.departure.message.bytes.count).max() ?? 0) > bytes
    }

    mutating func append(_ departure: Departure, _ parts: MessageParts?) {
        bulk.append(Bulk(departure: departure, parts: parts))
        bulkBytes += departure.message.bytes.count
        if let channel = departure.place { bulkChannels[channel, default: 0] += 1 }
        if departure.kind == .answer { bulkAnswers += 1 }
    }

    /// The message that goes next, or the parts of it that do; whether it was the last of them.
    mutating func takeNext() -> (departure: Departure, parts: [FlowEnvelope]?, isLast: Bool)? {
        guard let index = nextInTurn else { return nil }
        var next = bulk[index]
        let parts = next.parts?.takeNext()
        if next.parts?.isDone == false {
            lastTurn += 1
            next.turn = lastTurn
            bulk[index] = next
            return (next.departure, parts, false)
        }
        _ = bulk.remove(at: index)
        bulkBytes -= next.departure.message.bytes.count
        if let channel = next.departure.place, let count = bulkChannels[channel] {
            bulkChannels[channel] = count > 1 ? count - 1 : nil
        }
        if next.departure.kind == .answer { bulkAnswers -= 1 }
        return (next.departure, parts, true)
    }

    /// What overtakes nothing that it must not: the first that goes whole, or of those in parts the one whose last turn is the
    /// oldest.
    private var nextInTurn: Int? {
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
            guard bulk[index].parts != nil else { return index }
            if next.map({ bulk[index].turn < bulk[$0].turn }) ?? true { next = index }
        }
        return next
    }
}

extension Departure {
    /// Within what it keeps its order: a channel, the events of its name, or all that is pushed to a user of Sente.
    fileprivate var place: Value? {
        switch said {
        case .application(let event): event[0]
        case .batch: .null
        default: said.channel
        }
    }
}
