// SPDX-License-Identifier: Apache-2.0

import SenteSocket

/// A library that only knows stored blocks (RFC 1951 §3.2.4), and counts what is asked of it.
///
/// Used by one test on one thread.
final class StoredLibrary: DeflateLibrary, @unchecked Sendable {
    /// What was made, each by its window and, for deflaters, its level.
    var deflaters: [[Int]] = []
    var inflaters: [Int] = []
    var liveDeflaters = 0
    var liveInflaters = 0
    var resetsOfDeflaters = 0
    var resetsOfInflaters = 0
    /// To how many bytes deflaters shrink every message; nil: to stored blocks, which are longer than it.
    var shrinksTo: Int?
    /// Whether there is memory.
    var isWell = true

    func makeDeflater(windowBits: Int, level: Int) -> (any Deflater)? {
        deflaters.append([windowBits, level])
        return isWell ? StoredDeflater(self) : nil
    }

    func makeInflater(windowBits: Int) -> (any Inflater)? {
        inflaters.append(windowBits)
        return isWell ? StoredInflater(self) : nil
    }

    /// What a peer would write for a message.
    static func payload(_ bytes: [UInt8]) -> [UInt8] {
        let pieces = stride(from: 0, to: bytes.count, by: 0xFFFF).map {
            bytes[$0..<min($0 + 0xFFFF, bytes.count)]
        }
        return pieces.flatMap { block(Array($0)) } + [0]
    }

    /// One whole block; 1 is the first byte of a final one.
    static func block(_ bytes: [UInt8], first: UInt8 = 0) -> [UInt8] {
        let (low, high) = (UInt8(bytes.count & 255), UInt8(bytes.count >> 8))
        return [first, low, high, ~low, ~high] + bytes
    }
}

private final class StoredDeflater: Deflater, @unchecked Sendable {
    let library: StoredLibrary

    init(_ library: StoredLibrary) {
        self.library = library
        library.liveDeflaters += 1
    }

    deinit { library.liveDeflaters -= 1 }

    func deflate(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard library.isWell else { return nil }
        if let count = library.shrinksTo { return [UInt8](repeating: 0, count: count) }
        return StoredLibrary.payload(Array(bytes))
    }

    func reset() { library.resetsOfDeflaters += 1 }
}

private final class StoredInflater: Inflater, @unchecked Sendable {
    let library: StoredLibrary
    var head: [UInt8] = []
    var left = 0

    init(_ library: StoredLibrary) {
        self.library = library
        library.liveInflaters += 1
    }

    deinit { library.liveInflaters -= 1 }

    var isAtBoundary: Bool { head.isEmpty && left == 0 }

    func inflate(
        _ bytes: UnsafeRawBufferPointer, into output: inout [UInt8], limit: Int
    ) throws(InflateError) {
        for byte in bytes {
            if left > 0 {
                guard output.count < limit else { throw .tooLarge }
                output.append(byte)
                left -= 1
                continue
            }
            head.append(byte)
            guard head.count == 5 else { continue }
            guard head[0] < 2, head[1] == ~head[3], head[2] == ~head[4] else { throw .damaged }
            left = Int(head[1]) | Int(head[2]) << 8
            head = []
        }
    }

    func reset() { library.resetsOfInflaters += 1 }
}
