// SPDX-License-Identifier: Apache-2.0

/// What a NATS server says, one operation of its stream
/// (docs.nats.io, *Client Protocol*).
package enum NATSOperation: Hashable, Sendable {
    /// `INFO {…}`: first, and again whenever something of it changes.
    case info(NATSServerInfo)
    /// `MSG` and `HMSG`.
    case message(NATSMessage)
    /// A message larger than what is kept; its bytes were passed over.
    case oversized(subject: String, size: Int)
    case ping
    case pong
    /// Only where CONNECT asked for it.
    case ok
    case fault(NATSFault)
}

/// A message of one subscription; who has two that match gets it twice.
package struct NATSMessage: Hashable, Sendable {
    package var subject: String
    /// The subscription, by the number that this client gave it; nil for what is none of ours.
    package var sid: UInt64?
    /// Where an answer is awaited.
    package var reply: String?
    /// `NATS/1.0` up to the blank line; empty where it came without.
    package var head: [UInt8]
    package var payload: [UInt8]

    package init(
        subject: String, sid: UInt64?, reply: String? = nil, head: [UInt8] = [], payload: [UInt8] = []
    ) {
        self.subject = subject
        self.sid = sid
        self.reply = reply
        self.head = head
        self.payload = payload
    }
}

/// The server did not keep to its protocol: the link ends.
package struct NATSViolation: Error, Hashable, Sendable {
    /// A sentence for people.
    package var message: String

    init(_ what: String) {
        message = "The server broke the NATS protocol: \(what)."
    }
}
