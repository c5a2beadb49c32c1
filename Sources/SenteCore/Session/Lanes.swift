// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// In which order messages of different urgency leave.
///
/// The most urgent go first. A lane that waits meanwhile has a turn, with one message, after each `stride` bytes of those
/// before it, so that every lane always moves.
package struct Lanes: Sendable {
    private struct Lane {
        var calls = Queue<CallID>()
        /// How many of them wait still.
        var waiting = 0
        /// The bytes that went ahead since its last turn.
        var passed = 0
    }

    package static let stride = 65_536

    /// By urgency; made for the first message.
    private var lanes: [Lane] = []

    package init() {}

    private mutating func makeLanes() {
        if lanes.isEmpty { lanes = SendOptions.Priority.allCases.map { _ in Lane() } }
    }

    /// How many entries there are, those whose messages are gone included.
    package var count: Int { lanes.reduce(0) { $0 + $1.calls.count } }

    package mutating func append(_ call: CallID, to priority: SendOptions.Priority) {
        makeLanes()
        lanes[priority.lane].calls.append(call)
        lanes[priority.lane].waiting += 1
    }

    /// Puts calls back before all others of their lanes, in their order.
    mutating func prepend(_ calls: [(CallID, SendOptions.Priority)]) {
        makeLanes()
        for lane in lanes.indices {
            let back = calls.filter { $0.1.lane == lane }
            guard !back.isEmpty else { continue }
            var queue = Queue<CallID>()
            for (call, _) in back { queue.append(call) }
            for call in lanes[lane].calls { queue.append(call) }
            lanes[lane].calls = queue
            lanes[lane].waiting += back.count
        }
    }

    /// Whose turn it is; entries for which `waits` does not hold are dropped on the way.
    package mutating func inTurn(passingOver steps: inout Int, _ waits: (CallID) -> Bool) -> CallID? {
        // In this order a turn makes nobody due who was asked already: the urgent wait for one of each at most.
        for lane in lanes.indices where lanes[lane].passed >= Self.stride {
            if let call = first(of: lane, passingOver: &steps, waits) { return call }
        }
        for lane in lanes.indices {
            if let call = first(of: lane, passingOver: &steps, waits) { return call }
        }
        return nil
    }

    /// The one whose turn it is leaves its lane, and may come back; afterwards it is `removed`.
    package mutating func leaves(_ priority: SendOptions.Priority, weighing weight: Int) {
        _ = lanes[priority.lane].calls.popFirst()
        lanes[priority.lane].passed = 0
        for lane in lanes.indices where lane > priority.lane && lanes[lane].waiting > 0 {
            lanes[lane].passed += weight
        }
    }

    /// One of a lane waits no more; its entry is passed over, or goes with the last.
    package mutating func removed(from priority: SendOptions.Priority) {
        lanes[priority.lane].waiting -= 1
        if lanes[priority.lane].waiting == 0 { lanes[priority.lane] = Lane() }
    }

    /// The one whose turn it is leaves its lane, but not the outbox.
    mutating func stepAside(_ priority: SendOptions.Priority) {
        _ = lanes[priority.lane].calls.popFirst()
        removed(from: priority)
    }

    package mutating func removeAll(where isGone: (CallID) -> Bool) {
        for lane in lanes.indices { lanes[lane].calls.removeAll(where: isGone) }
    }

    private mutating func first(
        of lane: Int, passingOver steps: inout Int, _ waits: (CallID) -> Bool
    ) -> CallID? {
        while let call = lanes[lane].calls.first {
            if waits(call) { return call }
            _ = lanes[lane].calls.popFirst()
            steps += 1
        }
        return nil
    }
}

extension SendOptions.Priority {
    /// The number of its lane, the most urgent first.
    var lane: Int {
        switch self {
        case .urgent: 0
        case .normal: 1
        case .bulk: 2
        }
    }
}
