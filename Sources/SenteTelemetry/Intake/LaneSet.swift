// SPDX-License-Identifier: Apache-2.0

import SenteSignals

/// The lanes of all threads, and their records as one batch in the order of time.
final class LaneSet: Sendable {
    private struct State: @unchecked Sendable {
        var lanes: [Lane.Place] = []
        var isClosed = false
    }

    private let state = Gate(State())

    deinit {
        state.withLock { $0.lanes.forEach(Lane.leaveByTelemetry) }
    }

    /// A lane for a thread that has none; closed if the set is.
    func makeLane() -> Lane.Place {
        state.withLock { state in
            let lane = Lane.make(isClosed: state.isClosed)
            state.lanes.append(lane)
            return lane
        }
    }

    var count: Int { state.withLock { $0.lanes.count } }

    func wantAttention(evenIfCalm: Bool) -> Bool {
        state.withLock { state in
            state.lanes.contains { Lane.wantsAttention($0, evenIfCalm: evenIfCalm) }
        }
    }

    /// Moves all records into a batch, with numbers; returns how many were dropped meanwhile.
    ///
    /// The dispatcher alone calls it.
    func collect(into batch: inout SignalBatch, closing: Bool, numbers: (Int) -> UInt64) -> Int {
        var (dropped, runs, over) = (0, [Run](), [Lane.Place]())
        let lanes = state.withLock { state in
            if closing { state.isClosed = true }
            return state.lanes
        }
        for lane in lanes {
            let taken = Lane.take(from: lane, closing: closing)
            dropped += taken.dropped
            if let run = Run(taken.bytes) { runs.append(run) }
            if taken.isOver { over.append(lane) }
        }
        Run.merge(&runs, into: &batch, numbers: numbers)
        if !over.isEmpty {
            state.withLock { state in state.lanes.removeAll { over.contains($0) } }
            over.forEach(Lane.leaveByTelemetry)
        }
        return dropped
    }
}

/// What one lane held, in its order.
private struct Run {
    private var next: UnsafeRawPointer
    private let end: UnsafeRawPointer
    private var time: Int64

    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return nil }
        next = start
        end = start + bytes.count
        time = SignalRecord(start).time
    }

    /// Merges by time; a thread's own order stays whatever its clock did.
    static func merge(_ runs: inout [Run], into batch: inout SignalBatch, numbers: (Int) -> UInt64) {
        while runs.count > 1, let first = runs.indices.min(by: { runs[$0].time < runs[$1].time }) {
            var limit = Int64.max
            for index in runs.indices where index != first { limit = min(limit, runs[index].time) }
            runs[first].move(until: limit, into: &batch, numbers: numbers)
            if runs[first].next == runs[first].end { runs.remove(at: first) }
        }
        runs.first?.moveRest(into: &batch, numbers: numbers)
    }

    /// Moves one record, and those behind it that are not younger than the limit, in one piece.
    private mutating func move(
        until limit: Int64, into batch: inout SignalBatch, numbers: (Int) -> UInt64
    ) {
        let start = next
        repeat {
            next += SignalRecord(next).size
            if next < end { time = SignalRecord(next).time }
        } while next < end && time <= limit
        batch.append(records: UnsafeRawBufferPointer(start: start, count: next - start), numbers: numbers)
    }

    /// Moves all that is left, without a look at it.
    private func moveRest(into batch: inout SignalBatch, numbers: (Int) -> UInt64) {
        batch.append(records: UnsafeRawBufferPointer(start: next, count: end - next), numbers: numbers)
    }
}
