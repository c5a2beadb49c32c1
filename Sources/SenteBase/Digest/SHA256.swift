// SPDX-License-Identifier: Apache-2.0

/// SHA-256 (FIPS 180-4 §6.2) of bytes that come in pieces.
package struct SHA256: IncrementalDigest, Hashable {
    private static let blockBytes = 64
    /// Where the length begins in the last block (§5.1.1).
    private static let lengthOffset = 56

    /// The hash so far (§5.3.3).
    private var state = SIMD8<UInt32>(
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
        0x5be0_cd19)
    /// What does not fill a block yet.
    private var partial: [UInt8] = []
    private var byteCount: UInt64 = 0

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        byteCount &+= UInt64(bytes.count)
        var rest = bytes[...]
        if !partial.isEmpty {
            let missing = rest.prefix(Self.blockBytes - partial.count)
            partial.append(contentsOf: missing)
            rest = rest.dropFirst(missing.count)
            guard partial.count == Self.blockBytes else { return }
            partial.withUnsafeBytes { Self.compress(&state, $0[...]) }
            partial.removeAll(keepingCapacity: true)
        }
        let blocks = rest.prefix(rest.count / Self.blockBytes * Self.blockBytes)
        if !blocks.isEmpty { Self.compress(&state, blocks) }
        partial.append(contentsOf: rest.dropFirst(blocks.count))
    }

    package mutating func finish() -> [UInt8] {
        let bitCount = byteCount &<< 3
        partial.append(0x80)
        let isFull = partial.count > Self.lengthOffset
        let zeros = Self.lengthOffset - partial.count + (isFull ? Self.blockBytes : 0)
        partial.append(contentsOf: repeatElement(0, count: zeros))
        withUnsafeBytes(of: bitCount.bigEndian) { partial.append(contentsOf: $0) }
        partial.withUnsafeBytes { Self.compress(&state, $0[...]) }
        return state.indices.flatMap { word in withUnsafeBytes(of: state[word].bigEndian) { Array($0) } }
    }

    /// Takes whole blocks into the hash (§6.2.2).
    ///
    /// The eight rounds of a turn name the working variables anew, so that none is moved; the schedule is a ring of 16 words.
    private static func compress(_ state: inout SIMD8<UInt32>, _ blocks: Slice<UnsafeRawBufferPointer>) {
        let bytes = UnsafeRawBufferPointer(rebasing: blocks)
        constants.withUnsafeBufferPointer { constants in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { words in
                for start in stride(from: 0, to: bytes.count, by: blockBytes) {
                    schedule(bytes, at: start, into: words)
                    var a = state[0]
                    var b = state[1]
                    var c = state[2]
                    var d = state[3]
                    var e = state[4]
                    var f = state[5]
                    var g = state[6]
                    var h = state[7]
                    for turn in stride(from: 0, to: 64, by: 8) {
                        round(a, b, c, &d, e, f, g, &h, constants[turn] &+ words[turn])
                        round(h, a, b, &c, d, e, f, &g, constants[turn &+ 1] &+ words[turn &+ 1])
                        round(g, h, a, &b, c, d, e, &f, constants[turn &+ 2] &+ words[turn &+ 2])
                        round(f, g, h, &a, b, c, d, &e, constants[turn &+ 3] &+ words[turn &+ 3])
                        round(e, f, g, &h, a, b, c, &d, constants[turn &+ 4] &+ words[turn &+ 4])
                        round(d, e, f, &g, h, a, b, &c, constants[turn &+ 5] &+ words[turn &+ 5])
                        round(c, d, e, &f, g, h, a, &b, constants[turn &+ 6] &+ words[turn &+ 6])
                        round(b, c, d, &e, f, g, h, &a, constants[turn &+ 7] &+ words[turn &+ 7])
                    }
                    state = state &+ SIMD8(a, b, c, d, e, f, g, h)
                }
            }
        }
    }

    @inline(__always)
    private static func schedule(
        _ bytes: UnsafeRawBufferPointer, at start: Int, into words: UnsafeMutableBufferPointer<UInt32>
    ) {
        for word in 0..<16 {
            let loaded = bytes.loadUnaligned(fromByteOffset: start &+ 4 &* word, as: UInt32.self)
            words[word] = UInt32(bigEndian: loaded)
        }
        for word in 16..<64 {
            let early = words[word &- 15]
            let late = words[word &- 2]
            let sigma0 = rotate(early, 7) ^ rotate(early, 18) ^ (early &>> 3)
            let sigma1 = rotate(late, 17) ^ rotate(late, 19) ^ (late &>> 10)
            words[word] = words[word &- 16] &+ sigma0 &+ words[word &- 7] &+ sigma1
        }
    }

    @inline(__always)
    private static func round(
        _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32, _ g: UInt32,
        _ h: inout UInt32, _ constantAndWord: UInt32
    ) {
        let sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
        let choice = g ^ (e & (f ^ g))
        let first = h &+ sum1 &+ choice &+ constantAndWord
        let sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
        let majority = (a & b) | (c & (a | b))
        d = d &+ first
        h = first &+ sum0 &+ majority
    }

    @inline(__always)
    private static func rotate(_ word: UInt32, _ places: UInt32) -> UInt32 {
        (word &>> places) | (word &<< (32 &- places))
    }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (§4.2.2).
    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4,
        0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe,
        0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f,
        0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da, 0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
        0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc,
        0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b,
        0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070, 0x19a4_c116,
        0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7,
        0xc671_78f2,
    ]
}
