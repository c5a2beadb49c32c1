// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// What a client says to the streams of NATS.
package enum JetStreamOutbound: Hashable, Sendable {
    /// A message that a stream is to keep; `token` is the session's name for it, under which the answer comes.
    case store(channel: String, data: Value, StoredPublish, token: UInt64)

    var weight: Int {
        switch self {
        case .store(let channel, let data, let stored, _):
            128 + channel.utf8.count + data.weight + (stored.messageID?.utf8.count ?? 0)
        }
    }

    var channel: String? {
        switch self {
        case .store(let channel, _, _, _): channel
        }
    }
}

/// What the streams of NATS say to a client.
package enum JetStreamInbound: Hashable, Sendable {
    case stored(token: UInt64, StoredAnswer)
}

/// What came of a message that a stream is to keep.
package enum StoredAnswer: Hashable, Sendable {
    case kept(PublishReceipt)
    case refused(SenteError)
    /// Nobody has it for now, and the text says why.
    case unavailable(String)
}
