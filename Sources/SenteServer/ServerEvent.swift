// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// An event for the server's own user in the vector dialects: a client's, or one of the server's own.
package struct ServerEvent: Hashable, Sendable {
    /// The connection it came by, or that came or went.
    package var connection: ConnectionID
    package var uid: Value
    package var clientID: String
    /// `[id]` or `[id data]`.
    package var event: Value
    /// The callback that a reply must name; nil when no reply is wanted.
    package var callback: Value?
}

/// A request on a channel that the server's own user serves.
package struct ServedRequest: Hashable, Sendable {
    package var id: String
    /// Who asks.
    package var connection: ConnectionID
    package var channel: Value
    package var data: Value
}

/// The users who are connected, as Sente's atom of that name has them.
///
/// Without Ajax both sets are the same.
package struct ConnectedUIDs: Hashable, Sendable {
    /// Those with a WebSocket.
    package var ws: ValueSet
    /// Those connected in any way.
    package var any: ValueSet

    package init(ws: ValueSet = [], any: ValueSet = []) {
        self.ws = ws
        self.any = any
    }
}
