// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What a message is to the connection it goes to; faults tell these apart.
enum Manner: Hashable, Sendable {
    case greeting
    /// Answers a message of this connection, in its order.
    case answer
    /// `pong` and `pong-ack`: an answer that is never left out.
    case pong
    /// `rpc-response` and Sente's replies: they have an id, so their order is free.
    case response
    /// What nobody here asked for: deliveries, heartbeats, requests of others.
    case push
}

/// When the last held-up message of each kind is due on one connection, so that each kind stays in order.
struct Line: Sendable {
    var answersDue = Instant.distantPast
    var pushesDue = Instant.distantPast
    /// An `rpc-response` that waits for the next one to go first.
    var held: Message?
}

/// The faults in force, and the messages they hold up.
struct Outbound: Sendable {
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
    private var lines: [ConnectionID: Line] = [:]
    private let limits: ServerConfiguration.TableLimits
    /// Whether anything can happen to a message but being sent.
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
        lines[id] = nil
        refresh()
    }

    private mutating func refresh() {
        isFaulty = !special.isEmpty || !waiting.isEmpty || !lines.isEmpty || faults != Faults()
    }

    mutating func post(
        _ message: Message, to id: ConnectionID, as manner: Manner, at now: Instant,
        into effects: inout [ServerEffect]
    ) {
        guard isFaulty else { return effects.append(.send(id, message)) }
        let faults = faults(of: id)
        if faults.isSilent || (manner == .greeting && faults.neverGreets) { return }
        switch (faults.replies, manner) {
        case (.never, .answer), (.never, .response): break
        case (.late(let late), .answer), (.late(let late), .response), (.late(let late), .pong):
            line(message, to: id, as: manner, after: faults.delay + late, at: now, into: &effects)
        case (.twice, .response):
            line(message, to: id, as: manner, after: faults.delay, at: now, into: &effects)
            line(message, to: id, as: manner, after: faults.delay, at: now, into: &effects)
        case (.outOfOrder, .response):
            if let earlier = lines[id]?.held {
                lines[id]?.held = nil
                line(message, to: id, as: manner, after: faults.delay, at: now, into: &effects)
                line(earlier, to: id, as: manner, after: faults.delay, at: now, into: &effects)
            } else {
                lines[id, default: Line()].held = message
                waiting.add(.release(id), due: now.advanced(by: .seconds(1)))
            }
        default:
            let wait = manner == .push ? faults.delay + faults.pushesLate : faults.delay
            line(message, to: id, as: manner, after: wait, at: now, into: &effects)
        }
    }

    /// Sends what is due, at most what was waiting.
    mutating func release(by now: Instant, into effects: inout [ServerEffect]) {
        guard !waiting.isEmpty else { return }
        while let next = waiting.take(by: now) { perform(next, into: &effects) }
        refresh()
    }

    private mutating func line(
        _ message: Message, to id: ConnectionID, as manner: Manner, after wait: Duration, at now: Instant,
        into effects: inout [ServerEffect]
    ) {
        let isPush = manner == .push || manner == .greeting
        let line = lines[id]
        let before = (isPush ? line?.pushesDue : line?.answersDue) ?? .distantPast
        let due = max(now.advanced(by: wait), before)
        guard due > now else { return effects.append(.send(id, message)) }
        if isPush {
            lines[id, default: Line()].pushesDue = due
        } else {
            lines[id, default: Line()].answersDue = due
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
            // A line is made with the first wait and goes with its connection.
            if lines[id] != nil { effects.append(.send(id, message)) }
        case .release(let id):
            guard let message = lines[id]?.held else { return }
            lines[id]?.held = nil
            effects.append(.send(id, message))
        }
    }
}
