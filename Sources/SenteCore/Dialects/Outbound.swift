// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// What a client can say, before a dialect spells it.
package enum Outbound: Hashable, Sendable {
    case subscribe(channel: String)
    case unsubscribe(channel: String)
    case publish(channel: String, data: Value, excludeSender: Bool)
    /// `limit` in milliseconds: how long the server should wait for the service.
    case request(channel: String, data: Value, limit: Int64)
    case answer(requestID: String, data: Value, isError: Bool)
    /// `stamp` in milliseconds since 1970, unique on its link when it is a fence.
    case ping(stamp: Int64?)
    /// The answer to a server's ping, or unasked.
    case pong(original: Int64?)
    case event(Event)
    case listChannels
    case listSubscriptions
}

extension Outbound {
    /// What it counts against the outbox's bytes and the write window, before its real size is known.
    package var weight: Int {
        switch self {
        case .subscribe(let channel), .unsubscribe(let channel): 32 + channel.utf8.count
        case .publish(let channel, let data, _), .request(let channel, let data, _):
            64 + channel.utf8.count + data.weight
        case .answer(let id, let data, _): 64 + id.utf8.count + data.weight
        case .event(let event): 32 + event.id.name.utf8.count + event.data.weight
        case .ping, .pong, .listChannels, .listSubscriptions: 48
        }
    }

    /// The kind of reply the server gives to it, where the dialect answers.
    package var replyKind: ReplyKind? {
        switch self {
        case .subscribe: .subscribe
        case .unsubscribe: .unsubscribe
        case .publish: .publish
        case .request: .request
        case .listChannels: .channels
        case .listSubscriptions: .subscriptions
        case .answer, .ping, .pong, .event: nil
        }
    }

    package var channel: String? {
        switch self {
        case .subscribe(let channel), .unsubscribe(let channel), .publish(let channel, _, _),
            .request(let channel, _, _):
            channel
        case .answer, .ping, .pong, .event, .listChannels, .listSubscriptions: nil
        }
    }
}
