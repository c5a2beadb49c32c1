// SPDX-License-Identifier: Apache-2.0

/// A digest of bytes that come one piece after the other.
package protocol IncrementalDigest: Sendable {
    /// Takes the next bytes in.
    mutating func update(_ bytes: UnsafeRawBufferPointer)
    /// The digest of all the bytes; nothing comes after it.
    mutating func finish() -> [UInt8]
}

/// A way to make digests.
///
/// This module's own SHA-256 is always there; whoever has a library whose code uses the processor's instructions for it hands
/// that in, as a value.
package struct DigestFunction: Sendable {
    /// Begins with no bytes.
    package let begin: @Sendable () -> any IncrementalDigest

    package init(begin: @escaping @Sendable () -> any IncrementalDigest) {
        self.begin = begin
    }

    /// Our own SHA-256.
    package static let sha256 = DigestFunction { SHA256() }

    /// The digest of bytes that are all there.
    package func digest(of bytes: ArraySlice<UInt8>) -> [UInt8] {
        var digest = begin()
        bytes.withUnsafeBytes { digest.update($0) }
        return digest.finish()
    }
}
