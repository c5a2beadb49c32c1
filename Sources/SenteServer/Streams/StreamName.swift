// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// A stream of one client, on whatever connection; a client's name for it may be another client's too.
package struct StreamName: Hashable, Sendable {
    /// Whose streams they are.
    enum Owner: Hashable, Sendable {
        case client(SessionOwner)
        case connection(ConnectionID)
    }

    let owner: Owner
    package let id: String

    init(_ owner: Owner, _ id: String) {
        self.owner = owner
        self.id = id
    }
}

/// To whom a stream goes that the server opens.
package enum StreamAudience: Hashable, Sendable {
    case everyone
    case connection(ConnectionID)
    /// The connections of a user.
    case user(Value)
    /// Who is subscribed to a channel.
    case subscribers(String)
}
