// SPDX-License-Identifier: Apache-2.0

/// A message's place in the stream that keeps its channel: store it, and a later process goes on behind it.
///
/// ```swift
/// for await message in try await client.subscribe("orders.>", from: saved.map { .cursor($0) } ?? .sequence(1)) {
///     try await handle(message)
///     saved = message.cursor
/// }
/// ```
public struct ChannelCursor: Hashable, Sendable, Codable {
    /// The stream's name.
    public var stream: String
    /// When the stream was made, as the server writes it: one that was made anew numbers its messages anew, and the cursor is
    /// none of its places.
    public var created: String
    /// The message's sequence in the stream, from 1 on.
    public var sequence: UInt64

    /// Makes it of its parts; clients make theirs of what comes.
    public init(stream: String, created: String, sequence: UInt64) {
        self.stream = stream
        self.created = created
        self.sequence = sequence
    }
}
