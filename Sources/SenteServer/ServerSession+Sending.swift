// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

extension ServerSession {
    /// A message as it is said, and written; without a value it cannot go with others.
    typealias Encoded = (said: ServerMessage, value: Value?, message: Message)

    /// A message to one connection or to several, which is written when the first of them takes it.
    struct Spelled {
        let said: ServerMessage
        let value: Value
        /// Whether it is written elsewhere than on the loop for those who take it in parts.
        var isLarge: Bool
        fileprivate(set) var message: Message?
        /// Its bytes, or about as many.
        var size: Int { message?.bytes.count ?? value.weight }
        /// The work that writes it, by what compresses it then.
        var works: [FlowCapabilities.Algorithm?: UInt64] = [:]
    }

    mutating func send(_ message: ServerMessage, to id: ConnectionID, as kind: MessageKind) {
        guard var spelled = spell(message, for: id), send(&spelled, to: id, as: kind) else { return }
        if kind == .answer || kind == .pong, answer == nil { answer = message }
    }

    /// Nil when the family has no such message.
    mutating func spell(_ said: ServerMessage, for id: ConnectionID? = nil) -> Spelled? {
        guard let value = dialect.value(of: said, at: now) else {
            recordUnwritten(said, to: id)
            return nil
        }
        return Spelled(said: said, value: value, isLarge: isLarge(value))
    }

    /// False for a value that cannot be written.
    mutating func send(_ spelled: inout Spelled, to id: ConnectionID, as kind: MessageKind) -> Bool {
        if spelled.isLarge, takesParts(id) {
            write(&spelled, to: id, as: kind)
            return true
        }
        guard let message = write(&spelled, for: id) else { return false }
        send((spelled.said, spelled.value, message), to: id, as: kind)
        return true
    }

    /// Nil for a value that cannot be written.
    mutating func write(_ spelled: inout Spelled, for id: ConnectionID? = nil) -> Message? {
        if spelled.message == nil { spelled.message = dialect.encode(spelled.value, of: spelled.said) }
        if spelled.message == nil { recordUnwritten(spelled.said, to: id) }
        return spelled.message
    }

    /// The message with its value and its bytes; nil when the family has no such message, or a value cannot be written.
    mutating func encode(
        _ said: ServerMessage, for id: ConnectionID? = nil
    ) -> Encoded? {
        if let value = dialect.value(of: said, at: now), let message = dialect.encode(value, of: said) {
            return (said, value, message)
        }
        recordUnwritten(said, to: id)
        return nil
    }

    mutating func recordUnwritten(_ said: ServerMessage, to id: ConnectionID?) {
        guard said.carriesData else { return }
        recordUnsent(
            said.type, to: id, "The message cannot be written in the server's dialect and format.")
    }

    /// An `error` frame, where the faults ask for one.
    mutating func sendError(_ reason: RejectionReason, _ requestID: String? = nil, to id: ConnectionID) {
        guard outbox.isFaulty, outbox.faults(of: id).sendsErrors else { return }
        send(.error(reason, requestID: requestID), to: id, as: .answer)
    }

    /// What a fault holds back, a session without a link keeps, or a client does not take, is not told of.
    mutating func send(_ encoded: Encoded, to id: ConnectionID, as kind: MessageKind) {
        let link = links[id]
        guard link != nil || connections.keys.contains(id) else { return }
        if !outbox.isFaulty, flows.isEmpty {
            guard let link else { return }
            effects.append(.send(link, encoded.message))
            return note(encoded.message, encoded.said, to: id)
        }
        let departure = Departure(id, encoded, as: kind)
        var hasLeft = false
        if outbox.isFaulty {
            var departures: [Departure] = []
            outbox.send(departure, at: now.instant, into: &departures)
            for departure in departures where depart(departure) { hasLeft = true }
        } else {
            hasLeft = depart(departure)
        }
        if link != nil, hasLeft { note(encoded.message, encoded.said, to: id) }
    }

    /// Hands a message to its connection's link, in the ways that were agreed on; whether its client takes one of its size.
    @discardableResult
    mutating func depart(_ departure: Departure) -> Bool {
        if !flows.isEmpty, let place = flows.index(forKey: departure.id),
            let features = flows.values[place].features
        {
            guard features.takes(departure.message) else {
                recordTooLarge(departure.said, to: departure.id)
                return false
            }
            pack(departure, features, place)
        } else if let link = links[departure.id] {
            effects.append(.send(link, departure.message))
        }
        return true
    }

    mutating func note(_ message: Message, _ said: ServerMessage, to id: ConnectionID) {
        counters.sent.add(message)
        record(.messageSent) {
            [
                "conn-id": $0.field(id), "channel-id": said.channel, "type": .string(said.type),
                "size": Value(message.bytes.count), "format": $0.formatField,
            ]
        }
    }
}
