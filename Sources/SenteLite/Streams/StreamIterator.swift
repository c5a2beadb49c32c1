// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// Takes the pieces of a stream one by one, which is the credit of whoever sends them.
public struct StreamIterator: AsyncIteratorProtocol {
    /// Why the stream ended before its time.
    public typealias Failure = SenteError

    let handle: StreamHandle
    /// Keeps the stream as long as somebody takes of it.
    let keeper: CancelOnDeinit
    private var isOver = false

    init(_ handle: StreamHandle, _ keeper: CancelOnDeinit) {
        self.handle = handle
        self.keeper = keeper
    }

    /// The next piece; nil when there is no more and the checksum holds.
    ///
    /// Cancelling the task that waits calls the stream off, at both ends.
    public mutating func next() async throws(SenteError) -> StreamPiece? {
        try await next(from: nil)
    }

    /// The next piece, without leaving the caller's actor.
    @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
    public mutating func next(isolation actor: isolated (any Actor)?) async throws(SenteError) -> StreamPiece?
    {
        try await next(from: actor)
    }

    private mutating func next(from actor: isolated (any Actor)?) async throws(SenteError) -> StreamPiece? {
        guard !isOver else { return nil }
        handle.start(StreamHandle.Consumption())
        switch try await handle.next(isolation: actor) {
        case .piece(let piece): return piece
        case .everything:
            isOver = true
            handle.confirm()
            return nil
        // Nobody who takes pieces one by one says that they could be taken again.
        case .startsOver: return nil
        }
    }
}
