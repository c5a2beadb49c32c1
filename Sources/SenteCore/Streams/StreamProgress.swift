// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// How far a stream is.
public struct StreamProgress: Hashable, Sendable {
    /// The stream's name.
    public let id: String
    /// Where it stands.
    public let state: StreamState
    /// The bytes that have gone, or come; of a stream both ways, those that have gone.
    public let bytes: UInt64
    /// What it will be in all; nil where that is not known.
    public let totalBytes: UInt64?
    /// From 0 to 100; nil where the total is not known.
    public let percentage: Double?
    /// The chunks that have gone, or come.
    public let chunks: UInt64
    /// How many there will be, as far as that is known.
    public let totalChunks: UInt64?
    /// Since the stream began here.
    public let elapsed: Duration
    /// How long the rest takes if it goes on as it did; nil where the total is not known, or nothing has moved yet.
    public let estimatedRemaining: Duration?
    /// Bytes a second, since the stream began here.
    public let throughput: Double
    /// How often there was something to send and the receiver had no room for it.
    public let creditStalls: Int
    /// How often the sender was asked to go back.
    public let rewinds: Int

    /// Of the bytes, those that went or came in this process.
    let movedBytes: UInt64
}

extension StreamProgress {
    /// Of a stream that has just begun here.
    package init(of id: String, _ opening: StreamOpening) {
        self = StreamMeter(at: .distantPast, interval: .zero).progress(
            of: id, .initializing, at: .start, opening, stalls: 0, at: .distantPast)
    }
}

/// Measures how far a stream is, and says when that is to be told.
struct StreamMeter: Sendable {
    private let begun: Instant
    private let interval: Duration
    /// Where this process began: what lies before it took no time here.
    private var origin: UInt64 = 0
    private var toldAt: Instant?
    private(set) var deadline: Instant?
    var rewinds = 0

    init(at now: Instant, interval: Duration) {
        begun = now
        self.interval = interval
    }

    mutating func begin(at origin: UInt64) {
        self.origin = origin
    }

    /// Something moved: it is told at once, or when enough time has gone by.
    mutating func moved(at now: Instant) {
        guard deadline == nil else { return }
        deadline = toldAt.map { max(now, $0.advanced(by: interval)) } ?? now
    }

    /// Whether it is time to tell.
    mutating func isDue(at now: Instant) -> Bool {
        guard let due = deadline, due <= now else { return false }
        deadline = nil
        toldAt = now
        return true
    }

    func progress(
        of id: String, _ state: StreamState, at point: StreamPoint, _ opening: StreamOpening, stalls: Int,
        at now: Instant
    ) -> StreamProgress {
        let elapsed = begun.duration(to: now)
        let seconds = Double(elapsed.wholeNanoseconds) / 1e9
        let moved = point.bytes >= origin ? point.bytes - origin : 0
        let throughput = seconds > 0 ? Double(moved) / seconds : 0
        let total = opening.totalSize
        let left = total.map { $0 > point.bytes ? $0 - point.bytes : 0 }
        // A hundred years are enough of a guess.
        let remaining = left.flatMap { left in
            throughput > 0 ? min(Double(left) / throughput, 3_155_760_000) : nil
        }
        return StreamProgress(
            id: id, state: state, bytes: point.bytes, totalBytes: total,
            percentage: total.map { $0 == 0 ? 100 : min(100, 100 * Double(point.bytes) / Double($0)) },
            chunks: point.index, totalChunks: opening.totalChunks, elapsed: elapsed,
            estimatedRemaining: remaining.map { .nanoseconds(Int64($0 * 1e9)) }, throughput: throughput,
            creditStalls: stalls, rewinds: rewinds, movedBytes: moved)
    }
}
