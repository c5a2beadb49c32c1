// SPDX-License-Identifier: Apache-2.0

/// What carries a message, or a part of one, in another shape than the format's own.
///
/// It is spelled in one of two ways: as a binary message (`Envelope+Binary`) or as a flow word (`Envelope+Fields`). An envelope
/// never holds an envelope.
package enum Envelope: Hashable, Sendable {
    /// A whole message.
    case compressed(MessageCompression.Algorithm, ArraySlice<UInt8>)
    /// Says what parts are to come; parts in binary messages come without.
    case start(ChunkStart)
    case part(ChunkPart)
    /// The parts of this number have been sent; the last of those in binary messages says so itself.
    case end(UInt64)
    /// No more parts of this number will come.
    case abort(UInt64)

    /// Whether it says that all parts have been sent.
    var isEnd: Bool {
        switch self {
        case .part(let part): part.isLast
        case .end: true
        case .compressed, .start, .abort: false
        }
    }

    var isPart: Bool {
        if case .part = self { true } else { false }
    }
}

/// What a message in parts will be like.
package struct ChunkStart: Hashable, Sendable {
    package var number: UInt64
    package var chunks: UInt64
    /// The bytes of all parts together.
    package var size: UInt64
    /// What they have been compressed by, if they have.
    package var algorithm: MessageCompression.Algorithm?

    package init(number: UInt64, chunks: UInt64, size: UInt64, algorithm: MessageCompression.Algorithm? = nil)
    {
        self.number = number
        self.chunks = chunks
        self.size = size
        self.algorithm = algorithm
    }
}

/// One part of a message.
package struct ChunkPart: Hashable, Sendable {
    package var number: UInt64
    /// Where among the parts it stands, from 0.
    package var index: UInt64
    /// It is the one with the highest index; only said in binary messages.
    package var isLast: Bool
    /// The whole begins with the byte of an algorithm and goes on with what that made; only said in binary messages.
    package var namesAlgorithm: Bool
    /// How many bytes all parts have; only said in binary messages, by the first of them.
    package var size: UInt64?
    package var bytes: ArraySlice<UInt8>

    package init(
        number: UInt64, index: UInt64, isLast: Bool = false, namesAlgorithm: Bool = false,
        size: UInt64? = nil, bytes: ArraySlice<UInt8>
    ) {
        self.number = number
        self.index = index
        self.isLast = isLast
        self.namesAlgorithm = namesAlgorithm
        self.size = size
        self.bytes = bytes
    }
}
