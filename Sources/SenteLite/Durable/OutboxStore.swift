// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// Keeps durable messages over the end of the process, until they are done.
///
/// ```swift
/// var configuration = SenteClient.Configuration()
/// configuration.clientID = "till-7"
/// configuration.outboxStore = try FileOutboxStore(directory: "/var/lib/till/outbox")
/// let client = try SenteClient("wss://shop.example/", configuration: configuration)
/// try client.enqueue(publish: ["sold": 3], to: "sales", options: SendOptions(durable: true))
/// ```
///
/// The next client with the same store and `clientID` sends what an earlier one did not: at least once, and exactly once where the
/// server announces that it remembers the ids of messages. ``FileOutboxStore`` is one; others may be made of a database. All of it may
/// be called from any thread; a call returns when it is done.
public protocol OutboxStore: Sendable {
    /// Gives what earlier clients of this id left, in the order of their calls, when a client is made.
    ///
    /// What was damaged and left out is told in `damage`; the client makes a signal of it.
    func load(for clientID: String) throws(OutboxStoreError) -> StoredBacklog

    /// Keeps a message, before it is sent; on the thread of the call that sends it.
    ///
    /// When it throws, the call throws `storeFailed`, and the message is not sent.
    func append(_ message: StoredMessage) throws(OutboxStoreError)

    /// Forgets a message that is done; on a thread of the client's own.
    ///
    /// When it throws, the client makes a signal of it, and the message may be sent once more by a later client.
    func remove(_ id: StoredMessage.ID, _ outcome: Outcome, error: SenteError?) throws(OutboxStoreError)

    /// The client of this id is gone: another may be made.
    func unload(_ clientID: String)
}

/// What a store held of a client when it was made.
public struct StoredBacklog: Sendable {
    /// The messages, in the order of their calls.
    public var messages: [StoredMessage]
    /// What could not be read, if anything.
    public var damage: OutboxStoreError?

    /// Makes it of its parts.
    public init(messages: [StoredMessage], damage: OutboxStoreError? = nil) {
        self.messages = messages
        self.damage = damage
    }
}

/// Why durable messages could not be kept or read.
public struct OutboxStoreError: Error, Hashable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Sendable, Hashable {
        /// Another process, or another client of the same id, has it.
        case inUse
        /// The file is not one of this store's; it was left as it is.
        case foreign
        /// The disk is full, or the file may not grow; nothing that was kept is lost.
        case full
        /// Some bytes were no message, and were put aside; what was whole is there.
        case damaged
        /// Anything else.
        case failed
    }

    /// What is wrong.
    public var reason: Reason
    /// A sentence that says what to do.
    public var description: String

    /// Makes an error.
    public init(_ reason: Reason, _ description: String) {
        self.reason = reason
        self.description = description
    }
}
