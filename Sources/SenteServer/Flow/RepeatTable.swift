// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The ids that clients gave to messages, with what was answered to them: a message that comes again is not handled again.
struct RepeatTable: Sendable {
    struct Name: Hashable, Sendable {
        var owner: SessionOwner
        var messageID: WireName
    }

    private var answers: [Name: ServerMessage?] = [:]
    private var order = Queue<(name: Name, time: Instant)>()

    var count: Int { answers.count }

    /// What was answered, if the message came before; nil inside: nothing that is remembered.
    func answer(to name: Name) -> ServerMessage?? { answers[name] }

    mutating func add(
        _ name: Name, _ answer: ServerMessage?, _ limits: ServerConfiguration.Flow.Deduplication,
        at now: Instant
    ) {
        if answers.updateValue(answer, forKey: name) == nil { order.append((name, now)) }
        while order.count > limits.ids, let oldest = order.popFirst() { answers[oldest.name] = nil }
    }

    mutating func forget(_ limits: ServerConfiguration.Flow.Deduplication, at now: Instant) {
        while let oldest = order.first, oldest.time.duration(to: now) > limits.age {
            answers[oldest.name] = nil
            _ = order.popFirst()
        }
    }
}

extension ServerSession {
    /// A longer id is none.
    private static let maximumIDBytes = 256

    /// Routes a message, unless its client has sent it before, in an earlier life perhaps.
    mutating func routeOnce(_ message: ClientMessage, from id: ConnectionID) {
        guard !flows.isEmpty, let flow = flows[id], flow.features?.deduplication == true,
            let limits = configuration.flow.deduplication, let messageID = message.messageID,
            messageID.utf8.count <= Self.maximumIDBytes
        else { return route(message, from: id) }
        let name = RepeatTable.Name(owner: flow.owner, messageID: WireName(messageID))
        repeats.forget(limits, at: now.instant)
        if let earlier = repeats.answer(to: name) {
            counters.flow.repeated += 1
            return answerAgain(message, earlier, to: id)
        }
        // First, because the client may be gone afterwards.
        repeats.add(name, nil, limits, at: now.instant)
        route(message, from: id)
        if let answer = answer?.remembered { repeats.add(name, answer, limits, at: now.instant) }
    }

    /// What was answered is said again; an event is not, but whoever waits for its reply is told.
    private mutating func answerAgain(
        _ message: ClientMessage, _ earlier: ServerMessage?, to id: ConnectionID
    ) {
        if let earlier { return send(earlier, to: id, as: .answer) }
        switch message {
        case .event(_, let callback?): reply(.keyword("flow/repeated"), callback, to: id)
        case .event(let event, nil) where family != .sente && !configuration.hasHook:
            echo(event, nil, to: id)
        case .other(let value) where !configuration.hasHook:
            send(.echo(value, name: connections[id]?.name ?? ""), to: id, as: .answer)
        default: break
        }
    }
}

extension ServerMessage {
    /// The answer as it is remembered: without what clients can make large.
    fileprivate var remembered: ServerMessage? {
        switch self {
        case .published, .publishRefused, .requestRefused, .responseTaken, .responseRefused: self
        case .requestTaken(let requestID, let channel, let messageID, _):
            .requestTaken(requestID, channel, messageID: messageID, subscribers: [])
        default: nil
        }
    }
}

extension ClientMessage {
    /// The client's own name for the message.
    var messageID: String? {
        switch self {
        case .publish(_, _, _, let messageID), .request(_, _, _, let messageID),
            .respond(_, _, _, let messageID):
            messageID
        case .event(let event, _): event[1]?.mapValue?.messageID
        case .other(let value): value.mapValue?.messageID
        default: nil
        }
    }
}

extension ValueMap {
    var messageID: String? { value(named: "message-id")?.stringValue }
}
