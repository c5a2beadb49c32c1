// SPDX-License-Identifier: Apache-2.0

/// Small numbers that tell the few keys of a map apart without a look at the keys themselves, for `ValueStack`.
///
/// Values that are equal, or that Clojure takes for equal, have equal fingerprints; most others have different ones.
enum Fingerprint {
    /// The fingerprint of any value; kinds that are rarely keys have none of their own.
    static func of(_ value: Value) -> UInt32 {
        switch value {
        case .string(let text): of(text)
        case .keyword(let keyword): of(keyword.text)
        case .symbol(let symbol): of(symbol.text)
        case .integer(let integer): UInt32(truncatingIfNeeded: integer &* 0x9E37_79B1)
        case .bigInteger(let integer): Int64(exactly: integer).map { of(.integer($0)) } ?? 0
        default: 0
        }
    }

    /// The fingerprint of a text that is no part of the bytes read.
    static func of(_ text: String) -> UInt32 {
        text.readUTF8 { text in text.baseAddress.map { of($0, count: text.count) } ?? 0 }
    }

    /// The fingerprint of a text where it stands.
    @inline(__always)
    static func of(_ text: UnsafePointer<UInt8>, count: Int) -> UInt32 {
        let raw = UnsafeRawPointer(text)
        let first: UInt64
        let last: UInt64
        if count >= 8 {
            first = raw.loadUnaligned(as: UInt64.self)
            last = raw.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
        } else if count >= 4 {
            first = UInt64(raw.loadUnaligned(as: UInt32.self))
            last = UInt64(raw.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
        } else if count > 0 {
            (first, last) = (UInt64(text[0]), UInt64(text[count / 2]) << 8 | UInt64(text[count - 1]))
        } else {
            (first, last) = (0, 0)
        }
        let mixed = (first ^ UInt64(count)) &* 0x9E37_79B9_7F4A_7C15 ^ last &* 0xC2B2_AE3D_27D4_EB4F
        return UInt32(truncatingIfNeeded: mixed >> 32 ^ mixed)
    }
}
