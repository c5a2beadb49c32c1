// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// A piece of a stream, as its consumer gets it.
public struct StreamPiece: Hashable, Sendable {
    /// Where among the stream's pieces it stands; in a broadcast there may be gaps.
    public var index: UInt64
    /// Its bytes: as many as a chunk has, or fewer.
    public var bytes: ArraySlice<UInt8>

    package init(index: UInt64, bytes: ArraySlice<UInt8>) {
        self.index = index
        self.bytes = bytes
    }
}

/// What there is to take of a stream.
package enum StreamTake: Sendable {
    case piece(StreamPiece)
    /// Nothing yet; `hasPieces` tells when there is.
    case nothing
    /// Everything was taken, and waits to be confirmed.
    case everything
}

/// The receiving half of a stream: what has come and was not taken, and how far the sender may go.
///
/// The sender may go as far ahead of the consumer as the window is wide, so what waits here and what is on the way are never
/// more than that. The place is absolute: to say it again does no harm, and to lose it between two links costs nothing.
struct StreamReceiver: Sendable {
    /// In a window of bytes, chunks may be small; so many may wait.
    private static let mostWaiting = 4_096
    /// How many chunks are taken before the sender hears of it, at most.
    private static let mostUntold: UInt64 = 32

    /// Something came whose checksum does not hold.
    private enum Trouble: Hashable, Sendable {
        /// It is asked for at this time, or all from the start; until it comes again, all else is thrown away.
        case waiting(until: Instant, fromStart: Bool)
        case asked
    }

    private let limits: StreamOpening
    private let window: StreamFlowControl
    private let settings: StreamSettings
    /// Whether the consumer can throw away what it took, and take all of it again.
    private let startsOver: Bool

    private(set) var next = StreamPoint.start
    private(set) var taken = StreamPoint.start
    private var credit: StreamCredit
    /// How many chunks had been taken when the sender was told last.
    private var granted: UInt64 = 0
    private var waiting = Queue<StreamPiece>()
    private var whole: (any IncrementalDigest)?
    private var trouble: Trouble?
    /// How often the chunk that is due has been wrong, and the whole.
    private var wrongChunks = 0
    private var wrongWholes = 0
    /// What came is everything.
    private(set) var isWhole = false
    private(set) var checksum: [UInt8]?

    /// What came in another process, or before this receiver joined, is checked only with its digest.
    init(
        _ opening: StreamOpening, startsOver: Bool, settings: StreamSettings,
        from point: StreamPoint = .start,
        _ digest: (any IncrementalDigest)? = nil
    ) {
        limits = opening
        // Where some chunks are left out, credits count chunks.
        window = opening.kind == .broadcast ? settings.broadcastControl : settings.flowControl
        self.settings = settings
        self.startsOver = startsOver
        next = point
        taken = point
        granted = point.index
        credit = Self.credit(window, beyond: point)
        whole = opening.isChecked ? digest ?? (point == .start ? settings.digests.begin() : nil) : nil
    }

    var reception: StreamReception { StreamReception(next: next, credit: credit) }

    /// Whether there is something to take.
    var hasPieces: Bool { !waiting.isEmpty }

    /// Bytes that wait, for tests of what a stream takes.
    var waitingBytes: Int { waiting.reduce(0) { $0 + $1.bytes.count } }

    var deadline: Instant? {
        if case .waiting(let until, _)? = trouble { until } else { nil }
    }

    // MARK: What comes

    /// Whether the chunk is the first that waits.
    mutating func receive(_ chunk: StreamChunk, at now: Instant) throws(StreamFault) -> Bool {
        if trouble != nil {
            guard trouble == .asked, chunk.index == next.index else { return false }
        }
        try check(chunk)
        if limits.checksChunks {
            guard let checksum = chunk.checksum else { throw .violation("a chunk came without checksum") }
            guard checksum == settings.digests.digest(of: chunk.bytes) else {
                wrongChunks += 1
                try retry(wrongChunks, of: "chunk \(chunk.index)", at: now)
                return false
            }
        }
        trouble = nil
        wrongChunks = 0
        chunk.bytes.withUnsafeBytes { whole?.update($0) }
        next = next.behind(chunk.bytes.count)
        waiting.append(StreamPiece(index: chunk.index, bytes: chunk.bytes))
        return waiting.count == 1
    }

