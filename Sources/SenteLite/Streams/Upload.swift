// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// Bytes that go to the server from a source; `SenteClient.upload` begins one.
///
/// Dropping it changes nothing for the bytes, as long as something else keeps the client; `cancel()` ends them.
public struct Upload: SenteStream, HandledStream {
    let handle: StreamHandle
    let client: SenteClient
}

/// Bytes that go to the server as the app writes them; `SenteClient.openUpload` begins one.
///
/// It ends with `finish()`; whoever drops it before that calls it off.
public struct UploadStream: SenteStream, HandledStream {
    let handle: StreamHandle
    let keeper: CancelOnDeinit

    /// Writes bytes, as soon as the server has room for more.
    ///
    /// That is what holds back whoever makes them: the receiver reads, or nothing is taken. Cancelling the task that waits calls
    /// the stream off. Write from one task: two may change places.
    ///
    /// - Parameter bytes: As many as there are; they are cut, and a chunk is made of each write at least.
    /// - Throws: Why the stream has ended, `invalidArgument` after `finish()`.
    public func write(_ bytes: some Sequence<UInt8>) async throws(SenteError) {
        try await handle.write(Array(bytes)[...])
    }

    /// There is no more: the stream ends when the server has everything, which `value` tells.
    public func finish() { handle.finish() }
}
