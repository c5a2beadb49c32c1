// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// Bytes that come from the server: a sequence of pieces, or a file (`save(to:)`).
///
/// ```swift
/// for await download in client.downloads(on: "exports") {
///     for try await piece in download { parser.take(piece.bytes) }
/// }
/// ```
///
/// Nothing comes before somebody takes it, and no more than the credits say beyond what was taken. What one loop has taken no other
/// gets. Whoever drops it before its end calls it off; before its beginning, refuses it.
public struct Download: SenteStream, HandledStream, AsyncSequence {
    /// What it yields.
    public typealias Element = StreamPiece
    /// Why the stream ended before its time.
    public typealias Failure = SenteError

    let handle: StreamHandle
    let keeper: CancelOnDeinit
    /// Where it goes on, of one that began in another process.
    let origin: StreamPosition?

    init(_ handle: StreamHandle, of client: SenteClient, from origin: StreamPosition? = nil) {
        self.handle = handle
        keeper = CancelOnDeinit(handle, of: client)
        self.origin = origin
    }

    /// The channel that it came on, if any.
    public var channel: String? { handle.opening.channel }
    /// Whether it is for this client, or a broadcast to the subscribers of the channel.
    public var kind: StreamKind { handle.opening.kind }
    /// What the server says of it, such as a file's name; nothing of it was checked.
    public var metadata: Value { handle.opening.metadata }
    /// How many bytes it will be, where the server knows.
    public var totalBytes: UInt64? { handle.opening.totalSize }

    /// Takes what comes next; the first one accepts the stream.
    public func makeAsyncIterator() -> StreamIterator { StreamIterator(handle, keeper) }
}

/// What the server sends, one after the other: each goes to one loop.
///
/// What nobody takes waits, among the streams that there may be at once, until the server gives up. A loop ends when its task is
/// cancelled, which changes nothing for the streams that it took.
public struct Downloads: AsyncSequence, Sendable {
    /// What it yields.
    public typealias Element = Download
    /// The sequence never fails.
    public typealias Failure = Never

    let client: SenteClient
    let channel: String?

    /// Waits for what the server offers.
    public func makeAsyncIterator() -> Iterator { Iterator(client: client, channel: channel) }

    /// Waits for what the server offers.
    public struct Iterator: AsyncIteratorProtocol {
        /// Waiting never fails.
        public typealias Failure = Never

        let client: SenteClient
        let channel: String?

        /// The next one that nobody else has; nil when the task was cancelled.
        public mutating func next() async -> Download? { await next(from: nil) }

        /// The next one, without leaving the caller's actor.
        @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
        public mutating func next(isolation actor: isolated (any Actor)?) async -> Download? {
            await next(from: actor)
        }

        private func next(from actor: isolated (any Actor)?) async -> Download? {
            await client.driver.offers.next(on: channel, isolation: actor).map { Download($0, of: client) }
        }
    }
}

/// What becomes of a download after a piece of it.
public enum DownloadAction: Sendable {
    /// The next piece, when it has come.
    case `continue`
    /// Nothing before `resume()`.
    case pause
    /// Called off, at both ends.
    case cancel
}
