// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The words of client and server about their messages: who agrees on what, and what is counted.
extension ServerSession {
    /// Whether this connection's greeting can announce anything: in Sente's dialect the app's data stands where the map would.
    func announces(to handshake: HandshakeInfo) -> Bool {
        guard configuration.flow != .off else { return false }
        return family != .sente || handshake.handshakeData.isNull || handshake.handshakeData.mapValue != nil
    }

    /// What the server says of itself.
    var announced: FlowCapabilities {
        FlowCapabilities(
            configuration.flow,
            configuration.flow.compression?.algorithms.filter { compressors[$0] != nil } ?? [])
    }

    /// What belongs to a link on which this was agreed.
    func newLink(_ features: FlowCapabilities) -> LinkFlow {
        LinkFlow(
            features, messageBytes: features.maximumOutgoingBytes ?? configuration.maximumMessageBytes,
            timeout: configuration.flow.chunking?.timeout ?? .seconds(30))
    }

    // MARK: What comes

    /// `bytes` are those of its message, which was or was not in an envelope.
    mutating func take(
        _ word: FlowWord, _ callback: Value?, _ bytes: Int, isUnfolded: Bool, from id: ConnectionID
    ) {
        guard let place = flows.index(forKey: id) else {
            return breach(id, "nothing of the kind was announced")
        }
        switch word {
        case .handshake(let offer):
            guard flows.values[place].features == nil else { return breach(id, "a second handshake came") }
            guard family != .sente || callback != nil else {
                return breach(id, "a handshake without callback")
            }
            flows.values[place].callback = callback ?? .null
            shake(offer, with: id, flows.values[place].owner)
        case .acknowledgement(let received):
            guard let isRight = flows.values[place].session?.buffer.acknowledge(received) else {
                return breach(id, "an ack came for no session")
            }
            if !isRight { breach(id, "a count came that cannot be") }
        case .chunkAcknowledgement(let number):
            guard flows.values[place].features?.acknowledgesChunks == true else {
                return breach(id, "acks of parts were not agreed on")
            }
            flows.values[place].link?.heard(number)
            awaitRoom(for: id)
        case .end: endSession(of: id)
        case .batch(let values): take(values, bytes, from: id)
        case .envelope(let envelope):
            if isUnfolded { return breach(id, "an envelope came in another") }
            take(envelope, from: id)
        case .skip:
            guard flows.values[place].session != nil else { return breach(id, "a skip came for no session") }
            counters.flow.skipped += 1
        case .stream(let stream, let word): takeStream(word, of: stream, from: id)
        case .agreement, .wrong: breach(id, "a word came that is none")
        }
    }

    private mutating func shake(_ offer: FlowOffer, with id: ConnectionID, _ owner: SessionOwner) {
        let features = announced.agreed(with: offer.capabilities)
        for name in offer.wrong {
            record(.flowIgnored) { ["conn-id": $0.field(id), "capability": .string(name)] }
        }
        flows[id]?.features = features
        let link = newLink(features)
        flows[id]?.link = link
        counters.flow.agreements += 1
        guard let ours = features.resumption, let theirs = offer.capabilities.resumption else {
            agree(id, nil)
            return linkStreams(of: id)
        }
        if let resume = offer.resume {
            switch meet(resume, of: owner) {
            case .session(let home, let missed, let messages):
                return goOn(home, over: id, missed: missed, sendingAgain: messages, theirs)
            case .late: return end(id, .close(.policyViolation, "a later try to resume has come"))
            case .none: counters.flow.fresh += 1
            }
        }
        beginSession(of: id, ours, theirs)
        agree(id, flows[id]?.session.map { FlowAgreement.Session(id: $0.id) })
        linkStreams(of: id)
    }

    /// Answers the handshake.
    mutating func agree(_ id: ConnectionID, _ session: FlowAgreement.Session?) {
        guard let connection = connections[id], let features = flows[id]?.features else { return }
        record(.flowAgreed) {
            [
                "conn-id": $0.field(id), "features": features.value { .keyword(Keyword($0)) },
                "session-resumed?": session.map { .bool($0.isResumed) },
            ]
        }
        let agreement = FlowAgreement(
            features: features, session: session, name: connection.name, uid: connection.uid)
        say(.agreement(agreement), to: id)
    }

