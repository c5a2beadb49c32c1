// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The users, their clients, and the pushes that wait for either.
///
/// sente.cljc keeps the same in `conns_`, `send-buffers_` and `connected-uids_`: a client stays known for a while
/// after its connection closed, and what is pushed to it in that time is tried again.
struct UserTable: Sendable {
    struct Client {
        /// The last one; an earlier one that is still open is nobody's.
        var connection: ConnectionID
        var isHere: Bool
    }

    private struct User {
        /// The order of connecting.
        var number: Int
        var clients: [WireName: Client] = [:]
        var pushes: [Value] = []
        var pushedWeight = 0
        var flush: DeadlineQueue<Value>.Ticket?
    }

    /// A client whose connection closed; it is forgotten unless it has another by then.
    struct Absence {
        var uid: Value
        var clientID: WireName
        var connection: ConnectionID
    }

    /// One message of pushes, and the clients that have not got it.
    struct Held: Sendable {
        var uid: Value
        var message: ServerSession.Spelled
        var clientIDs: [WireName]
        /// The number of tries so far.
        var tries = 0
        var ticket: DeadlineQueue<UInt64>.Ticket?
    }

    /// One client of one user.
    private struct ClientName: Hashable {
        var uid: Value
        var clientID: WireName
    }

    private var users: [Value: User] = [:]
    private var joined = 0
    private var flushes = DeadlineQueue<Value>()
    private var absences = DeadlineQueue<Absence>()
    /// The messages held back, numbered in the order of holding.
    private var held: [UInt64: Held] = [:]
    private var heldBytes = 0
    private var heldNumber: UInt64 = 0
    private var heldFor: [ClientName: Set<UInt64>] = [:]
    private var tries = DeadlineQueue<UInt64>()
    private let limits: ServerConfiguration.TableLimits

    init(limits: ServerConfiguration.TableLimits) {
        self.limits = limits
    }

    /// In the order of connecting.
    var uids: [Value] { users.sorted { $0.value.number < $1.value.number }.map(\.key) }
    var pushesDue: Instant? { flushes.earliest }
    var retryDue: Instant? { tries.earliest }
    var absenceDue: Instant? { absences.earliest }
    var steps: Int { flushes.steps + absences.steps + tries.steps }

    func client(_ clientID: WireName, of uid: Value) -> Client? { users[uid]?.clients[clientID] }

    /// The clients of a user with their connections, in the order of those.
    func clients(of uid: Value) -> [(id: WireName, client: Client)] {
        let clients = users[uid]?.clients.map { (id: $0.key, client: $0.value) } ?? []
        return clients.sorted { $0.client.connection < $1.client.connection }
    }

    // MARK: Coming and going

    /// Whether the user is new.
    mutating func join(_ connection: ConnectionID, _ clientID: WireName, of uid: Value) -> Bool {
        let isNew = users[uid] == nil
        if isNew {
            joined += 1
            users[uid] = User(number: joined)
        }
        users[uid]?.clients[clientID] = Client(connection: connection, isHere: true)
        return isNew
    }

    /// A connection closed; nothing happens if its client has another.
    ///
    /// The earliest absence is returned, to be ended now, when there are more of them than the limit allows.
    mutating func leave(
        _ connection: ConnectionID, _ clientID: WireName, of uid: Value, until due: Instant
    ) -> Absence? {
        guard users[uid]?.clients[clientID]?.connection == connection else { return nil }
        users[uid]?.clients[clientID]?.isHere = false
        absences.add(Absence(uid: uid, clientID: clientID, connection: connection), due: due)
        return absences.count > limits.awayClients ? absences.take(by: nil) : nil
    }

    mutating func takeAbsence(by now: Instant) -> Absence? { absences.take(by: now) }

    /// Forgets a client that has not come back; whether it was its user's last.
    mutating func end(_ absence: Absence) -> Bool {
        guard users[absence.uid]?.clients[absence.clientID]?.connection == absence.connection else {
            return false
        }
        users[absence.uid]?.clients[absence.clientID] = nil
        guard let user = users[absence.uid], user.clients.isEmpty else { return false }
        if let flush = user.flush { flushes.remove(flush) }
        users[absence.uid] = nil
        return true
    }

    // MARK: Pushes

    /// Puts an event to those that wait for their common message; its weight with them, or nil if there is no such user.
    mutating func push(_ event: Value, to uid: Value, due: Instant) -> Int? {
        guard users[uid] != nil else { return nil }
        users[uid]?.pushes.append(event)
        users[uid]?.pushedWeight += event.weight
        if users[uid]?.flush == nil { users[uid]?.flush = flushes.add(uid, due: due) }
        return users[uid]?.pushedWeight
    }

    mutating func takeFlush(by now: Instant) -> Value? { flushes.take(by: now) }

    /// Takes what waits for a user.
    mutating func takePushes(of uid: Value) -> [Value] {
        guard let user = users[uid] else { return [] }
        if let flush = user.flush { flushes.remove(flush) }
        users[uid]?.flush = nil
        users[uid]?.pushes = []
        users[uid]?.pushedWeight = 0
        return user.pushes
    }

    // MARK: Messages held back

    /// Returns the messages that the limits leave no room for: the first to be tried again.
    mutating func hold(_ message: Held, until due: Instant) -> [Held] {
        heldNumber += 1
        held[heldNumber] = message
        held[heldNumber]?.ticket = tries.add(heldNumber, due: due)
        heldBytes += message.message.size
        for clientID in message.clientIDs {
            heldFor[ClientName(uid: message.uid, clientID: clientID), default: []].insert(heldNumber)
        }
        var surplus: [Held] = []
        while held.count > limits.heldMessages || heldBytes > limits.heldBytes, let next = takeHeld(by: nil) {
            surplus.append(next)
        }
        return surplus
    }

    /// Nil for `now`: whenever it is due.
    mutating func takeHeld(by now: Instant?) -> Held? {
        tries.take(by: now).flatMap { takeHeld($0) }
    }

    /// Takes what waits for one client, in the order of holding.
    mutating func takeHeld(for clientID: WireName, of uid: Value) -> [Held] {
        let numbers = heldFor[ClientName(uid: uid, clientID: clientID)] ?? []
        return numbers.sorted().compactMap { takeHeld($0) }
    }

    private mutating func takeHeld(_ number: UInt64) -> Held? {
        guard let message = held.removeValue(forKey: number) else { return nil }
        if let ticket = message.ticket { tries.remove(ticket) }
        heldBytes -= message.message.size
        for clientID in message.clientIDs {
            let name = ClientName(uid: message.uid, clientID: clientID)
            heldFor[name]?.remove(number)
            if heldFor[name]?.isEmpty == true { heldFor[name] = nil }
        }
        return message
    }

    /// Forgets everything, as when the server stops.
    mutating func removeAll() { self = UserTable(limits: limits) }
}
