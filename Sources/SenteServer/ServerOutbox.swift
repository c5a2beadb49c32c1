// SPDX-License-Identifier: Apache-2.0

import SenteBase

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
    var held: Message?
}

/// The faults in force, and the messages they hold up.
struct ServerOutbox: Sendable {
    enum Waiting {
        case message(ConnectionID, Message)
        /// The held response of a connection goes without a successor.
        case release(ConnectionID)

        var bytes: Int {
            if case .message(_, let message) = self { message.bytes.count } else { 0 }
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

    mutating func send(
        _ message: Message, to id: ConnectionID, as kind: MessageKind, at now: Instant,
        into effects: inout [ServerEffect]
    ) {
        guard isFaulty else { return effects.append(.send(id, message)) }
        let faults = faults(of: id)
        if faults.isSilent || (kind == .greeting && faults.neverGreets) { return }
        switch (faults.replies, kind) {
        case (.never, .answer), (.never, .response): break
        case (.late(let late), .answer), (.late(let late), .response), (.late(let late), .pong):
            enqueue(message, to: id, as: kind, after: faults.delay + late, at: now, into: &effects)
        case (.twice, .response):
            enqueue(message, to: id, as: kind, after: faults.delay, at: now, into: &effects)
            enqueue(message, to: id, as: kind, after: faults.delay, at: now, into: &effects)
        case (.outOfOrder, .response):
            if let earlier = orders[id]?.held {
                orders[id]?.held = nil
                enqueue(message, to: id, as: kind, after: faults.delay, at: now, into: &effects)
                enqueue(earlier, to: id, as: kind, after: faults.delay, at: now, into: &effects)
            } else {
                orders[id, default: SendOrder()].held = message
                waiting.add(.release(id), due: now.advanced(by: .seconds(1)))
            }
        default:
            let wait = kind == .push ? faults.delay + faults.pushesLate : faults.delay
            enqueue(message, to: id, as: kind, after: wait, at: now, into: &effects)
        }
    }

    /// Sends what is due, at most what was waiting.
    mutating func release(by now: Instant, into effects: inout [ServerEffect]) {
        guard !waiting.isEmpty else { return }
        while let next = waiting.take(by: now) { perform(next, into: &effects) }
        refresh()
    }

    private mutating func enqueue(
        _ message: Message, to id: ConnectionID, as kind: MessageKind, after wait: Duration, at now: Instant,
        into effects: inout [ServerEffect]
    ) {
        let isPush = kind == .push || kind == .greeting
        let order = orders[id]
        let before = (isPush ? order?.pushesDue : order?.answersDue) ?? .distantPast
        let due = max(now.advanced(by: wait), before)
        guard due > now else { return effects.append(.send(id, message)) }
        if isPush {
            orders[id, default: SendOrder()].pushesDue = due
        } else {
            orders[id, default: SendOrder()].answersDue = due
        }
        waiting.add(.message(id, message), due: due)
        waitingBytes += message.bytes.count
        while waiting.count > limits.delayedMessages || waitingBytes > limits.delayedBytes,
            let next = waiting.take(by: nil)
        { perform(next, into: &effects) }
    }

    private mutating func perform(_ next: Waiting, into effects: inout [ServerEffect]) {
        waitingBytes -= next.bytes
        switch next {
        case .message(let id, let message):
            // An order is made with the first wait and goes with its connection.
            if orders[id] != nil { effects.append(.send(id, message)) }
        case .release(let id):
            guard let message = orders[id]?.held else { return }
            orders[id]?.held = nil
            effects.append(.send(id, message))
        }
    }
}