    /// A client does not keep to what was agreed on.
    mutating func breach(_ id: ConnectionID, _ reason: String) {
        counters.flow.breaches += 1
        record(.flowBreached) { ["conn-id": $0.field(id), "reason": .string(reason)] }
        endSession(of: id)
        end(id, .close(.protocolError, reason))
    }

    /// Words are never held up and never left out; a server that says nothing says none of them either.
    mutating func say(_ word: FlowWord, to id: ConnectionID) {
        guard let link = links[id], !outbox.faults(of: id).isSilent,
            let callback = flows[id]?.callback,
            let (said, _, message) = encode(.flow(word, callback: callback), for: id)
        else { return }
        flushGathered(of: id)
        effects.append(.send(link, message))
        note(message, said, to: id)
    }

    // MARK: Counting

    /// A message came that counts, whatever became of it.
    mutating func count(_ message: ClientMessage, _ bytes: Int, from id: ConnectionID) {
        guard message.isCounted, let place = flows.index(forKey: id),
            let isDue = flows.values[place].session?.count(bytes)
        else { return }
        if isDue {
            acknowledge(id)
        } else if flows.values[place].session?.acknowledgement == nil {
            let ticket = acknowledgements.add(id, due: now.instant.advanced(by: .seconds(1)))
            flows.values[place].session?.acknowledgement = ticket
        }
    }

    /// Tells a client how many of its messages have come.
    mutating func acknowledge(_ id: ConnectionID) {
        forgetAcknowledgement(of: id)
        guard let received = flows[id]?.session?.received else { return }
        say(.acknowledgement(received: received), to: id)
    }

    mutating func forgetAcknowledgement(of id: ConnectionID) {
        guard let place = flows.index(forKey: id) else { return }
        flows.values[place].session?.unacknowledged = ServerCounters.Traffic()
        guard let ticket = flows.values[place].session?.acknowledgement else { return }
        flows.values[place].session?.acknowledgement = nil
        acknowledgements.remove(ticket)
    }

    /// A message that cannot be read; whether that was all there is to do about it.
    ///
    /// Counts must not drift, so the link ends and the client sends again what was not counted; among what is sent again such a
    /// message counts, for it would end every link.
    mutating func takeUnreadable(_ bytes: Int, from id: ConnectionID) -> Bool {
        guard let session = flows[id]?.session else { return false }
        flows[id]?.session?.expectsUnreadable = !session.countsUnreadable
        if session.countsUnreadable {
            count(.ignored, bytes, from: id)
        } else {
            end(id, .close(.invalidData, "a message cannot be read"))
        }
        return true
    }
}

extension ClientMessage {
    /// Whether it is one of those that both ends count: everything but keep-alive and words about messages.
    var isCounted: Bool {
        switch self {
        case .ping, .pong: false
        case .flow(let word, _): word.isCounted
        default: true
        }
    }
}

extension ServerMessage {
    /// Whether it is one of those that both ends count: everything but greetings, keep-alive and words about messages.
    var isCounted: Bool {
        switch self {
        case .welcome, .ping, .pong, .pongAcknowledged: false
        case .flow(let word, _): word.isCounted
        case .application(let value), .broadcast(let value): !value.isKeepAlive
        default: true
        }
    }
}

extension Value {
    /// Whether it is a keep-alive or a greeting by its looks: the receiver has nothing else to go by.
    fileprivate var isKeepAlive: Bool {
        if let map = mapValue {
            // What has been broadcast is a delivery, whatever its type.
            let isDelivery =
                map.value(named: "broadcast-time") != nil && map.value(named: "channel-id") != nil
            return !isDelivery
                && ["ping", "pong", "pong-ack", "welcome"].contains(map.value(named: "type")?.name)
        }
        return ["chsk/ws-ping", "chsk/ws-pong", "chsk/handshake"].contains(self[0]?.keywordValue?.text)
    }
}
