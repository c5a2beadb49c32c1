// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

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
