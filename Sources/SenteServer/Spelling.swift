// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// How a family of servers spells its words in messages.
protocol Spelling: Sendable {
    /// Everything means something, were it `unreadable`.
    func read(_ message: Message) -> ClientWord
    /// Nil when the family has no such word, or when a value of the server's own user cannot be said.
    func write(_ word: ServerWord, at now: Moment) -> Message?
}

extension ServerConfiguration {
    /// The spelling of the dialect; `csrfToken` is what sente-lite's greeting carries.
    func spelling(csrfToken: String) -> any Spelling {
        // sente-lite's vectors are bounded by their characters, and never compressed.
        let format = MessageFormat(format, maximumBytes: dialect == .vectors ? .max : maximumMessageBytes)
        return switch dialect {
        case .maps: MapSpelling(format, allowsFlood: allowsFlood)
        case .vectors: VectorSpelling(format, csrfToken: csrfToken, wrapsBroadcasts: wrapsBroadcasts)
        case .sente: SenteSpelling(format, version: sente.version)
        }
    }

    /// The limit that only sente-lite's later family tells of.
    var subscriptionLimit: Int? { dialect == .vectors ? tables.subscriptionsPerConnection : nil }
}

/// A wire format with the kind of message it goes in.
struct MessageFormat: Sendable {
    let format: WireFormat
    private let kind: Message.Kind
    /// Bounds what a compressed message unfolds to.
    private let limits: WireLimits

    init(_ format: WireFormat, maximumBytes: Int = .max) {
        self.format = format
        kind = format.isBinary ? .binary : .text
        limits = WireLimits(maximumBytes: max(0, min(maximumBytes, WireLimits().maximumBytes)))
    }

    /// Nil for the other kind of message, and for what is no whole value of the format.
    func value(of message: Message) -> Value? {
        guard message.kind == kind else { return nil }
        return try? format.decode(message.bytes, limits: limits)
    }

    /// Nil when the format cannot say the value.
    func message(of value: Value) -> Message? {
        (try? format.encode(value)).map { Message(kind, $0) }
    }
}
