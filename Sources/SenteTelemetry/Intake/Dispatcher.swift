// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import SenteWire

/// The thread that takes from all lanes and gives to all handlers.
struct Dispatcher {
    private let telemetry: Telemetry
    private var batch = SignalBatch()
    private var tally = DropTally()
    private var plan = RestPlan(at: Clock.monotonic)

    init(_ telemetry: Telemetry) {
        self.telemetry = telemetry
    }

    /// What it is to do in a round.
    private struct Order {
        var slots: [HandlerSlot]
        var leaving: [HandlerSlot]
        var rules: Rules
        var flush: UInt64?
        var isLast: Bool

        /// The handlers, each with the changes between which it gets what was raised: one that was removed gets what was raised
        /// before, and then the one that took its place.
        var receivers: [(slot: HandlerSlot, changes: Range<UInt32>)] {
            var begins: [String: UInt32] = [:]
            var receivers: [(slot: HandlerSlot, changes: Range<UInt32>)] = []
            for slot in leaving + slots where slot.runner != .caller {
                let (isOpen, end) = slot.state.withLock { ($0.phase == .open, $0.end) }
                guard isOpen else { continue }
                let begin = begins[slot.id] ?? 0
                receivers.append((slot, begin..<max(begin, end ?? .max)))
                begins[slot.id] = end
            }
            return receivers
        }
    }

    mutating func run() {
        ThreadState.current.pointee.neverWaits = true
        while true {
            let calls = telemetry.calls.withLock { $0 }
            let order = telemetry.control.withLock { control in
                Order(
                    slots: control.slots, leaving: control.leaving, rules: control.rules,
                    flush: control.flushTicket > control.flushHandedOut ? control.flushTicket : nil,
                    isLast: control.phase != .open)
            }
            let worked = round(order)
            guard !order.isLast else { return telemetry.control.change { $0.hasDispatcher = false } }
            rest(worked: worked, calls)
        }
    }

    /// Hands out what there is; true if there was something.
    private mutating func round(_ order: Order) -> Bool {
        batch.removeAll()
        let dropped = telemetry.lanes.collect(into: &batch, closing: order.isLast) {
            telemetry.sequence.add(UInt64($0)) + 1
        }
        tally.add(dropped, at: Clock.monotonic)
        let receivers = order.receivers
        hand(batch, to: receivers, dropped: dropped)
        hand(dropsToTell(order), to: receivers)
        if let ticket = order.flush { flush(order.slots, ticket) }
        for slot in order.isLast ? order.leaving + order.slots : order.leaving where slot.runner != .caller {
            if slot.leave(), slot.runner == .dispatcher { slot.end() }
        }
        if !order.leaving.isEmpty { telemetry.control.change { $0.leaving.removeAll(where: \.hasEnded) } }
        return !batch.isEmpty || dropped > 0
    }

    private func hand(
        _ batch: SignalBatch, to receivers: [(slot: HandlerSlot, changes: Range<UInt32>)], dropped: Int = 0
    ) {
        guard !batch.isEmpty || dropped > 0 else { return }
        telemetry.control.withLock { control in
            control.intake.accepted += batch.count
            control.intake.dropped += dropped
        }
        guard !batch.isEmpty else { return }
        for (slot, changes) in receivers {
            let all = changes == 0..<UInt32.max
            slot.offer(all ? batch : batch.filter { changes.contains($0.generation) })
        }
    }

    private func flush(_ slots: [HandlerSlot], _ ticket: UInt64) {
        for slot in slots {
            switch slot.runner {
            case .caller: break
            case .dispatcher: slot.flush(ticket)
            case .threads: slot.state.change { $0.askFlush(ticket) }
            }
        }
        telemetry.control.change { $0.flushHandedOut = ticket }
    }

    // MARK: Drops

    private static let namespace = "sente-lite.telemetry"

    /// What is to be said of drops, past the lanes: they may be full.
    private mutating func dropsToTell(_ order: Order) -> SignalBatch {
        let (now, wall) = (Clock.monotonic, Clock.wall)
        var told = SignalBatch()
        func tell(_ handler: String, _ drops: (count: Int, since: MonotonicTime)?) {
            guard let drops else { return }
            let since = wall - (now - drops.since)
            let signal = Signal(
                time: wall, level: .warn, namespace: Self.namespace, id: Self.namespace + "/signals-dropped",
                data: [
                    .keyword("handler"): .string(handler), .keyword("count"): .integer(Int64(drops.count)),
                    .keyword("since"): .instant(Timestamp(milliseconds: since / 1_000_000)),
                ], sequence: telemetry.sequence.add(1) + 1)
            if order.rules.admits(signal) { told.append(signal) }
        }
        tell("intake", tally.told(at: now, isLast: order.isLast))
        for slot in order.slots {
            tell(slot.id, slot.state.withLock { $0.dropsToTell(at: now, isLast: order.isLast) })
        }
        return told
    }

    // MARK: Rest

    private mutating func rest(worked: Bool, _ calls: UInt64) {
        let now = Clock.monotonic
        switch plan.next(worked: worked, at: now, wake: nextTelling(now)) {
        case .linger(let end): sleep(.lingering, until: end, calls)
        case .park(let end): sleep(.parked, until: end, calls)
        }
    }

    /// When drops are to be told.
    private func nextTelling(_ now: MonotonicTime) -> MonotonicTime? {
        let slots = telemetry.control.withLock { $0.slots }
        let times = slots.compactMap { slot in slot.state.withLock { $0.nextTelling(at: now) } }
        return (times + [tally.next(at: now)].compactMap { $0 }).min()
    }

    /// Sleeps until somebody calls.
    ///
    /// A thread that wrote to its lane before this looked there is seen here; one that writes after
    /// it, under the same lock, sees that this rests.
    private func sleep(_ kind: Telemetry.Rest, until end: MonotonicTime?, _ calls: UInt64) {
        telemetry.rest.value = kind.rawValue
        if !telemetry.lanes.wantAttention(evenIfCalm: kind == .parked) {
            _ = telemetry.calls.wait(until: end) { $0 == calls ? nil : true }
        }
        telemetry.rest.value = Telemetry.Rest.awake.rawValue
    }
}
