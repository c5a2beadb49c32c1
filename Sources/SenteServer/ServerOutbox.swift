// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The kinds of messages that faults tell apart.
enum MessageKind: Hashable, Sendable {
    case greeting
    /// Answers a message of this connection, in its order.
    case answer
    /// `pong` and `pong-ack`: an answer that is never left out.
    case pong
    /// `rpc-response` and Sente's replies: they have an id, so their order is free.
    case response
    /// A message that this connection did not ask for: a delivery, a heartbeat, a request of another.
    case push
}

/// When the last held-up message of each kind is due on one connection, so that each kind stays in order.
struct SendOrder: Sendable {
    var answersDue = Instant.distantPast
    var pushesDue = Instant.distantPast
    /// An `rpc-response` that waits for the next one to go first.
    var held: Departure?
}

/// A message on its way to a connection.
struct Departure: Sendable {
    let id: ConnectionID
    /// As it is written; one that is being written elsewhere has no bytes yet.
    var message: Message
    let said: ServerMessage
    /// What it is as a value; nil for one that cannot go with others.
    let value: Value?
    let kind: MessageKind

    init(_ id: ConnectionID, _ encoded: ServerSession.Encoded, as kind: MessageKind) {
        self.id = id
        (said, value, message) = encoded
        self.kind = kind
    }
}

/// The faults in force, and the messages they hold up.
struct ServerOutbox: Sendable {
    enum Waiting {
        case message(Departure)
        /// The held response of a connection goes without a successor.
        case release(ConnectionID)

        var bytes: Int {
            if case .message(let departure) = self { departure.message.bytes.count } else { 0 }
        }
    }

    private var faults: Faults
    private var special: [ConnectionID: Faults] = [:]
    private var waiting = DeadlineQueue<Waiting>()
    private var waitingBytes = 0
    private var orders: [ConnectionID: SendOrder] = [:]
    private let limits: ServerConfiguration.TableLimits
    /// Whether any fault is set or any message held up.
    private(set) var isFaulty: Bool

    init(faults: Faults, limits: ServerConfiguration.TableLimits) {
        self.faults = faults
        self.limits = limits
        isFaulty = faults != Faults()
    }

    var deadline: Instant? { waiting.earliest }
    var steps: Int { waiting.steps }

    func faults(of id: ConnectionID?) -> Faults { id.flatMap { special[$0] } ?? faults }

    mutating func setFaults(_ faults: Faults, of id: ConnectionID?) {
        if let id {
            special[id] = faults
        } else {
            self.faults = faults
            special = [:]
        }
        refresh()
    }

    mutating func forget(_ id: ConnectionID) {
        special[id] = nil
        orders[id] = nil
        refresh()
    }

    private mutating func refresh() {
        isFaulty = !special.isEmpty || !waiting.isEmpty || !orders.isEmpty || faults != Faults()
    }

    /// What goes now joins the departures.
    mutating func send(_ departure: Departure, at now: Instant, into departures: inout [Departure]) {
        let (id, kind) = (departure.id, departure.kind)
        let faults = faults(of: id)
        if faults.isSilent || (kind == .greeting && faults.neverGreets) { return }
        switch (faults.replies, kind) {
        case (.never, .answer), (.never, .response): break
        case (.late(let late), .answer), (.late(let late), .response), (.late(let late), .pong):
            enqueue(departure, as: kind, after: faults.delay + late, at: now, into: &departures)
        case (.twice, .response):
            enqueue(departure, as: kind, after: faults.delay, at: now, into: &departures)
            enqueue(departure, as: kind, after: faults.delay, at: now, into: &departures)
        case (.outOfOrder, .response):
            if let earlier = orders[id]?.held {
                orders[id]?.held = nil
                enqueue(departure, as: kind, after: faults.delay, at: now, into: &departures)
                enqueue(earlier, as: kind, after: faults.delay, at: now, into: &departures)
            } else {
                orders[id, default: SendOrder()].held = departure
                waiting.add(.release(id), due: now.advanced(by: .seconds(1)))
            }
        default:
            let wait = kind == .push ? faults.delay + faults.pushesLate : faults.delay
            enqueue(departure, as: kind, after: wait, at: now, into: &departures)
        }
    }

    /// Sends what is due, at most what was waiting.
    mutating func release(by now: Instant, into departures: inout [Departure]) {
        guard !waiting.isEmpty else { return }
        while let next = waiting.take(by: now) { perform(next, into: &departures) }
        refresh()
    }

    private mutating func enqueue(
        _ departure: Departure, as kind: MessageKind, after wait: Duration, at now: Instant,
        into departures: inout [Departure]
    ) {
        let id = departure.id
        let isPush = kind == .push || kind == .greeting
        let order = orders[id]
        let before = (isPush ? order?.pushesDue : order?.answersDue) ?? .distantPast
        let due = max(now.advanced(by: wait), before)
        guard due > now else { return departures.append(departure) }
        if isPush {
            orders[id, default: SendOrder()].pushesDue = due
        } else {
            orders[id, default: SendOrder()].answersDue = due
        }
        waiting.add(.message(departure), due: due)
        waitingBytes += departure.message.bytes.count
        while waiting.count > limits.delayedMessages || waitingBytes > limits.delayedBytes,
            let next = waiting.take(by: nil)
        { perform(next, into: &departures) }
    }

    private mutating func perform(_ next: Waiting, into departures: inout [Departure]) {
        waitingBytes -= next.bytes
        switch next {
        case .message(let departure):
            // An order is made with the first wait and goes with its connection.
            if orders[departure.id] != nil { departures.append(departure) }
        case .release(let id):
            guard let departure = orders[id]?.held else { return }
            orders[id]?.held = nil
            departures.append(departure)
        }
    }
}
