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

    /// Whether the message outlives its connection and its process: it is kept in the client's `OutboxStore` until the server has
    /// answered, or, where the dialect has no answer, until the server says that it has it, or keeps no session and it is written.
    ///
    /// It waits as long as it takes, however short the outbox's time to live is, and goes again with the next connection when its own
    /// was lost before the answer came: at least once. Its call ends as any other does; one that ends *unknown* leaves the message to
    /// be sent. The default is false.
    public var durable: Bool

    /// What stands beside the data, for whoever reads it: one line of text each, and names may come more than once.
    ///
    /// Servers of NATS carry headers, and those of the other dialects do not: a message with any is refused there
    /// (`unsupported`). A durable message has none. The default is nothing.
    public var headers: NamedValues

    /// Makes options.
    public init(priority: Priority = .normal, durable: Bool = false, headers: NamedValues = [:]) {
        self.headers = headers
        self.priority = priority
        self.durable = durable
    }
}
