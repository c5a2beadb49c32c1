// SPDX-License-Identifier: Apache-2.0

/// Finished bytes that many lines have in common.
///
/// They are copied in blocks, without a call and whatever their number: so much may be read of the memory they stand in.
struct LinePiece {
    typealias Block = SIMD16<UInt8>

    static let blockSize = MemoryLayout<Block>.size

    let start: UnsafeRawPointer
    let count: Int

    /// How many bytes of memory that many take, in whole blocks.
    static func room(_ count: Int) -> Int { count + blockSize - 1 }

    @inline(__always)
    func block(at offset: Int) -> Block { start.loadUnaligned(fromByteOffset: offset, as: Block.self) }
}
