// SPDX-License-Identifier: Apache-2.0

public import SenteCore
import SenteWire

/// What every stream has: a name, progress, a position, an end.
///
/// A stream lives over all the connections that it needs, and keeps its client. What throws throws `streamFailed`,
/// `checksumMismatch`, `notResumable`, `quotaExceeded`, `disconnected` or `cancelled`.
public protocol SenteStream: Sendable {
    /// The stream's name, which both ends know it by.
    var id: String { get }
    /// How far it is, now and every 500 ms at most as long as something moves, and at the end.
    ///
    /// For any number of loops; one that is slow gets the latest. Cancelling a loop changes nothing for the stream.
    var progress: StreamUpdates<StreamProgress> { get }
    /// Where it could go on in another process; nil for a stream that cannot: one both ways, or a broadcast.
    var position: StreamPosition? { get }
    /// What the receiver said to everything, when it has it.
    ///
    /// Cancelling the task that waits calls the stream off, at both ends.
    var value: StreamReceipt { get async throws(SenteError) }
    /// Stops it for as long as one likes, at both ends, also over a lost connection; what is on its way still arrives.
    func pause()
    /// Goes on after `pause()`.
    func resume()
    /// Calls it off, at both ends; does nothing when it has ended.
    ///
    /// - Parameter reason: A text for the other end.
    func cancel(reason: String?)
}

extension SenteStream {
    /// Calls it off, at both ends, without a reason.
    public func cancel() { cancel(reason: nil) }
}

/// A stream whose work a handle does.
protocol HandledStream: SenteStream {
    var handle: StreamHandle { get }
}

extension HandledStream {
    /// Its name.
    public var id: String { handle.id }
    /// Where it could go on in another process.
    public var position: StreamPosition? { handle.position }
    /// What the receiver said to everything.
    public var value: StreamReceipt { get async throws(SenteError) { try await handle.value } }
    /// Stops it for as long as one likes.
    public func pause() { handle.pause() }
    /// Goes on.
    public func resume() { handle.resume() }
    /// Calls it off.
    public func cancel(reason: String?) { handle.cancel(reason: reason) }
    /// How far it is.
    public var progress: StreamUpdates<StreamProgress> {
        StreamUpdates { [handle] in handle.makeProgress() }
    }
}

/// What is told of a stream, or beside it, as a sequence.
public struct StreamUpdates<Element: Sendable>: AsyncSequence, Sendable {
    /// The sequence never fails.
    public typealias Failure = Never

    let start: @Sendable () -> MailboxIterator<Element>

    init(_ start: @escaping @Sendable () -> MailboxIterator<Element>) {
        self.start = start
    }

    /// Begins to follow.
    public func makeAsyncIterator() -> MailboxIterator<Element> { start() }
}

extension CancelOnDeinit {
    /// Keeps a client for those who hold a stream, and lets go of the stream with the last of them.
    convenience init(_ handle: StreamHandle, of client: SenteClient) {
        self.init {
            handle.release()
            _ = client
        }
    }
}
