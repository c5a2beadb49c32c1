// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

extension ServerSession {
    mutating func send(_ message: ServerMessage, to id: ConnectionID, as kind: MessageKind) {
        guard let (said, message) = encode(message, for: id) else { return }
        if kind == .answer || kind == .pong, answerType == nil { answerType = said.type }
        send(message, said, to: id, as: kind)
    }

    /// The message with its bytes; nil when the family has no such message, or a value cannot be written.
    mutating func encode(
        _ said: ServerMessage, for id: ConnectionID? = nil
    ) -> (said: ServerMessage, message: Message)? {
        if let message = dialect.encode(said, at: now) { return (said, message) }
        if said.carriesData {
            recordUnsent(
                said.type, to: id, "The message cannot be written in the server's dialect and format.")
        }
        return nil
    }

    /// An `error` frame, where the faults ask for one.
    mutating func sendError(_ reason: RejectionReason, _ requestID: String? = nil, to id: ConnectionID) {
        guard outbox.isFaulty, outbox.faults(of: id).sendsErrors else { return }
        send(.error(reason, requestID: requestID), to: id, as: .answer)
    }

    /// What a fault holds back, or a session without a link keeps, is not told of.
    mutating func send(_ message: Message, _ said: ServerMessage, to id: ConnectionID, as kind: MessageKind) {
        guard connections[id] != nil else { return }
        let before = effects.count
        let departure = Departure(id, message, flows.isEmpty || !said.isCounted ? nil : kind)
        if outbox.isFaulty {
            var departures: [Departure] = []
            outbox.send(departure, as: kind, at: now.instant, into: &departures)
            for departure in departures { depart(departure) }
        } else {
            depart(departure)
        }
        if effects.count > before { note(message, said, to: id) }
    }

    /// Hands a message to its connection's link; one that counts is kept until the client has it.
    mutating func depart(_ departure: Departure) {
        guard let connection = connections.index(forKey: departure.id) else { return }
        let link = connections.values[connection].link
        if let kind = departure.counted {
            keep(departure.message, isAnswer: kind != .push, for: departure.id)
        }
        if let link { effects.append(.send(link, departure.message)) }
    }

    mutating func note(_ message: Message, _ said: ServerMessage, to id: ConnectionID) {
        counters.sent.add(message)
        record(
            signal(
                .messageSent,
                [
                    "conn-id": field(id), "channel-id": said.channel, "type": .string(said.type),
                    "size": Value(message.bytes.count), "format": formatField,
                ]))
    }
}
