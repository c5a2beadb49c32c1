// SPDX-License-Identifier: Apache-2.0

/// One whole WebSocket message.
///
/// Text is UTF-8 that has been checked; a `String` is made only where one is needed.
package struct Message: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case text
        case binary
    }

    package var kind: Kind
    package var bytes: [UInt8]

    package init(_ kind: Kind, _ bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }

    package static func text(_ string: String) -> Message { Message(.text, Array(string.utf8)) }
    package static func binary(_ bytes: [UInt8]) -> Message { Message(.binary, bytes) }

    /// The bytes as a string, for logs and tests.
    package var string: String { String(decoding: bytes, as: UTF8.self) }
}

/// One message on its way to a link.
package struct Transmission: Hashable, Sendable {
    package var id: SendID
    package var message: Message

    package init(_ id: SendID, _ message: Message) {
        self.id = id
        self.message = message
    }
}
