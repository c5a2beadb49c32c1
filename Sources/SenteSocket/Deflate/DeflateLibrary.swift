// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What a link needs of a library that compresses: streams of raw DEFLATE (RFC 1951).
package protocol DeflateLibrary: Sendable {
    /// A compressing stream; nil when it cannot be had, for want of memory or for a window the library cannot do.
    func makeDeflater(windowBits: Int, level: Int) -> (any Deflater)?
    /// A decompressing stream; nil when it cannot be had.
    func makeInflater(windowBits: Int) -> (any Inflater)?
}

/// A compressing stream.
///
/// It belongs to one link, and is used by whoever has that link at the time.
package protocol Deflater: AnyObject, Sendable {
    /// The compressed form of `bytes`, which are not empty, flushed to the border of a byte and without the four bytes
    /// 00 00 FF FF that this leaves at the end (RFC 7692 §7.2.1).
    ///
    /// After nil the stream must not be used again.
    func deflate(_ bytes: UnsafeRawBufferPointer) -> [UInt8]?
    /// Forgets what was compressed before.
    func reset()
}

/// A decompressing stream.
///
/// It belongs to one link, and is used by whoever has that link at the time.
package protocol Inflater: AnyObject, Sendable {
    /// Adds what `bytes` unfold to, and stops before `output` would have more than `limit` bytes.
    ///
    /// What follows a final block is read as more blocks. After an error the stream must not be used again.
    func inflate(
        _ bytes: UnsafeRawBufferPointer, into output: inout [UInt8], limit: Int) throws(InflateError)
    /// Whether all bytes so far are whole blocks, of which the last ends at the border of a byte.
    var isAtBoundary: Bool { get }
    /// Forgets what was decompressed before.
    func reset()
}

/// Why bytes could not be decompressed.
package enum InflateError: Error, Hashable, Sendable {
    /// They are no DEFLATE.
    case damaged
    /// More than the limit would come out.
    case tooLarge
    /// The library has no memory left.
    case outOfMemory
}

/// What a link is given to offer or accept permessage-deflate with.
///
/// A class, for it never changes and every link carries it.
package final class LinkCompression: Sendable {
    package let policy: CompressionPolicy
    package let library: any DeflateLibrary

    package init(_ policy: CompressionPolicy, _ library: any DeflateLibrary) {
        self.policy = policy
        self.library = library
    }
}
