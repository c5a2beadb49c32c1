// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Sessions that survive their connections.
///
/// A connection whose link is lost stays in every table where it was, under its own id; what is addressed to it is kept. A
/// link that comes back for it speaks for it from then on.
extension ServerSession {
    // MARK: Links

    /// The connection that speaks through a link; nil for a link that was given up.
    func speaker(on link: ConnectionID) -> ConnectionID? {
        let id = home(of: link)
        return links[id] == link ? id : nil
    }

    /// A connection's own id, or that of the one that a link speaks for.
    func home(of id: ConnectionID) -> ConnectionID { homes.isEmpty ? id : homes[id] ?? id }

    /// The connections that have a link.
    var linkedConnections: Int { connections.count - parked.count }

    /// A connection's link is gone; its session, if it has one, waits for another.
    mutating func lose(_ id: ConnectionID) {
        guard !isStopped, let link = links[id], let flow = flows[id], flow.session != nil,
            let window = flow.features?.resumption?.window,
            // A newer one of the same client may have taken its place.
            !flow.owner.namesClient || latest[flow.owner] == id
        else { return forget(id) }
        forgetAcknowledgement(of: id)
        stopKeepAlive(of: id)
        unlinkStreams(of: id)
        links[id] = nil
        homes[link] = nil
        unpack(id)
        let ticket = expiries.add(id, due: now.instant.advanced(by: window))
        flows[id]?.session?.expiry = ticket
        parked.insert(id)
        let kept = flows[id]?.session?.buffer.bytes ?? 0
        parkedBytes += kept
        counters.flow.parked += 1
        record(.sessionParked) {
            ["conn-id": $0.field(id), "kept-bytes": Value(kept), "parked-sessions": Value($0.parked.count)]
        }
        limitParked()
    }

    /// The sessions that wait longest make room.
    private mutating func limitParked() {
        guard let limits = configuration.flow.resumption else { return }
        while parked.count > limits.sessions || parkedBytes > limits.totalBytes,
            let longest = parked.first(where: { _ in true })
        {
            counters.flow.evicted += 1
            endSession(of: longest)
        }
    }

    /// Keeps a message until the client has it.
    mutating func keep(_ content: SessionBuffer.Kept.Content, isAnswer: Bool, for id: ConnectionID) {
        guard let place = flows.index(forKey: id), let before = flows.values[place].session?.buffer.bytes
        else { return }
        flows.values[place].session?.buffer.append(content, isAnswer: isAnswer)
        noteKept(for: id, after: before)
    }

    /// A message that is kept has been written.
    mutating func keep(_ message: Message, writtenBy work: UInt64, for id: ConnectionID) {
        guard let before = flows[id]?.session?.buffer.bytes else { return }
        flows[id]?.session?.buffer.fill(work, with: message)
        noteKept(for: id, after: before)
    }

    private mutating func noteKept(for id: ConnectionID, after before: Int) {
        guard parked.contains(id) else { return }
        parkedBytes += (flows[id]?.session?.buffer.bytes ?? 0) - before
        limitParked()
    }

    // MARK: Ending

    /// The session is forgotten; a connection that has no link goes with it.
    mutating func endSession(of id: ConnectionID) {
        guard flows[id]?.session != nil else { return }
        dropSession(of: id)
        record(.sessionEnded) { ["conn-id": $0.field(id)] }
        if links[id] == nil { forget(id) }
    }

    mutating func expireSession(of id: ConnectionID) {
        counters.flow.expired += 1
        endSession(of: id)
    }

    /// Takes the session of a connection out of every table.
    mutating func dropSession(of id: ConnectionID) {
        guard let flow = flows[id], let session = flow.session else { return }
        forgetAcknowledgement(of: id)
        unpark(id)
        flows[id]?.session = nil
        sessions[session.id] = nil
        if latest[flow.owner] == id { latest[flow.owner] = nil }
    }

    private mutating func unpark(_ id: ConnectionID) {
        guard parked.remove(id), let session = flows[id]?.session else { return }
        parkedBytes -= session.buffer.bytes
        if let ticket = session.expiry { expiries.remove(ticket) }
        flows[id]?.session?.expiry = nil
    }

    // MARK: Beginning

