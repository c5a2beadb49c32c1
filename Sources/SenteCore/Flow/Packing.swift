// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// In what shape messages leave on one link: compressed where that helps, in parts where they are large.
package struct Packing: Sendable {
    package struct Compression: Sendable {
        package var algorithm: MessageCompression.Algorithm
        /// Smaller messages go as they are.
        package var minimumBytes: Int
        package var compressor: Compressor

        package init(algorithm: MessageCompression.Algorithm, minimumBytes: Int, compressor: Compressor) {
            self.algorithm = algorithm
            self.minimumBytes = minimumBytes
            self.compressor = compressor
        }
    }

    /// A message in the shape that it leaves in.
    package enum Packed: Hashable, Sendable {
        case plain(Message)
        case compressed(Envelope)
        /// To be cut by a `Chunker`.
        case parts(Folded)
    }

    /// What came of compressing, for the metrics.
    package enum Compressed: Hashable, Sendable {
        /// Nothing was tried.
        case off
        case done(before: Int, after: Int)
        case skippedSmall
        case skippedIncompressible
    }

    /// Nil where nothing is compressed.
    package var compression: Compression?
    /// How many bytes a part has; nil where messages stay whole.
    package var partBytes: Int?
    /// Whether envelopes are binary messages.
    package var isBinary: Bool
    /// Whether flow words hold bytes, and not base64.
    package var writesBytes: Bool

    package init(compression: Compression?, partBytes: Int?, isBinary: Bool, writesBytes: Bool) {
        self.compression = compression
        self.partBytes = partBytes
        self.isBinary = isBinary
        self.writesBytes = writesBytes
    }

    /// The shape of a message, which may hold what no compression makes smaller.
    package func pack(_ message: Message, isCompressedAlready: Bool) -> (packed: Packed, Compressed) {
        let isLarge = message.bytes.count > partBytes ?? .max
        let (folded, compressed) = compress(message.bytes, isLarge: isLarge, isCompressedAlready)
        guard let folded, let algorithm = folded.algorithm else {
            return (isLarge ? .parts(Folded(plain: message.bytes)) : .plain(message), compressed)
        }
        guard folded.payload.count <= partBytes ?? .max else { return (.parts(folded), compressed) }
        return (.compressed(.compressed(algorithm, folded.payload)), compressed)
    }

    /// The bytes compressed, if that saves a tenth of what they would be on the wire.
    private func compress(
        _ bytes: [UInt8], isLarge: Bool, _ isCompressedAlready: Bool
    ) -> (Folded?, Compressed) {
        guard let compression else { return (nil, .off) }
        guard bytes.count >= compression.minimumBytes else { return (nil, .skippedSmall) }
        guard !isCompressedAlready,
            let folded = try? Folded(
                by: compression.algorithm,
                { output throws(WireError) in
                    try bytes.withUnsafeBufferPointer { bytes throws(WireError) in
                        try compression.compressor.compress(UnsafeRawBufferPointer(bytes), &output)
                    }
                })
        else { return (nil, .skippedIncompressible) }
        let after = folded.payload.count
        // A large message is base64 either way.
        let onWire = isBinary || writesBytes || isLarge ? after : (after + 2) / 3 * 4
        guard onWire <= bytes.count - bytes.count / 10 else { return (nil, .skippedIncompressible) }
        return (folded, .done(before: bytes.count, after: after))
    }
}
