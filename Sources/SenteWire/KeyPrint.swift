// SPDX-License-Identifier: Apache-2.0

/// A small print of a map's key, for `ValueStack`: equal keys have equal prints, most others differ.
enum KeyPrint {
    /// The print of a key of any kind; only texts and keywords have one of their own.
    static func of(_ key: Value) -> UInt32 {
        switch key {
        case .string(let text): of(text, salt: 0)
        case .keyword(let keyword): of(keyword.text, salt: 0x5851_F42D)
        default: 0
        }
    }

    @inline(__always)
    private static func of(_ text: String, salt: UInt64) -> UInt32 {
        var text = text
        return text.withUTF8 { bytes in
            let raw = UnsafeRawBufferPointer(bytes)
            var first: UInt64 = 0
            var last: UInt64 = 0
            if raw.count >= 8 {
                first = raw.loadUnaligned(as: UInt64.self)
                last = raw.loadUnaligned(fromByteOffset: raw.count - 8, as: UInt64.self)
            } else {
                for byte in raw { first = first << 8 | UInt64(byte) }
            }
            let mixed =
                (first ^ UInt64(raw.count)) &* 0x9E37_79B9_7F4A_7C15 ^ last &* 0xC2B2_AE3D_27D4_EB4F ^ salt
            return UInt32(truncatingIfNeeded: mixed >> 32 ^ mixed)
        }
    }
}
