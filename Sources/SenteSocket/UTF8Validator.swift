// SPDX-License-Identifier: Apache-2.0

/// Checks UTF-8 that comes in pieces cut anywhere, and says no at the first byte that cannot be (RFC 3629
/// §4).
///
/// Between pieces it remembers only what may follow: how many bytes of the scalar are still missing and the
/// bounds of the next one, which is where overlong forms, surrogates and scalars above U+10FFFF are excluded.
package struct UTF8Validator: Hashable, Sendable {
    private var missing = 0
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    /// Whether no scalar is half read.
    package var isAtBoundary: Bool { missing == 0 }

    package init() {}

    /// Whether `bytes` go on from what came before.
    ///
    /// After a no the validator says nothing more.
    package mutating func accept(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        let count = bytes.count
        var offset = 0
        while offset < count {
            let byte = base.load(fromByteOffset: offset, as: UInt8.self)
            if missing > 0 {
                guard byte >= lowest, byte <= highest else { return false }
                missing &-= 1
                lowest = 0x80
                highest = 0xBF
                offset &+= 1
            } else if byte < 0x80 {
                offset = Self.endOfASCII(base, from: offset &+ 1, to: count)
            } else {
                guard start(byte) else { return false }
                offset &+= 1
                // The common case, a scalar that is not cut, stays out of the stored state.
                if count &- offset >= missing {
                    guard finish(base + offset) else { return false }
                    offset &+= missing
                    missing = 0
                    lowest = 0x80
                    highest = 0xBF
                }
            }
        }
        return true
    }

    /// Takes the first byte of a scalar that is not ASCII (RFC 3629 §4, the table of sequences).
    private mutating func start(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xC2...0xDF: missing = 1
        case 0xE1...0xEC, 0xEE, 0xEF: missing = 2
        case 0xE0: (missing, lowest) = (2, 0xA0)
        case 0xED: (missing, highest) = (2, 0x9F)
        case 0xF1...0xF3: missing = 3
        case 0xF0: (missing, lowest) = (3, 0x90)
        case 0xF4: (missing, highest) = (3, 0x8F)
        default: return false
        }
        return true
    }

    /// Whether the `missing` bytes at `next` complete the scalar.
    private func finish(_ next: UnsafeRawPointer) -> Bool {
        let first = next.load(as: UInt8.self)
        guard first >= lowest, first <= highest else { return false }
        var offset = 1
        while offset < missing {
            guard next.load(fromByteOffset: offset, as: UInt8.self) & 0xC0 == 0x80 else { return false }
            offset &+= 1
        }
        return true
    }

    /// Skips what is ASCII, 32 bytes and then 8 at a time.
    private static func endOfASCII(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
        let high: UInt64 = 0x8080_8080_8080_8080
        var offset = start
        while end &- offset >= 32 {
            let a = base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let b = base.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self)
            let c = base.loadUnaligned(fromByteOffset: offset &+ 16, as: UInt64.self)
            let d = base.loadUnaligned(fromByteOffset: offset &+ 24, as: UInt64.self)
            guard (a | b | c | d) & high == 0 else { break }
            offset &+= 32
        }
        while end &- offset >= 8,
            base.loadUnaligned(fromByteOffset: offset, as: UInt64.self) & high == 0
        {
            offset &+= 8
        }
        // Fewer than eight are the end of one more word, whose other bytes have been looked at.
        if end &- offset < 8, offset < end, end >= 8,
            base.loadUnaligned(fromByteOffset: end &- 8, as: UInt64.self) & high == 0
        {
            return end
        }
        return offset
    }
}
