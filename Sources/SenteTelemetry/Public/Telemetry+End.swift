// SPDX-License-Identifier: Apache-2.0

extension Telemetry {
    /// Waits until every handler has taken what was raised before, and brought it where it belongs.
    ///
    /// How long it may take. The default is 6 s.
    @discardableResult
    public func flush(within limit: Duration = .seconds(6)) async -> FlushReport {
        let deadline = Clock.after(limit)
        return await SystemThread.value { self.flushNow(until: deadline) }
    }

    /// Takes no more signals, gives the handlers what was accepted, and ends them.
    ///
    /// What is raised afterwards goes nowhere. A second call only waits.
    ///
    /// How long it may take; what a handler has not taken by then is dropped, and the report says how much it
    /// was. The default is 6 s.
    @discardableResult
    public func stop(within limit: Duration = .seconds(6)) async -> StopReport {
        let deadline = Clock.after(limit)
        return await SystemThread.value { self.stopNow(until: deadline) }
    }

    /// Blocks; not for threads of handlers.
    @discardableResult
    func flushNow(until deadline: MonotonicTime) -> FlushReport {
        let (ticket, slots) = control.change { control in
            control.flushTicket += 1
            return (control.flushTicket, control.slots)
        }
        wake()
        for slot in slots where slot.runner == .caller { slot.flushSynchronously(ticket, until: deadline) }
        let isLate = { @Sendable (slot: HandlerSlot) in slot.state.withLock { !$0.isDone(withFlush: ticket) }
        }
        _ = control.wait(until: deadline) { control -> Void? in
            guard control.flushHandedOut >= ticket || !control.hasDispatcher else { return nil }
            return slots.contains(where: isLate) ? nil : ()
        }
        return FlushReport(late: slots.filter(isLate).map(\.id).sorted())
    }

    /// Blocks; not for threads of handlers.
    @discardableResult
    func stopNow(until deadline: MonotonicTime) -> StopReport {
        let slots = changeControl { control in
            if control.phase == .open { control.phase = control.hasDispatcher ? .stopping : .stopped }
            return control.leaving + control.slots
        }
        wake()
        for slot in slots where slot.runner == .caller { slot.endSynchronously(until: deadline) }
        _ = control.wait(until: deadline) { control -> Void? in
            !control.hasDispatcher && slots.allSatisfy(\.hasEnded) ? () : nil
        }
        let late = slots.filter { !$0.hasEnded }.map(\.id).sorted()
        let left = slots.map { slot in (slot.id, slot.state.change { $0.giveUp(at: Clock.monotonic) }) }
        control.change { $0.phase = .stopped }
        EndOfProcess.remove(self)
        return StopReport(left: Dictionary(left, uniquingKeysWith: +), late: late)
    }
}
