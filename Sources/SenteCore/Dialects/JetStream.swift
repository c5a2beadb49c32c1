// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// What a client says to the streams of NATS.
package enum JetStreamOutbound: Hashable, Sendable {
    /// A message that a stream is to keep; `token` is the session's name for it, under which the answer comes.
    case store(channel: String, data: Value, StoredPublish, token: UInt64)
    /// A question; `token` is the asker's name, under which the answer comes.
    case ask(JetStreamRequest, token: UInt64)
    /// What a consumer hands over comes under this number from now on.
    case listen(UInt64)
    case unlisten(UInt64)
    /// A consumer may go on; the subject is of its making.
    case flow(String)

    var weight: Int {
        switch self {
        case .store(let channel, let data, let stored, _):
            128 + channel.utf8.count + data.weight + (stored.messageID?.utf8.count ?? 0)
        case .ask: 512
        case .listen, .unlisten, .flow: 64
        }
    }

    var channel: String? {
        switch self {
        case .store(let channel, _, _, _): channel
        case .ask, .listen, .unlisten, .flow: nil
        }
    }
}

/// What the streams of NATS say to a client.
package enum JetStreamInbound: Hashable, Sendable {
    case stored(token: UInt64, StoredAnswer)
    case answered(token: UInt64, JetStreamAnswer)
    /// A consumer handed it over, under the number that was given to `listen`.
    case delivery(UInt64, ChannelMessage, ConsumerPlace)
    case heartbeat(UInt64, ConsumerHeartbeat)
    /// The consumer hands over no more until the subject is answered.
    case flowControl(UInt64, reply: String)
    /// The consumer is gone, or said what nobody here understands.
    case interrupted(UInt64)

    /// The try of a follower that it belongs to.
    var number: UInt64? {
        switch self {
        case .stored: nil
        case .answered(let number, _), .delivery(let number, _, _), .heartbeat(let number, _),
            .flowControl(let number, _), .interrupted(let number):
            number
        }
    }
}

/// What came of a message that a stream is to keep.
package enum StoredAnswer: Hashable, Sendable {
    case kept(PublishReceipt)
    case refused(SenteError)
    /// Nobody has it for now, and the text says why.
    case unavailable(String)
}
