// SPDX-License-Identifier: Apache-2.0

/// A message that leaves in parts, one at a time.
///
/// As flow words the parts stand between a start and an end, which go with the first and the last of them: so the last part
/// is the end of the message in either spelling.
package struct Chunker: Hashable, Sendable {
    /// Never used twice on a link.
    package let number: UInt64
    private let whole: ArraySlice<UInt8>
    private let algorithm: MessageCompression.Algorithm?
    private let size: Int
    private let isBinary: Bool
    /// How many parts there are.
    package let count: Int
    private var index = 0

    /// Parts of so many bytes; the last one may be shorter.
    package init(_ folded: Folded, number: UInt64, size: Int, isBinary: Bool) {
        self.number = number
        self.size = max(1, size)
        self.isBinary = isBinary
        algorithm = folded.algorithm
        whole = isBinary ? folded.bytes[...] : folded.payload
        count = max(1, (whole.count + self.size - 1) / self.size)
    }

    var hasBegun: Bool { index > 0 }
    package var isDone: Bool { index == count }

    /// The next part, with what goes before or after it; nothing when all have been taken.
    package mutating func next() -> [Envelope] {
        guard !isDone else { return [] }
        let start = whole.startIndex + index * size
        let isLast = index == count - 1
        let part = Envelope.part(
            ChunkPart(
                number: number, index: UInt64(index), isLast: isBinary && isLast,
                namesAlgorithm: isBinary && algorithm != nil,
                size: isBinary && index == 0 ? UInt64(whole.count) : nil,
                bytes: whole[start..<min(start + size, whole.endIndex)]))
        defer { index += 1 }
        guard !isBinary else { return [part] }
        var envelopes = [part]
        if index == 0 {
            envelopes.insert(
                .start(
                    ChunkStart(
                        number: number, chunks: UInt64(count), size: UInt64(whole.count), algorithm: algorithm
                    )),
                at: 0)
        }
        if isLast { envelopes.append(.end(number)) }
        return envelopes
    }
}
