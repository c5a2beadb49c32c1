// SPDX-License-Identifier: Apache-2.0

/// Where a message stands, as the subject says on which its consumer would acknowledge it.
///
/// `$JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.<consumer sequence>.<time>.<pending>` has nine parts. With domain
/// and account behind `ACK` there are eleven, and more may follow, so that parts are counted from the front (ADR-15).
package struct ConsumerPlace: Hashable, Sendable {
    package var stream: String
    /// Its sequence in the stream.
    package var sequence: UInt64
    /// Its sequence among what this consumer handed over.
    package var delivery: UInt64
    /// When the stream took it, in milliseconds since 1970.
    package var time: Int64
    /// How many messages the consumer has for this client behind it.
    package var pending: UInt64

    private static let maximumBytes = 2_048

    package init(stream: String, sequence: UInt64, delivery: UInt64, time: Int64 = 0, pending: UInt64 = 0) {
        self.stream = stream
        self.sequence = sequence
        self.delivery = delivery
        self.time = time
        self.pending = pending
    }

    /// nil for what is no such subject.
    package init?(_ subject: String) {
        guard subject.utf8.count <= Self.maximumBytes else { return nil }
        let parts = subject.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 9 || parts.count >= 11, parts[0] == "$JS", parts[1] == "ACK" else { return nil }
        let first = parts.count == 9 ? 2 : 4
        guard let sequence = Self.sequence(parts[first + 3]), let delivery = Self.sequence(parts[first + 4]),
            let time = Int64(parts[first + 5]), time >= 0, let pending = UInt64(parts[first + 6]),
            !parts[first].isEmpty
        else { return nil }
        self.init(
            stream: String(parts[first]), sequence: sequence, delivery: delivery, time: time / 1_000_000,
            pending: pending)
    }

    private static func sequence(_ text: Substring) -> UInt64? {
        guard let number = Int64(text), (1..<Int64.max).contains(number) else { return nil }
        return UInt64(number)
    }
}
