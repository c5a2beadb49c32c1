// SPDX-License-Identifier: Apache-2.0

/// The bytes of a message as they travel: as the format wrote them, or behind an algorithm's byte what that made of them.
package struct Folded: Hashable, Sendable {
    package let algorithm: MessageCompression.Algorithm?
    package let bytes: [UInt8]

    /// Bytes as the format wrote them.
    package init(plain bytes: [UInt8]) {
        algorithm = nil
        self.bytes = bytes
    }

    /// What `compress` adds to the bytes it is given.
    package init<E>(
        by algorithm: MessageCompression.Algorithm, _ compress: (inout [UInt8]) throws(E) -> Void
    ) throws(E) {
        var bytes = [algorithm.code]
        try compress(&bytes)
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// The bytes without that of the algorithm.
    package var payload: ArraySlice<UInt8> { bytes[(algorithm == nil ? 0 : 1)...] }
}
