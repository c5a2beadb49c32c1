// SPDX-License-Identifier: Apache-2.0

/// A message on its way in parts.
struct MessageParts: Sendable {
    let number: UInt64
    private let whole: ArraySlice<UInt8>
    private let algorithm: FlowCapabilities.Algorithm?
    private let size: Int
    private let isBinary: Bool
    private let count: Int
    private var next = 0

    /// `algorithm` is what the bytes are compressed by.
    init(
        _ bytes: [UInt8], _ algorithm: FlowCapabilities.Algorithm?, number: UInt64, size: Int, isBinary: Bool
    ) {
        whole = if isBinary, let algorithm { ([algorithm.byte] + bytes)[...] } else { bytes[...] }
        count = max(1, (whole.count + size - 1) / size)
        self.algorithm = algorithm
        self.number = number
        self.size = size
        self.isBinary = isBinary
    }

    var isDone: Bool { next == count }
    /// Whether the next part is the last.
    var isAtLast: Bool { next == count - 1 }

    /// The next part, and the words around it.
    mutating func takeNext() -> [FlowEnvelope] {
        let start = whole.startIndex + next * size
        let isLast = isAtLast
        let part = FlowEnvelope.part(
            FlowPart(
                number: number, index: UInt64(next), bytes: whole[start..<min(start + size, whole.endIndex)],
                isBinary: isBinary, isLast: isBinary && isLast, isCompressed: isBinary && algorithm != nil,
                size: isBinary && next == 0 ? UInt64(whole.count) : nil))
        defer { next += 1 }
        guard !isBinary else { return [part] }
        let begin = FlowEnvelope.start(
            number: number, parts: UInt64(count), bytes: UInt64(whole.count), algorithm)
        return (next == 0 ? [begin] : []) + [part] + (isLast ? [.end(number: number)] : [])
    }
}
