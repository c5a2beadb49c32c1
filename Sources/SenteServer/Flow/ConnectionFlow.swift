// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Whose a session is: what the visitor brought, never what the server made up.
struct SessionOwner: Hashable, Sendable {
    var uid: Value?
    var clientID: WireName

    init(_ handshake: HandshakeInfo) {
        uid = handshake.uid
        clientID = WireName(handshake.clientID)
    }

    /// Whether it names one client; an owner without a name of its own may have many.
    var namesClient: Bool { clientID != WireName("") }
}

/// What a connection has of the words beyond plain messages; there is none where nothing was announced.
struct ConnectionFlow: Sendable {
    let owner: SessionOwner
    /// What Sente's words to this connection are replies to: the callback of the handshake.
    var callback: Value = .null
    /// What was agreed on; nil before the handshake.
    var features: FlowCapabilities?
    /// What dies with the link; nil before the handshake, and while there is no link.
    var link: LinkFlow?
    /// What outlives the link; nil where that was not agreed on.
    var session: CountedSession?

    /// Makes the session's id, where the one who runs the server has made it of the system's randomness.
    let randomID: UniqueID?

    init(_ handshake: HandshakeInfo) {
        owner = SessionOwner(handshake)
        randomID = handshake.randomID
    }
}

/// The counts of a session that survives its connections.
struct CountedSession: Sendable {
    let id: UniqueID
    /// The client's last try to come back.
    var attempt = 0
    /// The client's messages that have come.
    var received = 0
    /// Those of them that are sent again and still to come.
    var repeatsDue = 0
    /// What is kept for the client.
    var buffer: SessionBuffer
    /// What the client keeps until it is told that it has come.
    var peer: FlowCapabilities.Resumption
    var unacknowledged = ServerCounters.Traffic()
    var acknowledgement: DeadlineQueue<ConnectionID>.Ticket?
    var expiry: DeadlineQueue<ConnectionID>.Ticket?

    init(_ id: UniqueID, _ features: FlowCapabilities.Resumption, peer: FlowCapabilities.Resumption) {
        self.id = id
        self.peer = peer
        buffer = SessionBuffer(messages: features.messages, bytes: features.bytes)
    }

    /// A counted message came; whether it is time to say so, a quarter of what the client can keep being filled.
    mutating func count(_ bytes: Int) -> Bool {
        received += 1
        if repeatsDue > 0 { repeatsDue -= 1 }
        unacknowledged.messages += 1
        unacknowledged.bytes += bytes
        return unacknowledged.messages >= max(1, peer.messages / 4)
            || unacknowledged.bytes >= max(1, peer.bytes / 4)
    }
}
