// SPDX-License-Identifier: Apache-2.0

public import SenteWire

/// What two ends say about one stream, beside its chunks.
///
/// Nothing but `control` is counted where sessions are resumed: all the rest says where a stream stands, and is said again on
/// each new link.
package enum StreamWord: Hashable, Sendable {
    /// The stream begins, or goes on over this link.
    case open(StreamOpening)
    /// The answer to that; with it how far its sender has received, if it receives.
    case accept(StreamReception?)
    /// How far the receiver is, and how far the sender may go.
    case credits(StreamReception)
    /// The same, and the sender goes back there.
    case rewind(StreamReception)
    case pause(reason: String?)
    /// In a broadcast it may go on further ahead.
    case resume(at: StreamPoint?)
    /// The sender has sent everything.
    case sent(StreamTotals)
    /// The receiver has everything, and has taken it.
    case received(StreamReceipt)
    /// What apps tell one another beside the data.
    case control(Value)
    /// The stream ends, for this reason.
    case failed(StreamFault)
    case cancel(reason: String?)
    /// The server has noted that the stream has ended.
    case end

    /// The word of flow that it is.
    var word: FlowWord {
        switch self {
        case .open: .streamInit
        case .accept: .streamAccept
        case .credits: .streamCredits
        case .rewind: .streamRewind
        case .pause: .streamPause
        case .resume: .streamResume
        case .sent, .received: .streamComplete
        case .control: .streamControl
        case .failed: .streamError
        case .cancel: .streamCancel
        case .end: .streamEnd
        }
    }

    /// The word's name behind flow's prefix.
    package var name: String { word.rawValue }

    /// Whether both ends count it where sessions are resumed.
    package var isCounted: Bool { word.isCounted }
}

/// A place in a stream: so many chunks, and so many bytes, lie before it.
package struct StreamPoint: Hashable, Sendable {
    package var index: UInt64
    package var bytes: UInt64

    package init(index: UInt64 = 0, bytes: UInt64 = 0) {
        self.index = index
        self.bytes = bytes
    }

    package static let start = StreamPoint()

    /// The place behind a chunk of so many bytes.
    func behind(_ count: Int) -> StreamPoint {
        StreamPoint(index: index &+ 1, bytes: bytes &+ UInt64(count))
    }
}

/// How far a sender may go: absolute, so that saying it twice or losing it between two links changes nothing.
package enum StreamCredit: Hashable, Sendable {
    /// Chunks with a lower index.
    case chunks(until: UInt64)
    /// So many bytes.
    case bytes(until: UInt64)

    /// How many bytes of a chunk of at most `size` may be sent from a place on.
    func allowance(at point: StreamPoint, size: Int) -> Int {
        switch self {
        case .chunks(let until): point.index < until ? size : 0
        case .bytes(let until): until > point.bytes ? Int(min(until - point.bytes, UInt64(size))) : 0
        }
    }
}

/// How far a receiver is.
package struct StreamReception: Hashable, Sendable {
    /// What lies before it has come.
    package var next: StreamPoint
    package var credit: StreamCredit

    package init(next: StreamPoint = .start, credit: StreamCredit) {
        self.next = next
        self.credit = credit
    }
}

/// What a stream is, as one end tells the other on each link.
package struct StreamOpening: Hashable, Sendable {
    package var kind: StreamKind
    /// By what binary chunks are known on this link: odd when a client gives it, even when a server does.
    package var number: UInt64
    package var channel: String?
    /// The largest chunk.
    package var chunkSize: Int
    /// What it will be in all, where that is known.
    package var totalSize: UInt64?
    package var metadata: Value
    /// Whether the whole has a checksum.
    package var isChecked: Bool
    /// Whether each chunk has one.
    package var checksChunks: Bool
    /// Whether the other end has accepted it before.
    package var isAgain: Bool
    /// How far the one who says it has received; nil if it does not receive.
    package var reception: StreamReception?
    /// Where a broadcast begins for this receiver.
    package var first: StreamPoint?

    package init(
        kind: StreamKind, number: UInt64, channel: String? = nil, chunkSize: Int = 65_536,
        totalSize: UInt64? = nil, metadata: Value = .null, isChecked: Bool = true, checksChunks: Bool = false,
        isAgain: Bool = false, reception: StreamReception? = nil, first: StreamPoint? = nil
    ) {
        self.kind = kind
        self.number = number
        self.channel = channel
        self.chunkSize = chunkSize
        self.totalSize = totalSize
        self.metadata = metadata
        self.isChecked = isChecked
        self.checksChunks = checksChunks
        self.isAgain = isAgain
        self.reception = reception
        self.first = first
    }

    /// How many chunks that is, if they are as large as they may be.
    package var totalChunks: UInt64? {
        totalSize.map { $0 / UInt64(max(1, chunkSize)) + ($0 % UInt64(max(1, chunkSize)) > 0 ? 1 : 0) }
    }
}

/// What a sender says when it has sent everything.
package struct StreamTotals: Hashable, Sendable {
    package var end: StreamPoint
    /// SHA-256 of all the bytes.
    package var checksum: [UInt8]?

    package init(end: StreamPoint, checksum: [UInt8]? = nil) {
        self.end = end
        self.checksum = checksum
    }
}

/// What a receiver says when everything has come and was taken.
public struct StreamReceipt: Hashable, Sendable {
    package var end: StreamPoint
    package var milliseconds: Int64
    /// SHA-256 of all the bytes; nil where nobody computed it.
    public var checksum: [UInt8]?
    /// What the receiving app says to it, such as where it put the file; `.null` if nothing.
    public var answer: Value

    /// How many bytes were received.
    public var bytes: UInt64 { end.bytes }
    /// How long that took the receiver.
    public var duration: Duration { .milliseconds(milliseconds) }

    package init(end: StreamPoint, milliseconds: Int64, checksum: [UInt8]? = nil, answer: Value = .null) {
        self.end = end
        self.milliseconds = milliseconds
        self.checksum = checksum
        self.answer = answer
    }
}

/// A piece of a stream's bytes.
package struct StreamChunk: Hashable, Sendable {
    package var index: UInt64
    /// SHA-256 of the bytes, where each chunk has one.
    package var checksum: [UInt8]?
    package var bytes: ArraySlice<UInt8>

    package init(index: UInt64, checksum: [UInt8]? = nil, bytes: ArraySlice<UInt8>) {
        self.index = index
        self.checksum = checksum
        self.bytes = bytes
    }
}
