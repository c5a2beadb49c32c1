// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// A family's way of reading and writing messages.
protocol ServerDialect: Sendable {
    /// Whatever came is a message, if only an `unreadable` one.
    func decode(_ message: Message) -> ClientMessage
    /// Nil when the family has no such message, or when a value of the server's own user cannot be encoded.
    func encode(_ message: ServerMessage, at now: Moment) -> Message?
}

extension ServerConfiguration {
    /// The dialect's reader and writer; `csrfToken` goes into sente-lite's greeting.
    func serverDialect(csrfToken: String) -> any ServerDialect {
        // sente-lite's vectors are bounded by their characters, and never compressed.
        let format = MessageFormat(format, maximumBytes: dialect == .vectors ? .max : maximumMessageBytes)
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
