// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// Mask keys for client frames: unpredictable and fresh for each frame (RFC 6455 §5.3, §10.3).
///
/// One pool serves every link of an event loop: a key drawn alone costs a system call, more than a whole
/// small send.
package struct MaskKeys: Sendable {
    private static let refill = 256

    private let entropy: Entropy
    private var keys: [UInt32] = []

    package init(_ entropy: Entropy) {
        self.entropy = entropy
    }

    /// The next key, in the order of bytes on the wire when read as little-endian.
    ///
    /// No key is given twice.
    package mutating func next() -> UInt32 {
        if let key = keys.popLast() { return key }
        keys = [UInt32](repeating: 0, count: Self.refill)
        keys.withUnsafeMutableBytes { entropy.fill($0) }
        return keys.removeLast()
    }
}
