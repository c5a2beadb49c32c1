// SPDX-License-Identifier: Apache-2.0

import SenteSocket
package import SenteWire

/// A new connection's client and user: the request's words, and the decision of the server's own user about them.
package struct HandshakeInfo: Hashable, Sendable {
    /// The client's own name for itself, the same on all its connections; empty when it gave none.
    package var clientID: String
    /// The user; nil: nobody in particular.
    ///
    /// sente-lite's dialects take the conn-id then.
    package var uid: Value?
    /// The app's data in the greeting.
    package var handshakeData: Value
    /// Unpredictable bits, which name the session if there is to be one; nil: the session's generator makes them.
    package var randomID: UniqueID?
    /// What the request named as the trace it belongs to.
    package var trace: TraceFields?

    package init(clientID: String = "", uid: Value? = nil, handshakeData: Value = .null) {
        self.clientID = clientID
        self.uid = uid
        self.handshakeData = handshakeData
    }

    /// The client named by the query of a request's target.
    package init(target: String, uid: Value? = nil, handshakeData: Value = .null) {
        self.init(
            clientID: HTTPRequest(method: "GET", target: target).parameter("client-id") ?? "", uid: uid,
            handshakeData: handshakeData)
    }
}
