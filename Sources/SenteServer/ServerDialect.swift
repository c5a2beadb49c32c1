// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// A family's way of reading and writing messages.
protocol ServerDialect: Sendable {
    /// Whatever came is a message, if only an `unreadable` one.
    func decode(_ message: Message) -> ClientMessage
    /// One of several that came together; as a message it would be this value.
    func decode(_ value: Value) -> ClientMessage
    /// Nil when the family has no such message.
    func value(of message: ServerMessage, at now: Moment) -> Value?
    /// The bytes of a message's value; nil when the format cannot say it.
    func encode(_ value: Value, of message: ServerMessage) -> Message?
}

extension ServerDialect {
    /// Nil when the family has no such message, or when a value of the server's own user cannot be encoded.
    func encode(_ message: ServerMessage, at now: Moment) -> Message? {
        value(of: message, at: now).flatMap { encode($0, of: message) }
    }
}

extension ServerConfiguration {
    /// The dialect's reader and writer; `csrfToken` goes into sente-lite's greeting.
    func serverDialect(csrfToken: String) -> any ServerDialect {
        // sente-lite's vectors are bounded by their characters, and never compressed.
        let bytes = max(maximumMessageBytes, flow.chunking?.maximumMessageBytes ?? 0)
        let format = MessageFormat(format, maximumBytes: dialect == .vectors ? .max : bytes)
        return switch dialect {
        case .maps: MapDialect(format, allowsFlood: allowsFlood, understandsFlow: flow != .off)
        case .vectors:
            VectorDialect(
                format, csrfToken: csrfToken, wrapsBroadcasts: wrapsBroadcasts, understandsFlow: flow != .off)
        case .sente: SenteDialect(format, version: sente.version, understandsFlow: flow != .off)
        }
    }

    /// The limit that only sente-lite's later family tells of.
    var subscriptionLimit: Int? { dialect == .vectors ? tables.subscriptionsPerConnection : nil }
}
