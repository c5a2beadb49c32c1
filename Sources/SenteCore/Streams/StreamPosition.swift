// SPDX-License-Identifier: Apache-2.0

/// Where a stream stands, to be stored and gone on from, also in another process.
///
/// A server keeps the position of a stream for a while after its client has gone (an hour by default): who comes later finds that
/// the stream is unknown. For an upload the source has to give the same bytes again.
package struct StreamPosition: Hashable, Sendable, Codable {
    /// The stream's name.
    package let id: String
    /// Which way its bytes go.
    package let kind: StreamKind
    /// The channel that it was opened on.
    package let channel: String?
    /// How many bytes have arrived: those of an upload at the server, those of a download in the hands of the app.
    package let bytes: UInt64
    /// What it will be in all, where that is known.
    package let totalBytes: UInt64?

    let index: UInt64
    let chunkSize: Int
    let isChecked: Bool
    let checksChunks: Bool

    init(id: String, _ opening: StreamOpening, at point: StreamPoint) {
        self.id = id
        kind = opening.kind
        channel = opening.channel
        bytes = point.bytes
        totalBytes = opening.totalSize
        index = point.index
        chunkSize = opening.chunkSize
        isChecked = opening.isChecked
        checksChunks = opening.checksChunks
    }

    /// The place in the stream.
    package var point: StreamPoint { StreamPoint(index: index, bytes: bytes) }

    /// The stream, as it is asked for again.
    package var opening: StreamOpening {
        StreamOpening(
            kind: kind, number: 0, channel: channel, chunkSize: max(1, chunkSize), totalSize: totalBytes,
            isChecked: isChecked, checksChunks: checksChunks, isAgain: true)
    }
}

extension StreamKind: Codable {}
