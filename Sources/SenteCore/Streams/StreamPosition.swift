// SPDX-License-Identifier: Apache-2.0

/// Where a stream stands, to be stored and gone on from, also in another process.
///
/// A server keeps the position of a stream for a while after its client has gone (an hour by default): who comes later finds that
/// the stream is unknown. For an upload the source has to give the same bytes again.
public struct StreamPosition: Hashable, Sendable, Codable {
    /// The stream's name.
    public let id: String
    /// Which way its bytes go.
    public let kind: StreamKind
    /// The channel that it was opened on.
    public let channel: String?
    /// How many bytes had gone, of an upload, or were in the hands of the app, of a download.
    public let bytes: UInt64
    /// What it will be in all, where that is known.
    public let totalBytes: UInt64?

    let index: UInt64
    let chunkSize: Int
    let isChecked: Bool
    let checksChunks: Bool

    package init(id: String, _ opening: StreamOpening, at point: StreamPoint) {
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

    /// Reads a position that was stored.
    ///
    /// Throws `DecodingError` for what no stream has had: who stored it may have been somebody else.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        id = try fields.decode(String.self, forKey: .id)
        kind = try fields.decode(StreamKind.self, forKey: .kind)
        channel = try fields.decodeIfPresent(String.self, forKey: .channel)
        bytes = try fields.decode(UInt64.self, forKey: .bytes)
        totalBytes = try fields.decodeIfPresent(UInt64.self, forKey: .totalBytes)
        index = try fields.decode(UInt64.self, forKey: .index)
        chunkSize = try fields.decode(Int.self, forKey: .chunkSize)
        isChecked = try fields.decode(Bool.self, forKey: .isChecked)
        checksChunks = try fields.decode(Bool.self, forKey: .checksChunks)
        // What goes over the wire is no larger.
        let most = UInt64(Int64.max)
        guard StreamWord.ids.contains(id.utf8.count), bytes <= totalBytes ?? most, totalBytes ?? 0 <= most,
            bytes <= most, index <= bytes, chunkSize > 0
        else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath,
                    debugDescription: "This is no position of a stream: begin the stream anew."))
        }
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
