// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// A message of the server, whatever the dialect.
package enum ServerMessage: Hashable, Sendable {
    /// `name` is the conn-id; `data` is null unless the server's user has some; nil announces nothing.
    case welcome(name: String, uid: Value, data: Value, FlowCapabilities? = nil)
    case subscribed(Value, count: Int, retained: [Retained])
    case subscribeRefused(Value, RejectionReason, current: Int?, maximum: Int?)
    /// `existed` is false when the channel does not exist.
    case unsubscribed(Value, existed: Bool)
    case published(Value, messageID: String, deliveredTo: Int)
    case publishRefused(Value, RejectionReason)
    case requestTaken(String, Value, messageID: String, subscribers: [String])
    case requestRefused(String, Value, RejectionReason)
    case responseTaken(requestID: Value)
    case responseRefused(requestID: Value, RejectionReason)
    /// An answer, or the news that none will come.
    case response(String, data: Value, isError: Bool, RejectionReason?)
    case request(ForwardedRequest, channel: Value, isFlat: Bool)
    /// `sender` is the conn-id of the publisher, if it was a connection.
    case delivery(
        Value, data: Value, messageID: String, sender: String?, isFlat: Bool, trace: TraceContext? = nil)
    case ping
    case pong(stamp: Value)
    case pongAcknowledged
    case channels([ChannelReport])
    case subscriptions([Value])
    case echo(Value, name: String)
    case broadcast(Value)
    /// Any message, unchanged.
    case application(Value)
    case error(RejectionReason, requestID: String?)
    /// Events pushed to a user, together.
    case batch([Value])
    /// The answer to an event.
    case reply(Value, callback: Value)
    /// A word about messages; `callback` is the one of the handshake, where the family has such.
    case flow(FlowWord, callback: Value)
}

/// A request on its way to those who serve its channel.
package struct ForwardedRequest: Hashable, Sendable {
    package var id: String
    package var data: Value
    /// The conn-id of whoever asks.
    package var sender: String
    /// Milliseconds since 1970.
    package var createdAt: Int64
    /// The step of a trace that whoever asks named.
    package var trace: TraceContext?
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

/// The report on one channel.
package struct ChannelReport: Hashable, Sendable {
    package var id: Value
    package var configuration: ChannelConfiguration
    /// Milliseconds since 1970.
    package var createdAt: Int64
    package var messageCount: Int
    package var subscriberCount: Int
    package var retainedCount: Int
}
