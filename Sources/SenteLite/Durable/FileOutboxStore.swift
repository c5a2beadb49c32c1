// SPDX-License-Identifier: Apache-2.0

public import SenteCore
import SenteTransport

/// Keeps durable messages in a folder.
///
/// The folder holds two files: `lock`, by which one process at a time has it, and `outbox`, to whose end each message and each end of
/// one is written. A message is on the disk when `append` returns. What a crash left half-written at the end is put aside, and told as
/// damage. When more is done than waits, the file is written anew.
public final class FileOutboxStore: OutboxStore {
    private struct State {
        var file: OutboxFile
        /// What is kept, and in which order it came.
        var messages: [StoredMessage.ID: (message: StoredMessage, order: Int)] = [:]
        var order = 0
        var clients: Set<String> = []
        var damage: OutboxStoreError?
    }

    private let state: LockedValue<State>
    private let broadcast = Broadcast<StoredOutcome>(BoundedQueue(latest: 1_024))

    /// Opens a folder, which is made if there is none.
    ///
    /// - Parameters:
    ///   - directory: The path of the folder.
    ///   - synchronizes: Whether a message is on the disk, and not only with the system, when `append` returns, so that it survives
    ///     the loss of power too. The default is true.
    /// - Throws: `inUse` when another process or another store has the folder, `foreign` when its file is none of this store's,
    ///   `failed` when the system says no.
    public init(directory: String, synchronizes: Bool = true) throws(OutboxStoreError) {
        let (file, records, readDamage) = try OutboxFile.open(in: directory, synchronizes: synchronizes)
        var messages: [StoredMessage.ID: (message: StoredMessage, order: Int)] = [:]
        for (order, record) in records.enumerated() {
            switch record {
            case .message(let message): messages[message.id] = (message, order)
            case .end(let id): messages[id] = nil
            }
        }
        var damage = readDamage
        if messages.count < records.count || damage != nil {
            let live = messages.values.sorted { $0.order < $1.order }.map(\.message)
            // A full disk is no reason not to go on with the old file.
            do throws(OutboxStoreError) { try file.rewrite(live) } catch { damage = damage ?? error }
        }
        state = LockedValue(
            State(file: file, messages: messages, order: records.count, damage: damage))
    }

    /// What becomes of messages from now on, those of earlier processes among them, for any number of consumers.
    ///
    /// One that does not keep up misses the oldest: 1,024 wait for it. Begin before the client connects.
    public var outcomes: StoredOutcomes { StoredOutcomes { [broadcast] in broadcast.makeIterator() } }

    /// How many messages it holds.
    public var count: Int { state.withLock { $0.messages.count } }

    /// Gives what earlier clients of this id left; another client may have it when this one is gone.
    public func load(for clientID: String) throws(OutboxStoreError) -> StoredBacklog {
        try state.withLock { state throws(OutboxStoreError) in
            guard state.clients.insert(clientID).inserted else {
                throw OutboxStoreError(
                    .inUse,
                    "Another client has the messages of “\(clientID)”: give each client an id of its own.")
            }
            defer { state.damage = nil }
            let messages = state.messages.values.filter { $0.message.clientID == clientID }
            return StoredBacklog(
                messages: messages.sorted { $0.order < $1.order }.map(\.message), damage: state.damage)
        }
    }

    /// Keeps a message.
    public func append(_ message: StoredMessage) throws(OutboxStoreError) {
        try state.withLock { state throws(OutboxStoreError) in
            try state.file.append(.message(message))
            state.order += 1
            state.messages[message.id] = (message, state.order)
        }
    }

    /// Forgets a message, and tells its outcome.
    public func remove(
        _ id: StoredMessage.ID, _ outcome: Outcome, error: SenteError?
    ) throws(OutboxStoreError) {
        guard let message = state.withLock({ $0.messages.removeValue(forKey: id)?.message }) else { return }
        broadcast.send([StoredOutcome(message: message, outcome: outcome, error: error)])
        try state.withLock { state throws(OutboxStoreError) in
            // The last one out leaves an empty file, for which there is room on a full disk too.
            guard !state.messages.isEmpty else { return try state.file.empty() }
            try state.file.append(.end(id))
            guard state.file.isMostlyDone(messages: state.messages.count) else { return }
            try state.file.rewrite(state.messages.values.sorted { $0.order < $1.order }.map(\.message))
        }
    }

    /// Lets another client have the messages of this id.
    public func unload(_ clientID: String) {
        state.withLock { _ = $0.clients.remove(clientID) }
    }
}

/// What becomes of the messages of a store, as a sequence; it ends when its task is cancelled.
public struct StoredOutcomes: AsyncSequence, Sendable {
    /// What it yields.
    public typealias Element = StoredOutcome
    /// The sequence never fails.
    public typealias Failure = Never
    /// Takes outcomes one by one.
    public typealias Iterator = MailboxIterator<StoredOutcome>

    private let start: @Sendable () -> Iterator

    init(_ start: @escaping @Sendable () -> Iterator) {
        self.start = start
    }

    /// Starts with the next outcome.
    public func makeAsyncIterator() -> Iterator {
        start()
    }
}
