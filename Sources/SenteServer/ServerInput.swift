// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// An input of a server session.
package enum ServerInput: Hashable, Sendable {
    /// A WebSocket is open and waits for its greeting. Ids are never used twice.
    case connected(ConnectionID, HandshakeInfo = HandshakeInfo())
    /// A whole message came.
    case received(ConnectionID, Message)
    /// The connection is over, however it ended.
    case closed(ConnectionID)
    /// A connection takes more, after `ServerEffect.awaitRoom`.
    case room(ConnectionID)
    /// A large value was written or read.
    indirect case worked(ServerWork.Done)
    /// The session's deadline has come. Harmless when it has not.
    case timerFired
    /// The one who runs the server wants something.
    case command(ServerCommand)
}

/// An order of the one who runs a server.
package enum ServerCommand: Hashable, Sendable {
    /// The server listens on this port; its uptime begins.
    case started(port: Int)
    /// The message to every connection: with `"broadcast": true` in the dialect of maps, where one that is no map is not
    /// sent; in Sente as a push to every user. One that cannot be written is not sent.
    case broadcast(Value)
    /// An event to every connection of a user, null standing for all who are nobody; `[:chsk/close]` closes them. In
    /// Sente it waits for others to go with, unless it flushes them.
    case push(Value, uid: Value, flushes: Bool)
    /// The answer to an event that named a callback.
    case reply(Value, callback: Value, to: ConnectionID)
    /// What becomes of an event that nobody serves: in Sente it answers itself or is pushed back, elsewhere it is echoed.
    case echo(Value, callback: Value?, to: ConnectionID)
    /// Requests on a channel come as `ServerEffect.serve` from now on, whoever is subscribed to it.
    case serve(channel: Value)
    /// The answer to such a request; one that comes too late goes nowhere.
    case answer(Value, requestID: String, isError: Bool)
    /// Any message to one connection, unchanged.
    case send(Value, to: ConnectionID)
    /// A message to a channel's subscribers, with no sender. The channel must exist.
    case publish(Value, channel: String)
    /// Makes a channel; one that exists keeps its configuration. Nil: the defaults.
    case createChannel(String, ChannelConfiguration?)
    /// Deletes a channel and all its subscriptions. Subscribers are not told, as sente-lite never did.
    case deleteChannel(String)
    /// Closes one connection, or all.
    case close(ConnectionID?, CloseCode, reason: String)
    /// Drops one connection, or all, without a close frame.
    case drop(ConnectionID?)
    /// Forgets the session of a connection, so that its client cannot come back to it.
    case endSession(ConnectionID)
    /// Sets the faults of one connection, or of all; the latter forgets what was set for single ones.
    case setFaults(Faults, for: ConnectionID?)
    /// Announces streams to those who connect from now on; nil: none.
    case announceStreams(StreamPolicy?)
    /// Keeps the sessions of those who connect from now on; nil: of none.
    case keepSessions(ServerConfiguration.Flow.Resumption?)
    /// Closes every connection with 1001 and takes no more.
    case stop
}
