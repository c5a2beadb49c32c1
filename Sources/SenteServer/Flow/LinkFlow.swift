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
    }

    let features: FlowCapabilities
    var parts: PartTable
    var partsDue: DeadlineQueue<ConnectionID>.Ticket?
    /// What goes together, and is numbered already.
    var gathered: [Departure] = []
    var gatheredBytes = 0
    var gatheredDue: DeadlineQueue<ConnectionID>.Ticket?
    /// What goes in parts, in its order.
    private(set) var bulk = Queue<Bulk>()
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
    /// The messages of a channel keep their order; so do answers, which clients tell apart by it alone, and a pong, which says
    /// that those before it were given.
    func mustWait(_ departure: Departure) -> Bool {
        guard !bulk.isEmpty else { return false }
        if let channel = departure.said.channel, bulkChannels[channel] != nil { return true }
        return bulkAnswers > 0 && (departure.kind == .answer || departure.kind == .pong)
    }

    mutating func append(_ departure: Departure, _ parts: MessageParts?) {
        bulk.append(Bulk(departure: departure, parts: parts))
        if let channel = departure.said.channel { bulkChannels[channel, default: 0] += 1 }
        if departure.kind == .answer { bulkAnswers += 1 }
    }

    /// The message that is first and whole, or the parts of it that go next; whether it was the last of them.
    mutating func takeNext() -> (departure: Departure, parts: [FlowEnvelope]?, isLast: Bool)? {
        guard var first = bulk.first else { return nil }
        let parts = first.parts?.takeNext()
        let isLast = first.parts?.isDone ?? true
        if !isLast {
            bulk[bulk.startIndex] = first
            return (first.departure, parts, false)
        }
        _ = bulk.popFirst()
        if let channel = first.departure.said.channel, let count = bulkChannels[channel] {
            bulkChannels[channel] = count > 1 ? count - 1 : nil
        }
        if first.departure.kind == .answer { bulkAnswers -= 1 }
        return (first.departure, parts, true)
    }
}
