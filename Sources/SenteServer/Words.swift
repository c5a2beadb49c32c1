// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// What a client says, whatever its dialect.
package enum ClientWord: Hashable, Sendable {
    case subscribe(Value)
    case unsubscribe(Value)
    /// `data` is a map or null unless the client is wrong.
    case publish(Value, data: Value, excludesSender: Bool)
    case request(Value, data: Value, milliseconds: Int64?)
    case respond(requestID: Value, data: Value, isError: Bool)
    case ping(stamp: Value)
    case pong
    case listChannels
    case listSubscriptions
    case flood(Value, data: Value, count: Int64)
    /// Any map, or anything that is none, in the dialect of maps.
    case other(Value)
    /// `[id]` or `[id data]`, with what a reply to it must name.
    case event(Value, callback: Value?)
    /// Understood, and of no consequence.
    case ignored
    case unreadable
}

/// What the server says, whatever the dialect.
package enum ServerWord: Hashable, Sendable {
    /// `name` is the conn-id; `data` is null unless the server's user has some.
    case welcome(name: String, uid: Value, data: Value)
    case subscribed(Value, count: Int, retained: [Retained])
    case subscribeRefused(Value, Reason, current: Int?, maximum: Int?)
    /// `existed` is false when the channel does not exist.
    case unsubscribed(Value, existed: Bool)
    case published(Value, messageID: String, deliveredTo: Int)
    case publishRefused(Value, Reason)
    case requestTaken(String, Value, messageID: String, subscribers: [String])
    case requestRefused(String, Value, Reason)
    case responseTaken(requestID: Value)
    case responseRefused(requestID: Value, Reason)
    /// An answer, or the word that none will come.
    case response(String, data: Value, isError: Bool, Reason?)
    case request(ForwardedRequest, channel: Value, isFlat: Bool)
    /// `sender` is the conn-id of the publisher, if it was a connection.
    case delivery(Value, data: Value, messageID: String, sender: String?, isFlat: Bool)
    case ping
    case pong(stamp: Value)
    case pongAcknowledged
    case channels([ChannelReport])
    case subscriptions([Value])
    case echo(Value, name: String)
    case broadcast(Value)
    /// Any message, unchanged.
    case application(Value)
    case error(Reason, requestID: String?)
    /// Events pushed to a user, together.
    case batch([Value])
    /// The answer to an event.
    case reply(Value, callback: Value)
}

/// A request on its way to those who serve its channel.
package struct ForwardedRequest: Hashable, Sendable {
    package var id: String
    package var data: Value
    /// The conn-id of whoever asks.
    package var sender: String
    /// Milliseconds since 1970.
    package var createdAt: Int64
}

/// A message a channel kept for those who subscribe later.
package struct Retained: Hashable, Sendable {
    package enum Body: Hashable, Sendable {
        case data(Value)
        case request(ForwardedRequest)
    }

    package var body: Body
    package var messageID: String
    /// Milliseconds since 1970.
    package var publishedAt: Int64
    package var bytes: Int
}

/// What is told of one channel.
package struct ChannelReport: Hashable, Sendable {
    package var id: Value
    package var configuration: ChannelConfiguration
    /// Milliseconds since 1970.
    package var createdAt: Int64
    package var messageCount: Int
    package var subscriberCount: Int
    package var retainedCount: Int
}
