// SPDX-License-Identifier: Apache-2.0

import SenteSignals

/// What a thread has of telemetry: its lanes, and whether it is inside a handler.
///
/// All telemetries share one key of the system, which has few; a thread rarely writes to a second one.
struct ThreadState {
    typealias Place = UnsafeMutablePointer<ThreadState>

    private var telemetry: UInt64 = 0
    private var lane: Lane.Place?
    private var others: [UInt64: Lane.Place] = [:]
    /// Whether it must never wait for the dispatcher.
    var neverWaits: Bool
    /// The number of the handler that it runs, 0 for none.
    var handler: UInt16 = 0
    /// Whether it may wait for a handler now.
    ///
    /// One that waits inside another handler might wait for one that waits for it.
    var mayWait: Bool { !neverWaits && handler == 0 }
    /// Whether what that handler was given was itself raised by a handler.
    var handlesRaised = false

    static let key = ThreadKey { place in
        let state = place.assumingMemoryBound(to: ThreadState.self)
        if let lane = state.pointee.lane { Lane.leaveByThread(lane) }
        for lane in state.pointee.others.values { Lane.leaveByThread(lane) }
        state.deinitialize(count: 1)
        state.deallocate()
    }

    /// That of the calling thread.
    @inline(__always)
    static var current: Place { current(key) }

    /// The same for who has the key at hand, and does not have to ask whether it was made.
    @inline(__always)
    static func current(_ key: ThreadKey) -> Place {
        key.value?.assumingMemoryBound(to: ThreadState.self) ?? make()
    }

    private static func make() -> Place {
        let state = Place.allocate(capacity: 1)
        state.initialize(to: ThreadState(neverWaits: SystemThread.isMain))
        key.set(state)
        return state
    }

    /// The thread's lane to a telemetry, if it has one.
    @inline(__always)
    func lane(to telemetry: UInt64) -> Lane.Place? {
        self.telemetry == telemetry ? lane : others[telemetry]
    }

    /// Keeps a new lane, and lets go of those whose telemetry is gone.
    mutating func add(_ lane: Lane.Place, to telemetry: UInt64) {
        if let last = self.lane { others[self.telemetry] = last }
        for (telemetry, lane) in others where Lane.isLeftByTelemetry(lane) {
            others[telemetry] = nil
            Lane.leaveByThread(lane)
        }
        (self.telemetry, self.lane) = (telemetry, lane)
    }
}
