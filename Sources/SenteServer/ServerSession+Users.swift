// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Users, the pushes to them and the events of their clients, in the dialects of events.
extension ServerSession {
    /// The users who are connected.
    package var connectedUIDs: ConnectedUIDs {
        let uids = ValueSet(users.uids)
        return ConnectedUIDs(ws: uids, any: uids)
    }

    /// The user that stands for all clients that are nobody's.
    var nobody: Value {
        .keyword(configuration.sente.version == .prefixed ? "taoensso.sente/nil-uid" : "sente/nil-uid")
    }

    // MARK: Coming and going

    /// sente.cljc, on-open: after the greeting.
    mutating func join(_ id: ConnectionID) {
        guard let connection = connections[id] else { return }
        connections[id]?.hasJoined = true
        let isNew = users.join(id, connection.clientID, of: connection.uid)
        tell([.keyword("chsk/connected")], from: id)
        if isNew { tell([.keyword("chsk/uidport-open"), connection.uid], from: id) }
        guard family == .sente else { return }
        startKeepAlive(of: id)
        guard outbox.faults(of: id).reversesHeldPushes else { return }
        for var held in users.takeHeld(for: connection.clientID, of: connection.uid).reversed() {
            _ = send(&held.message, to: id, as: .push)
            held.clientIDs.removeAll { $0 == connection.clientID }
            if !held.clientIDs.isEmpty { tryAgain(held) }
        }
    }

    /// A session goes on; a connection of its client that came in between has taken its place in Sente's tables.
    mutating func rejoin(_ id: ConnectionID) {
        guard family == .sente, let connection = connections[id] else { return }
        if users.join(id, connection.clientID, of: connection.uid) {
            tell([.keyword("chsk/uidport-open"), connection.uid], from: id)
        }
        startKeepAlive(of: id)
    }

    /// A connection that never said whether its client's session goes on is gone: what is pushed goes to the session again.
    mutating func giveBack(to older: ConnectionID, from id: ConnectionID) {
        guard family == .sente, let connection = connections[older],
            users.client(connection.clientID, of: connection.uid)?.connection == id
        else { return }
        _ = users.join(older, connection.clientID, of: connection.uid)
    }

    /// sente.cljc, on-close: the client may come back for a while.
    mutating func leave(_ id: ConnectionID, _ connection: Connection) {
        tell([.keyword("chsk/disconnected")], of: id, connection.uid, connection.clientID)
        // In sente-lite a user is a connection.
        let grace = family == .sente ? configuration.sente.reconnectGrace : .zero
        let surplus = users.leave(
            id, connection.clientID, of: connection.uid, until: now.instant.advanced(by: grace))
        if let surplus { end(surplus) }
        if grace <= .zero { expire([.absence]) }
    }

    mutating func end(_ absence: UserTable.Absence) {
        guard users.end(absence) else { return }
        tell(
            [.keyword("chsk/uidport-close"), absence.uid], of: absence.connection, absence.uid,
            absence.clientID)
    }

    // MARK: Events

    /// An event goes to whoever serves events; without anybody it comes back.
    mutating func take(_ event: Value, _ callback: Value?, from id: ConnectionID) {
        if configuration.hasHook { return tell(event, callback, from: id) }
        echo(event, callback, to: id)
    }

    mutating func echo(_ event: Value, _ callback: Value?, to id: ConnectionID) {
        guard let connection = connections[id] else { return }
        guard family == .sente else {
            return send(.echo(event, name: connection.name), to: id, as: .answer)
        }
        guard event[0] != .keyword("chsk/bad-event") else { return }
        if let callback {
            reply(event[1] ?? .null, callback, to: id)
        } else {
            push(event, to: connection.uid, flushes: false)
        }
    }

    mutating func reply(_ value: Value, _ callback: Value, to id: ConnectionID) {
        send(.reply(value, callback: callback), to: id, as: .response)
    }

    mutating func tell(_ event: Value, _ callback: Value? = nil, from id: ConnectionID) {
        guard let connection = connections[id] else { return }
        tell(event, callback, of: id, connection.uid, connection.clientID)
    }

    private mutating func tell(
        _ event: Value, _ callback: Value? = nil, of id: ConnectionID, _ uid: Value, _ clientID: WireName
    ) {
        guard configuration.hasHook else { return }
        effects.append(
            .tell(
                ServerEvent(
                    connection: id, uid: uid, clientID: clientID.text, event: event, callback: callback)))
    }

    // MARK: Pushes

    /// sente.cljc, send-fn.
    mutating func push(_ event: Value, to uid: Value, flushes: Bool) {
        let uid = uid.isNull || uid == .keyword("sente/all-users-without-uid") ? nobody : uid
        if event == [.keyword("chsk/close")] {
            for (_, client) in users.clients(of: uid) where client.isHere {
                end(client.connection, .close(.normal, ""))
            }
            return
        }
        guard family == .sente else {
            for (_, client) in users.clients(of: uid) {
                send(.application(event), to: client.connection, as: .push)
            }
            return
        }
        let delay = configuration.sente.pushDelay
        let due = now.instant.advanced(by: delay)
        guard let weight = users.push(event, to: uid, due: due) else { return }
        if flushes || delay <= .zero || weight > configuration.maximumMessageBytes { flush(uid) }
    }

    mutating func flush(_ uid: Value) {
        let events = users.takePushes(of: uid)
        guard !events.isEmpty, var message = spell(.batch(events)),
            message.isLarge || write(&message) != nil
        else { return }
        let clients = users.clients(of: uid).map(\.id)
        deliver(UserTable.Held(uid: uid, message: message, clientIDs: clients))
    }

    /// sente.cljc, send-buffered-server-evs>clients!: to each client that is here, and again later to the others.
    mutating func deliver(_ message: UserTable.Held) {
        var rest = message
        rest.clientIDs = []
        rest.tries += 1
        // Who takes messages in parts may have come since it was put together.
        if rest.tries > 1 { rest.message.isLarge = isLarge(rest.message.value) }
        for clientID in message.clientIDs {
            guard let client = users.client(clientID, of: message.uid), client.isHere else {
                rest.clientIDs.append(clientID)
                continue
            }
            guard send(&rest.message, to: client.connection, as: .push) else { return }
            if !flows.isEmpty, let older = predecessor(of: client.connection) {
                _ = send(&rest.message, to: older, as: .push)
            }
            noteActivity(of: client.connection)
        }
        if !rest.clientIDs.isEmpty { tryAgain(rest) }
    }

    private static let pauses: [Int64] = [90, 180, 360, 720, 720]

    private mutating func tryAgain(_ message: UserTable.Held) {
        guard message.tries <= Self.pauses.count else { return counters.lostPushes += 1 }
        let pause = Self.pauses[message.tries - 1]
        let wait = pause + Int64.random(in: 0..<pause, using: &generator)
        let surplus = users.hold(message, until: now.instant.advanced(by: .milliseconds(wait)))
        counters.lostPushes += surplus.count
    }
}
