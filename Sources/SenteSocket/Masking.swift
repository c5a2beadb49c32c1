// SPDX-License-Identifier: Apache-2.0

/// XOR with a mask key (RFC 6455 §5.3), fused with the copy that has to happen anyway, in 64-bit words.
package enum Masking {
    /// Masks or unmasks bytes where they are; key 0, which changes nothing, costs nothing.
    static func apply(_ key: UInt32, to bytes: UnsafeMutableRawBufferPointer, phase: Int = 0) {
        guard key != 0, let base = bytes.baseAddress else { return }
        copy(base, to: base, count: bytes.count, key: key, phase: phase)
    }

    /// Copies `count` bytes through the mask.
    ///
    /// `source` and `target` are the same or do not overlap.
    ///
    /// `key` is the wire's four bytes read as little-endian; `phase` is the place of the first byte in its
    /// frame's payload.
    package static func copy(
        _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int, key: UInt32,
        phase: Int = 0
    ) {
        guard key != 0 else {
            if source != UnsafeRawPointer(target) { target.copyMemory(from: source, byteCount: count) }
            return
        }
        let shift = UInt32(truncatingIfNeeded: phase & 3) &* 8
        let turned = (key &>> shift) | (key &<< (32 &- shift))
        let wide = UInt64(turned) | UInt64(turned) << 32
        let mask = wide.littleEndian
        var offset = 0
        let words = count & ~7
        while offset < words {
            let word = source.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            target.storeBytes(of: word ^ mask, toByteOffset: offset, as: UInt64.self)
            offset &+= 8
        }
        while offset < count {
            let byte = source.load(fromByteOffset: offset, as: UInt8.self)
            let part = UInt8(truncatingIfNeeded: wide &>> UInt64((offset & 7) &* 8))
            target.storeBytes(of: byte ^ part, toByteOffset: offset, as: UInt8.self)
            offset &+= 1
        }
    }
}