    private func check(_ chunk: StreamChunk) throws(StreamFault) {
        guard !isWhole else { throw .violation("a chunk came behind the last one") }
        guard chunk.index == next.index else {
            throw .violation("chunk \(chunk.index) came where \(next.index) was due")
        }
        guard !chunk.bytes.isEmpty, chunk.bytes.count <= limits.chunkSize else {
            throw .violation("a chunk of \(chunk.bytes.count) bytes came")
        }
        guard credit.allowance(at: next, size: chunk.bytes.count) == chunk.bytes.count,
            waiting.count < Self.mostWaiting
        else { throw .violation("chunk \(chunk.index) came without credit") }
        if let total = limits.totalSize, next.bytes + UInt64(chunk.bytes.count) > total {
            throw .violation("more than \(total) bytes came")
        }
    }

    /// The sender says that this was everything.
    mutating func end(_ totals: StreamTotals, at now: Instant) throws(StreamFault) {
        // It will be said again behind what was asked for again.
        guard trouble == nil, !isWhole else { return }
        guard totals.end == next, totals.end.bytes == limits.totalSize ?? totals.end.bytes else {
            throw .violation("it ended after \(next.bytes) bytes and said that it had more, or fewer")
        }
        guard var digest = whole else {
            isWhole = true
            return
        }
        let checksum = digest.finish()
        guard let said = totals.checksum else { throw .violation("it ended without its checksum") }
        if said == checksum {
            self.checksum = checksum
            isWhole = true
        } else if startsOver {
            wrongWholes += 1
            try retry(wrongWholes, of: "the whole", fromStart: true, at: now)
        } else {
            throw StreamFault(.checksumMismatch, "What came is not what was sent: the checksums differ.")
        }
    }

    private mutating func retry(
        _ times: Int, of what: String, fromStart: Bool = false, at now: Instant
    ) throws(StreamFault) {
        guard times <= settings.retries else {
            throw StreamFault(
                .checksumMismatch,
                "The checksum of \(what) did not hold after \(settings.retries) more tries.")
        }
        trouble = .waiting(until: now.advanced(by: settings.retryDelay), fromStart: fromStart)
    }

    // MARK: What is asked for again

    /// Where the sender is to go back to, when it is time; and whether the consumer begins anew.
    mutating func takeRewind(at now: Instant) -> (reception: StreamReception, fromStart: Bool)? {
        guard case .waiting(let until, let fromStart)? = trouble, until <= now else { return nil }
        trouble = .asked
        if fromStart {
            next = .start
            taken = .start
            waiting = Queue()
            grant()
            whole = settings.digests.begin()
        }
        return (reception, fromStart)
    }

    /// On a new link everything comes from `next` on, what was wrong among it.
    mutating func stop() {
        if case .waiting(_, fromStart: true)? = trouble { return }
        trouble = nil
    }

    /// In a broadcast the sender left out what lies before a place.
    mutating func skip(to point: StreamPoint) throws(StreamFault) {
        guard point.index >= next.index, point.bytes >= next.bytes, !isWhole else {
            throw .violation("a broadcast went back")
        }
        taken = StreamPoint(
            index: taken.index + (point.index - next.index), bytes: taken.bytes + (point.bytes - next.bytes))
        next = point
        grant()
        trouble = nil
    }

    // MARK: The consumer

    /// The next piece, and whether the sender may be told that it can go further.
    mutating func take() -> (piece: StreamPiece, raises: Bool)? {
        guard let piece = waiting.popFirst() else { return nil }
        taken = taken.behind(piece.bytes.count)
        return (piece, raise())
    }

    private mutating func raise() -> Bool {
        guard !isWhole else { return false }
        let (left, width): (UInt64, Int) =
            switch (credit, window) {
            case (.chunks(let until), .credits(let width)): (until - taken.index, width)
            case (.bytes(let until), .window(let width)): (until - taken.bytes, width)
            default: (0, 1)
            }
        // The seeds refill at 30 %: counted from what was taken, or a consumer that lags a little would stop its sender.
        // A sender keeps chunks that it was not told of, and stops at 64, however wide the window.
        let isLow = left <= Self.threeTenths(of: UInt64(width))
        guard isLow || taken.index - granted >= Self.mostUntold else { return false }
        grant()
        return true
    }

    private mutating func grant() {
        credit = Self.credit(window, beyond: taken)
        granted = taken.index
    }

    /// Of a window of any width.
    private static func threeTenths(of width: UInt64) -> UInt64 { width / 10 * 3 + width % 10 * 3 / 10 }

    private static func credit(_ window: StreamFlowControl, beyond point: StreamPoint) -> StreamCredit {
        switch window {
        case .credits(let count): .chunks(until: point.index + UInt64(count))
        case .window(let bytes): .bytes(until: point.bytes + UInt64(bytes))
        }
    }
}
