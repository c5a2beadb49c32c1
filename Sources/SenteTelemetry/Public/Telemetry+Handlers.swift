// SPDX-License-Identifier: Apache-2.0

extension Telemetry {
    /// Adds a handler; one that has the id already is removed first.
    ///
    /// Does nothing after the end.
    public func add(_ handler: some TelemetryHandler, as id: String, _ options: HandlerOptions = .init()) {
        let (slot, last, startsDispatcher) = changeControl { control in
            guard control.phase == .open else { return (HandlerSlot?.none, HandlerSlot?.none, false) }
            let last = control.remove(id, change: rulesGeneration.value + 1)
            let slot = control.makeSlot(handler, id: id, options)
            control.insert(slot)
            // Here, for once the lock is free another thread may have ended it.
            if slot.runner == .caller { EndOfProcess.add(slot) }
            let starts = slot.runner != .caller && !control.hasDispatcher
            if starts { control.hasDispatcher = true }
            return (slot, last, starts)
        }
        if let last { finishRemoval(of: last) }
        // Not the telemetry itself: threads of a handler do not keep it, and a weak reference would slow all its callers.
        slot?.start { [control, calls] in
            control.change { _ in }
            calls.change { $0 += 1 }
        }
        if startsDispatcher {
            EndOfProcess.add(self)
            SystemThread.start("telemetry") {
                var dispatcher = Dispatcher(self)
                dispatcher.run()
            }
        }
    }

    /// Puts another handler in the place of one, with the same options; false if there is none of that id.
    @discardableResult
    public func replace(_ id: String, with handler: some TelemetryHandler) -> Bool {
        guard let options = control.withLock({ $0.slots.first { $0.id == id }?.options }) else {
            return false
        }
        add(handler, as: id, options)
        return true
    }

    /// Removes a handler; it takes what was raised before, and then ends on its own thread.
    ///
    /// False if there is none of that id.
    @discardableResult
    public func remove(_ id: String) -> Bool {
        guard let slot = changeControl({ $0.remove(id, change: rulesGeneration.value + 1) }) else {
            return false
        }
        finishRemoval(of: slot)
        return true
    }

    private func finishRemoval(of slot: HandlerSlot) {
        guard slot.runner == .caller else { return wake() }
        if slot.leave() { slot.end() }
        control.change { $0.leaving.removeAll { $0 === slot } }
    }

    /// The ids of the handlers, in the order in which they are called.
    public var handlers: [String] { control.withLock { $0.slots.map(\.id) } }

    /// What became of the signals of each handler, by id.
    public var statistics: [String: HandlerStatistics] {
        slotsByID.mapValues { slot in slot.state.withLock { $0.statistics } }
    }

    /// What became of the signals of all callers, before any handler.
    public var intake: IntakeStatistics {
        control.withLock { control in
            var intake = control.intake
            (intake.sampled, intake.limited) = (control.gate.sampled, control.gate.limited)
            return intake
        }
    }

    /// Whether signals get where they should.
    public var health: TelemetryHealth {
        let now = Clock.monotonic
        return TelemetryHealth(
            handlers: slotsByID.mapValues { slot in slot.state.withLock { $0.health(at: now) } })
    }

    private var slotsByID: [String: HandlerSlot] {
        let slots = control.withLock { $0.slots }
        return Dictionary(slots.map { ($0.id, $0) }) { first, _ in first }
    }
}
