// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import SenteWire

/// What comes of a client's message.
extension ServerSession {
    mutating func receive(_ message: Message, from id: ConnectionID) {
        guard let place = connections.index(forKey: id) else { return }
        connections.values[place].messageCount += 1
        connections.values[place].lastActivity = now.wallMilliseconds
        let count = connections.values[place].messageCount - connections.values[place].earlierMessages
        counters.received.add(message)
        record(.messageReceived) { ["conn-id": $0.field(id), "size": Value(message.bytes.count)] }
        if family == .sente { noteMessage(from: id) }
        if outbox.isFaulty {
            let faults = outbox.faults(of: id)
            if let ending = faults.ending, count >= faults.endingAfter {
                return end(id, ending)
            }
        }
        guard fits(message) else { return refuse(message, from: id) }
        if !flows.isEmpty, agreesOnMore(id) { return arrived(message, from: id) }
        let said = dialect.decode(message)
        if said == .unreadable { return refuseUnreadable(message, from: id) }
        interpret(said, message.bytes.count, from: id)
    }

    mutating func refuseUnreadable(_ message: Message, from id: ConnectionID) {
        counters.unreadableMessages += 1
        recordUnreadable(message, from: id)
        if !flows.isEmpty, takeUnreadable(message.bytes.count, from: id) { return }
        sendError(.unreadable, to: id)
    }

    /// `isUnfolded`: it came in an envelope.
    mutating func interpret(
        _ said: ClientMessage, _ bytes: Int, isUnfolded: Bool = false, from id: ConnectionID
    ) {
        if case .traced(let said, let fields) = said {
            trace = trace(of: fields)
            defer { trace = nil }
            return interpret(said, bytes, isUnfolded: isUnfolded, from: id)
        }
        record(.messageParsed) {
            [
                "conn-id": $0.field(id), "type": said.type.map { .string($0) }, "size": Value(bytes),
                "format": $0.formatField,
            ]
        }
        record(.messageRouting) { ["conn-id": $0.field(id), "type": said.type.map { .string($0) }] }
        answer = nil
        if case .flow(let word, let callback) = said {
            take(word, callback, bytes, isUnfolded: isUnfolded, from: id)
        } else {
            routeOnce(said, from: id)
        }
        if !flows.isEmpty { count(said, bytes, from: id) }
        record(.messageProcessed) {
            [
                "conn-id": $0.field(id), "type": said.type.map { .string($0) },
                "response-type": $0.answer.map { .string($0.type) },
            ]
        }
    }

    mutating func route(_ message: ClientMessage, from id: ConnectionID) {
        switch message {
        case .subscribe(let channel): subscribe(id, to: channel)
        case .unsubscribe(let channel): unsubscribe(id, from: channel)
        case .publish(let channel, let data, let excludesSender, _):
            publish(data, to: channel, from: id, excludesSender: excludesSender)
        case .request(let channel, let data, let milliseconds, _):
            request(data, on: channel, from: id, milliseconds)
        case .respond(let requestID, let data, let isError, _):
            respond(data, to: requestID, from: id, isError: isError)
        case .ping(let stamp):
            send(.pong(stamp: stamp), to: id, as: .pong)
            if family == .sente { tell([.keyword("chsk/ws-ping")], from: id) }
        case .pong:
            let time = now.instant
            connections[id]?.lastPong = time
            send(.pongAcknowledged, to: id, as: .pong)
            if family == .sente { tell([.keyword("chsk/ws-pong")], from: id) }
        case .listChannels: send(.channels(channels.reports), to: id, as: .answer)
        case .listSubscriptions:
            send(.subscriptions(connections[id].map { Array($0.subscriptions) } ?? []), to: id, as: .answer)
        case .flood(let channel, let data, let count): flood(id, with: data, on: channel, count)
        case .event(let event, let callback):
            guard let signals = remoteSignals(inEvent: event) else { return take(event, callback, from: id) }
            take(signals, from: id)
            if let callback { reply(.keyword("ok"), callback, to: id) }
        case .other(let value):
            if let signals = remoteSignals(inFrame: value) { return take(signals, from: id) }
            if configuration.hasHook { return effects.append(.ask(id, value)) }
            send(.echo(value, name: name(of: id) ?? ""), to: id, as: .answer)
        case .traced(let said, _): route(said, from: id)
        case .flow, .ignored, .unreadable: break
        }
    }

    /// sente-lite's later family counts characters, in UTF-16.
    private func fits(_ message: Message) -> Bool {
        let limit = configuration.maximumMessageBytes
        if message.bytes.count <= limit { return true }
        return family == .vectors && message.string.utf16.count <= limit
    }

    private mutating func refuse(_ message: Message, from id: ConnectionID) {
        counters.oversizedMessages += 1
        recordUnprocessed(
            "message-too-big", "The message is larger than the server allows.", size: message.bytes.count,
            from: id)
        // A client that sends again what was not counted would have it handled twice.
        guard family == .vectors, flows[id]?.session == nil else {
            return end(id, .close(.messageTooBig, "the message is too big"))
        }
        // It closes, and handles the message all the same: what is published still reaches the others.
        let name = name(of: id)
        end(id, .close(.normal, ""))
        guard case .publish(let channel, let data, _, _) = dialect.decode(message).untraced else { return }
        publish(data, to: channel, from: nil, named: name, excludesSender: false)
    }
}
