// SPDX-License-Identifier: Apache-2.0

import SenteSignals

/// What a telemetry is told to do.
struct Control {
    enum Phase: Hashable {
        case open
        /// No signals are taken any more; the dispatcher hands out what it has.
        case stopping
        case stopped
    }

    var phase = Phase.open
    var filter = SignalFilter(minimumLevel: .info)
    var gate = CallGate()
    /// The handlers, by priority.
    private(set) var slots: [HandlerSlot] = []
    /// Handlers that were removed and have not ended.
    var leaving: [HandlerSlot] = []
    private var lastNumber: UInt16 = 0
    /// What call sites of each namespace read.
    var sources: [String: SharedWord] = [:]
    private(set) var rules = Rules(SignalFilter(), handlers: [], gate: CallGate())
    private var needs: Floor.Needs = []
    var hasDispatcher = false
    var flushTicket: UInt64 = 0
    /// The last flush that the dispatcher has handed to all handlers.
    var flushHandedOut: UInt64 = 0
    var intake = IntakeStatistics()

    mutating func makeSlot(_ handler: any TelemetryHandler, id: String, _ options: HandlerOptions)
        -> HandlerSlot
    {
        lastNumber = lastNumber == .max ? 1 : lastNumber + 1
        return HandlerSlot(handler, id: id, number: lastNumber, options)
    }

    mutating func insert(_ slot: HandlerSlot) {
        let index = slots.firstIndex { $0.options.priority < slot.options.priority } ?? slots.endIndex
        slots.insert(slot, at: index)
    }

    /// Takes a handler out with the change of that number.
    mutating func remove(_ id: String, change: UInt64) -> HandlerSlot? {
        guard let index = slots.firstIndex(where: { $0.id == id }) else { return nil }
        let slot = slots.remove(at: index)
        slot.state.withLock { $0.end = UInt32(truncatingIfNeeded: change) }
        leaving.append(slot)
        return slot
    }

    // MARK: What call sites need

    mutating func updateRules() {
        rules = Rules(filter, handlers: slots.map(\.options.filter), gate: gate)
        needs = []
        if slots.contains(where: { $0.runner == .caller }) { needs.insert(.synchronous) }
        if slots.contains(where: { $0.runner != .caller }) { needs.insert(.queue) }
        if rules.asksMore { needs.insert(.rules) }
    }

    func floor(of namespace: String) -> Floor {
        phase == .open && !slots.isEmpty
            ? Floor(level: rules.floor(of: namespace), needs: needs) : .nothing
    }

    /// For call sites whose namespace shows at run time.
    var floorOfAll: Floor {
        phase == .open && !slots.isEmpty
            ? Floor(level: rules.floorOfAll, needs: rules.asksNamespace ? needs.union(.rules) : needs)
            : .nothing
    }

    /// A full lane waits if one handler wants that, and otherwise keeps the newest if one wants that.
    var laneRule: UInt64 {
        let modes = slots.filter { $0.runner != .caller }.map(\.options.mode)
        return LaneRule.word(
            modes.contains(.blocking) ? .wait : modes.contains(.sliding) ? .dropOldest : .dropNewest)
    }
}

/// Overflow rules as shared words.
enum LaneRule {
    static func word(_ rule: OverflowRule) -> UInt64 {
        switch rule {
        case .dropNewest: 0
        case .dropOldest: 1
        case .wait: 2
        }
    }

    /// The rule of a word, for a thread that may wait or may not.
    @inline(__always)
    static func rule(_ word: UInt64, mayWait: Bool) -> OverflowRule {
        switch word {
        case 1: .dropOldest
        case 2 where mayWait: .wait
        default: .dropNewest
        }
    }
}
