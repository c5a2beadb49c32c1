// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// Bytes both ways, and messages beside them; `SenteClient.openBidirectional` begins one.
///
/// Each way ends by itself: this one with `finish()`, the other when the loop over the stream is over. `value` is there after both.
/// Whoever drops it before calls it off.
public struct BidirectionalStream: SenteStream, HandledStream, AsyncSequence {
    /// What it yields.
    public typealias Element = StreamPiece
    /// Why the stream ended before its time.
    public typealias Failure = SenteError

    let handle: StreamHandle
    let keeper: CancelOnDeinit

    /// Takes what the server sends.
    public func makeAsyncIterator() -> StreamIterator { StreamIterator(handle, keeper) }

    /// Writes bytes, as soon as the server has room for more.
    ///
    /// - Throws: Why the stream has ended, `invalidArgument` after `finish()`.
    public func write(_ bytes: some Sequence<UInt8>) async throws(SenteError) {
        try await handle.write(Array(bytes)[...])
    }

    /// This end has no more to write.
    public func finish() { handle.finish() }

    /// Says something to the app at the other end, beside the bytes and in no order with them.
    ///
    /// It is not sent when there is no connection.
    public func send(control data: Value) { handle.control(data) }

    /// What the app at the other end says beside the bytes, for one loop; the latest 1,024 wait for it.
    public var controls: StreamUpdates<Value> {
        StreamUpdates { [handle, keeper] in handle.controls.makeIterator(keeping: keeper) }
    }
}
