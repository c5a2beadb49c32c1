// SPDX-License-Identifier: Apache-2.0

import SenteSignals

/// A handler among its telemetry's: what it gets, what waits for it, what became of it.
final class HandlerSlot: Sendable {
    /// Who calls the handler.
    enum Runner: Hashable {
        case caller, dispatcher
        case threads(Int)
    }

    let id: String
    let number: UInt16
    let handler: any TelemetryHandler
    let options: HandlerOptions
    let runner: Runner
    let state: Gate<HandlerState>

    init(_ handler: any TelemetryHandler, id: String, number: UInt16, _ options: HandlerOptions) {
        self.id = id
        self.number = number
        self.handler = handler
        self.options = options
        let threads = options.threads ?? (handler is any LightHandler ? 0 : 1)
        runner = options.mode == .synchronous ? .caller : threads > 0 ? .threads(threads) : .dispatcher
        state = Gate(
            HandlerState(
                sieve: HandlerSieve(
                    filter: options.filter, sampler: Sampler(rate: options.sample), limits: options.limits),
                queue: HandlerQueue(rule: options.mode.overflowRule, maximumCount: options.buffer)))
    }

    /// Starts its threads; `changed` is called when others may want to look.
    func start(changed: @escaping @Sendable () -> Void) {
        guard case .threads(let count) = runner else { return }
        for _ in 0..<count {
            SystemThread.start("telemetry-\(id)") { self.work(changed) }
        }
    }

    // MARK: - What it gets

    /// Gives it a batch, on the dispatcher.
    func offer(_ batch: SignalBatch) {
        let passed = state.withLock { $0.sift(batch, for: number) }
        guard !passed.isEmpty else { return }
        if runner == .dispatcher { run(passed) } else { enqueue(passed) }
    }

    /// Gives it one signal on the thread that raised it, unless that must not wait and another is inside.
    func offerSynchronously(_ record: SignalRecord, mayWait: Bool) {
        var batch = SignalBatch()
        batch.append(record.buffer)
        let passed = state.withLock { $0.sift(batch, for: number) }
        guard !passed.isEmpty else { return }
        guard enter(until: mayWait ? nil : Clock.monotonic) else { return drop(passed.count) }
        run(passed)
        leaveInside()
    }

    /// Flushes it on a thread that is not its own.
    func flushSynchronously(_ ticket: UInt64, until deadline: MonotonicTime) {
        guard enter(until: deadline) else { return }
        flush(ticket)
        leaveInside()
    }

    /// Waits until nobody is inside; false when it takes no more, or when the deadline passes before.
    private func enter(until deadline: MonotonicTime?) -> Bool {
        let mayEnter = state.wait(until: deadline) { state -> Bool? in
            guard state.phase == .open else { return false }
            guard state.running == 0 else { return nil }
            state.running += 1
            return true
        }
        return mayEnter ?? false
    }

    private func leaveInside() {
        let isLast = state.change { state in
            state.running -= 1
            return state.phase == .leaving
        }
        if isLast { end() }
    }

    /// Lets a batch wait for its threads.
    private func enqueue(_ batch: SignalBatch) {
        var next = 0
        while next < batch.count {
            let dropped = state.change { $0.enqueue(batch, from: &next, at: Clock.monotonic) }
            if dropped > 0 { tellPressure() }
            guard next < batch.count else { return }
            _ = state.wait { $0.hasRoom ? true : nil }
        }
    }

    private func drop(_ count: Int) {
        state.withLock { $0.drop(count, at: Clock.monotonic) }
        tellPressure()
    }

    private func tellPressure() {
        guard let tell = options.onBackPressure else { return }
        if let dropped = state.withLock({ $0.pressure(at: Clock.monotonic) }) { tell(dropped) }
    }

    // MARK: - Its threads

    private func work(_ changed: @Sendable () -> Void) {
        ThreadState.current.pointee.neverWaits = true
        while true {
            switch state.wait(announcing: true, { $0.nextJob() }) {
            case .handle(let batch):
                run(batch)
                if state.change({ $0.finished(batch) }) { changed() }
            case .flush(let ticket):
                flush(ticket)
                state.change { $0.running -= 1 }
                changed()
            case .end:
                end()
                changed()
                return
            case .quit, nil: return
            }
        }
    }

    /// Calls the handler.
    private func run(_ batch: SignalBatch) {
        let started = Clock.monotonic
        guard !state.withLock({ $0.skips(batch.count, at: started) }) else { return }
        let hasRaised = batch.hasRaised
        var (passed, failure) = (batch, (any Error)?.none)
        ThreadState.inside(number, raised: hasRaised) {
            if let transform = options.transform { passed = SignalBatch(batch.lazy.compactMap(transform)) }
            do {
                if !passed.isEmpty { try handler.handle(passed) }
            } catch { failure = error }
        }
        let ended = Clock.monotonic
        let toTell = state.withLock { state in
            state.counts.suppressed += batch.count - passed.count
            state.counts.latency.record(.nanoseconds(ended - started))
            return state.ran(passed.count, failure, at: ended)
        }
        if let toTell { options.onError?(toTell) }
    }

    func flush(_ ticket: UInt64) {
        var failure: (any Error)?
        ThreadState.inside(number, raised: true) {
            do { try handler.flush() } catch { failure = error }
        }
        if let failure, let toTell = state.withLock({ $0.ran(0, failure, at: Clock.monotonic) }) {
            options.onError?(toTell)
        }
        // Who waits for the flush may ask next what it threw.
        state.change { $0.finishedFlush(ticket) }
    }

    // MARK: - Its end

    /// Takes no more; who runs it lets it end.
    ///
    /// True if nobody is inside and the caller should do that.
    func leave() -> Bool {
        state.change { state in
            guard state.phase == .open else { return false }
            state.phase = .leaving
            return state.running == 0
        }
    }

    /// Flushes and stops the handler, once.
    func end() {
        let mayEnd = state.withLock { state in
            guard state.phase == .leaving || state.phase == .ending else { return false }
            state.phase = .ending
            return true
        }
        guard mayEnd else { return }
        flush(0)
        ThreadState.inside(number, raised: true) { handler.stop() }
        state.change { $0.phase = .ended }
        if runner == .caller { EndOfProcess.remove(self) }
    }

    /// Ends it on a thread that is not its own, or waits until the caller that is inside has.
    func endSynchronously(until deadline: MonotonicTime) {
        if leave() { end() }
        _ = state.wait(until: deadline) { $0.phase == .ended ? () : nil }
    }

    var hasEnded: Bool { state.withLock { $0.phase == .ended } }
}

extension HandlerOptions.Mode {
    var overflowRule: OverflowRule {
        switch self {
        case .dropping: .dropNewest
        case .sliding: .dropOldest
        case .blocking, .synchronous: .wait
        }
    }
}

extension ThreadState {
    /// Runs a handler's code on the calling thread; what it raises says whose it is.
    fileprivate static func inside(_ number: UInt16, raised: Bool, _ body: () -> Void) {
        let thread = current
        let (handler, handlesRaised) = (thread.pointee.handler, thread.pointee.handlesRaised)
        thread.pointee.handler = number
        thread.pointee.handlesRaised = raised || handler != 0
        body()
        thread.pointee.handler = handler
        thread.pointee.handlesRaised = handlesRaised
    }
}
