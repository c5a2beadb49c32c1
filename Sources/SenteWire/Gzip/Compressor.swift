// SPDX-License-Identifier: Apache-2.0

/// Compresses bytes and restores them; this module has no library for that and is given one as a value.
///
/// `SenteLite` brings one for gzip that uses the system's zlib, and supplies it by itself.
public struct Compressor: Sendable {
    /// Adds the compressed form of all the bytes to others.
    public typealias Compress = @Sendable (UnsafeRawBufferPointer, inout [UInt8]) throws(WireError) -> Void
    /// Adds what was compressed to other bytes; throws `tooLarge` before it has added more than the limit.
    public typealias Decompress =
        @Sendable (UnsafeRawBufferPointer, inout [UInt8], _ limit: Int) throws(WireError) -> Void

    package let compress: Compress
    package let decompress: Decompress

    /// Makes a compressor of its two halves.
    public init(compress: @escaping Compress, decompress: @escaping Decompress) {
        self.compress = compress
        self.decompress = decompress
    }
}
