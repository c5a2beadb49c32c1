// SPDX-License-Identifier: Apache-2.0

import SenteWire

extension Event {
    /// `[id]` or `[id data]`, as both vector dialects write an event.
    var vector: Value { .vector(data.isNull ? [.keyword(id)] : [.keyword(id), data]) }

    /// Reads `[id]` or `[id data]`; the id is a namespaced keyword (sente.cljc, `validate-event`).
    init(vector: Value) throws(UnreadableError) {
        guard let items = vector.arrayValue else {
            throw UnreadableError(reason: "The server sent an event that is no vector; it was skipped.")
        }
        guard items.count == 1 || items.count == 2 else {
            throw UnreadableError(
                reason:
                    "The server sent an event of \(items.count) elements instead of id and data; it was skipped."
            )
        }
        guard case .keyword(let id) = items[0] else {
            throw UnreadableError(reason: "The server sent an event whose id is no keyword; it was skipped.")
        }
        guard id.namespace != nil else {
            throw UnreadableError(
                reason:
                    "The server sent an event whose id :\(id.text.excerpt()) has no namespace; it was skipped."
            )
        }
        self.init(id: id, data: items.count == 2 ? items[1] : .null)
    }
}

extension Event {
    /// What an answer to it has in its data too, where servers copy it.
    var requestID: Value? { MapFrame(data)?[.requestID] }
}

extension Identity {
    /// Reads what stands behind `:chsk/handshake`: `[uid csrf-token data first?]`, of which servers send two to four.
    ///
    /// Nil when it is none. What `first?` says is not kept: some servers say true each time.
    init?(handshake: Value) {
        guard let items = handshake.arrayValue, (2...4).contains(items.count) else { return nil }
        self.init()
        csrfToken = items[1].stringValue
        if items.count > 2, !items[2].isNull {
            handshakeData = items[2]
            capabilities = MapFrame(items[2])?["capabilities"]
        }
        if case .keyword(let name) = items[0], VectorWord.noUserIDs.contains(name) { return }
        if !items[0].isNull { uid = items[0] }
    }
}

extension Inbound {
    /// The handshake of either vector dialect; `named` tells whether its uid names the connection.
    static func handshake(_ data: Value, named: Bool) -> Inbound {
        guard var identity = Identity(handshake: data) else {
            return .undecodable(
                "The server sent a handshake that is none of 2, 3 or 4 elements; it was skipped.")
        }
        if named { identity.connectionID = identity.uid?.stringValue }
        return .greeting(identity)
    }
}