    mutating func beginSession(
        of id: ConnectionID, _ features: FlowCapabilities.Resumption, _ peer: FlowCapabilities.Resumption
    ) {
        guard let flow = flows[id] else { return }
        let sessionID = flow.randomID ?? UniqueID(high: generator.next(), low: generator.next())
        flows[id]?.session = CountedSession(sessionID, features, peer: peer)
        sessions[sessionID] = id
        guard flow.owner.namesClient else { return }
        // A client that comes afresh does not come back for what it had.
        if let older = latest.updateValue(id, forKey: flow.owner), parked.contains(older) {
            endSession(of: older)
        }
    }

    /// The session that may come back on the link of a newer connection that has not said whether it does.
    ///
    /// What is pushed to the client in that time goes to both: it throws away what came before it was told that its session
    /// goes on.
    func predecessor(of id: ConnectionID) -> ConnectionID? {
        guard let flow = flows[id], flow.features == nil, let older = latest[flow.owner], older != id,
            connections[older]?.uid == connections[id]?.uid
        else { return nil }
        return older
    }

    // MARK: Coming back

    /// What a wish to come back meets.
    enum Comeback {
        /// The connection whose session goes on, how many messages its client missed, and those it has still to get.
        case session(ConnectionID, missed: Int, messages: [SessionBuffer.Kept])
        /// A later try was here already.
        case late
        case none
    }

    mutating func meet(_ resume: FlowOffer.Resume, of owner: SessionOwner) -> Comeback {
        guard let sessionID = UniqueID(resume.session), let home = sessions[sessionID],
            let flow = flows[home], let session = flow.session
        else { return .none }
        guard flow.owner == owner else {
            counters.flow.breaches += 1
            let fields: Value? = field(home)
            record(.flowBreached) { _ in ["conn-id": fields, "reason": "somebody else asked for the session"]
            }
            return .none
        }
        guard resume.attempt > session.attempt else { return .late }
        flows[home]?.session?.attempt = resume.attempt
        // The earlier link is heard no more, whatever becomes of the session.
        if let link = links[home] {
            links[home] = nil
            homes[link] = nil
            unpack(home)
            stopKeepAlive(of: home)
            effects.append(
                .close(link, .takenOver, reason: "the session goes on elsewhere", keepsTCP: false))
        }
        let before = flows[home]?.session?.buffer.bytes ?? 0
        // Of what came over the earlier link, some may have been counted with its end.
        guard let received = flows[home]?.session?.received, received <= resume.sent,
            let (missed, messages) = flows[home]?.session?.buffer.resume(after: resume.received)
        else {
            endSession(of: home)
            return .none
        }
        if parked.contains(home) { parkedBytes += (flows[home]?.session?.buffer.bytes ?? 0) - before }
        unpark(home)
        flows[home]?.session?.repeatsDue = resume.sent - received
        return .session(home, missed: missed, messages: messages)
    }

    /// The session goes on over the link of a newer connection, which is no more.
    mutating func goOn(
        _ home: ConnectionID, over id: ConnectionID, missed: Int, sendingAgain messages: [SessionBuffer.Kept],
        _ peer: FlowCapabilities.Resumption
    ) {
        guard let link = links[id], let newer = flows[id] else { return }
        forget(id)
        links[home] = link
        let time = now.instant
        connections[home]?.lastPong = time
        // The handshake came on this link.
        if let count = connections[home]?.messageCount { connections[home]?.earlierMessages = count - 1 }
        homes[link] = home
        flows[home]?.callback = newer.callback
        flows[home]?.features = newer.features
        flows[home]?.link = newer.link
        flows[home]?.session?.peer = peer
        forgetAcknowledgement(of: home)
        rejoin(home)
        if heartbeatDue == nil { heartbeatDue = nextHeartbeat() }
        counters.flow.resumed += 1
        counters.flow.missed += missed
        counters.flow.sentAgain += messages.count
        guard let session = flows[home]?.session else { return }
        agree(
            home,
            FlowAgreement.Session(
                id: session.id, isResumed: true, received: session.received, sent: session.buffer.sent,
                missed: missed))
        for message in messages { sendAgain(message, to: home) }
        linkStreams(of: home)
    }
}

extension CloseCode {
    /// A later link of the same client has taken its place.
    fileprivate static let takenOver = CloseCode(rawValue: 4_001)
}
