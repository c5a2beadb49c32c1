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
    private struct Content: Sendable {
        let owner: SessionOwner
        let randomID: UniqueID?
        var callback: Value = .null
        var features: FlowCapabilities?
        var link: LinkFlow?
        var arrivals = HeldArrivals()
        var session: CountedSession?
    }

    /// One, in an array: a dictionary hands out copies, and with each message ten, each of all that is in here.
    private var content: [Content]

    init(_ handshake: HandshakeInfo) {
        content = [Content(owner: SessionOwner(handshake), randomID: handshake.randomID)]
    }

    var owner: SessionOwner { content[0].owner }
    /// Makes the session's id, where the one who runs the server has made it of the system's randomness.
    var randomID: UniqueID? { content[0].randomID }
    /// What Sente's words to this connection are replies to: the callback of the handshake.
    var callback: Value {
        _read { yield content[0].callback }
        _modify { yield &content[0].callback }
    }
    /// What was agreed on; nil before the handshake.
    var features: FlowCapabilities? {
        _read { yield content[0].features }
        _modify { yield &content[0].features }
    }
    /// What dies with the link; nil before the handshake, and while there is no link.
    var link: LinkFlow? {
        _read { yield content[0].link }
        _modify { yield &content[0].link }
    }
    /// What came and waits to be heard.
    var arrivals: HeldArrivals {
        _read { yield content[0].arrivals }
        _modify { yield &content[0].arrivals }
    }
    /// What outlives the link; nil where that was not agreed on.
    var session: CountedSession? {
        _read { yield content[0].session }
        _modify { yield &content[0].session }
    }
}

/// What is asked with each message, and read where it stands: to ask the link's flow itself is to copy it.
extension ConnectionFlow {
    var isLinked: Bool { content[0].link != nil }
    var isReading: Bool { content[0].arrivals.reading != nil }
    var hasGathered: Bool { content[0].link?.gathered.isEmpty == false }

    func mustWait(_ departure: Departure) -> Bool {
        guard content[0].link?.holdsUp == true else { return false }
        return content[0].link?.mustWait(departure) ?? false
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
    /// A link ended for a message that cannot be read, which comes again: what is new may overtake it.
    var expectsUnreadable = false
    /// What is being heard has been counted when its link ended.
    var hearsCounted = false
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

    /// Whether a message that cannot be read counts, and does not end its link.
    var countsUnreadable: Bool { expectsUnreadable || repeatsDue > 0 || hearsCounted }

    /// So many messages have come whose link is gone, and will be heard.
    mutating func countEarly(_ messages: Int) {
        received += messages
        repeatsDue = max(0, repeatsDue - messages)
    }

    /// A counted message came; whether it is time to say so, a quarter of what the client can keep being filled.
    mutating func count(_ bytes: Int) -> Bool {
        guard !hearsCounted else { return false }
        received += 1
        if repeatsDue > 0 { repeatsDue -= 1 }
        unacknowledged.messages += 1
        unacknowledged.bytes += bytes
        return unacknowledged.messages >= max(1, peer.messages / 4)
            || unacknowledged.bytes >= max(1, peer.bytes / 4)
    }
}
