// SPDX-License-Identifier: Apache-2.0

/// How a message is to be sent, when not as any other.
///
/// ```swift
/// try await client.publish(["stop": true], to: "machines", options: SendOptions(priority: .urgent))
/// ```
public struct SendOptions: Sendable, Hashable {
    /// Which messages go before which, while more wait than the connection takes.
    ///
    /// Messages of one priority leave in the order of the calls. None waits for ever: after each 64 KiB that went ahead of
    /// them, one `normal` and one `bulk` message has its turn.
    public enum Priority: String, Sendable, Hashable, CaseIterable {
        /// Before all others.
        case urgent
        /// The default.
        case normal
        /// When nothing else waits.
        case bulk
    }

    /// What it goes before.
    ///
    /// Two messages of one channel overtake one another only where their priorities differ. The default is `.normal`.
    public var priority: Priority

    /// Makes options.
    public init(priority: Priority = .normal) {
        self.priority = priority
    }
}
