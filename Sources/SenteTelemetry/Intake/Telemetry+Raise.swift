// SPDX-License-Identifier: Apache-2.0

import SenteSignals

extension SignalSource {
    /// Raises a signal that the source's floor lets pass.
    @usableFromInline
    func raise(
        _ level: SignalLevel, _ id: StaticString?, _ message: () -> String?, _ error: (any Error)?,
        _ file: StaticString, _ line: Int, _ build: (inout SignalFields) -> Void
    ) {
        raise(
            level, id, message, error, file, line, kind: id == nil ? .log : error == nil ? .event : .error,
            build)
    }

    @inline(__always)
    func raise(
        _ level: SignalLevel, _ id: StaticString?, _ message: () -> String?, _ error: (any Error)?,
        _ file: StaticString, _ line: Int, kind: SignalKind, nanoseconds: Int64? = nil,
        _ build: (inout SignalFields) -> Void
    ) {
        let namespace = namespace
        let needs = Floor(word: floor.value).needs
        var suppressed = 0
        if needs.contains(.rules) {
            guard let count = admit(level, kind, id?.description) else { return }
            suppressed = count
        }
        // All threads share the telemetry, and counting references to it would have them wait for each other.
        Unmanaged.passUnretained(telemetry)._withUnsafeGuaranteedRef { telemetry in
            telemetry.take(level, kind, needs) { fields in
                if let namespace {
                    fields.setPlace(namespace: namespace, id: id, file: file, line: line)
                } else {
                    fields.setNamespace(ofID: id ?? "", otherwise: SignalSource.app)
                    if let id { fields.setID(id) }
                    fields.setFile(file)
                    fields.setLine(line)
                }
                if let message = message() { fields.setMessage(message) }
                if let error { fields.setError(SignalError(error)) }
                if let nanoseconds { fields.setDuration(nanoseconds: nanoseconds) }
                if telemetry.surroundingsEverSet.value != 0 { fields.setSurroundings() }
                build(&fields)
                if suppressed > 0 { fields["suppressed-count"] = suppressed }
            }
        }
    }

    /// The same with an id that was made at run time.
    @usableFromInline
    func raise(
        _ level: SignalLevel, made id: String, _ message: () -> String?, _ error: (any Error)?,
        _ file: StaticString,
        _ line: Int, _ build: (inout SignalFields) -> Void
    ) {
        let telemetry = telemetry
        let needs = Floor(word: floor.value).needs
        let kind = error == nil ? SignalKind.event : .error
        var suppressed = 0
        if needs.contains(.rules) {
            guard let count = admit(level, kind, id) else { return }
            suppressed = count
        }
        telemetry.take(level, kind, needs) { fields in
            fields.setNamespace(name(of: id))
            fields.setID(id)
            fields.setFile(file)
            fields.setLine(line)
            if let message = message() { fields.setMessage(message) }
            if let error { fields.setError(SignalError(error)) }
            if telemetry.surroundingsEverSet.value != 0 { fields.setSurroundings() }
            build(&fields)
            if suppressed > 0 { fields["suppressed-count"] = suppressed }
        }
    }

    /// The namespace of ids that name none.
    private static let app: StaticString = "app"

    private func name(of id: String?) -> String {
        if let namespace { return namespace.description }
        return id.flatMap { id in id.firstIndex(of: "/").map { String(id[..<$0]) } } ?? Self.app.description
    }

    private func admit(_ level: SignalLevel, _ kind: SignalKind, _ id: String?) -> Int? {
        let namespace = name(of: id)
        let whole = id.map { $0.contains("/") ? $0 : namespace + "/" + $0 }
        return telemetry.admit(level, kind, namespace: namespace, id: whole)
    }
}

extension SignalFields {
    fileprivate mutating func setSurroundings() {
        guard let surroundings = Surroundings.present else { return }
        if let trace = surroundings.trace { setTrace(trace) }
        if let context = surroundings.encoded { setContext(context) }
    }
}

extension Telemetry {
    /// Takes a signal that was made elsewhere, if anybody wants it; it gets its number here.
    public func record(_ signal: Signal) {
        let floor = Floor(word: floor.value)
        guard Floor.admits(signal.level, floor.word),
            let suppressed = admit(
                signal.level, signal.kind, namespace: signal.namespace, id: signal.id,
                owing: signal.suppressedCount)
        else { return }
        take(signal.level, signal.kind, floor.needs, time: signal.time) { fields in
            signal.write(into: &fields)
            if suppressed > 0 { fields["suppressed-count"] = suppressed }
        }
    }

    /// Nil when rules, sample or limits do not let it pass; else how many of its kind a limit held back before, and those that
    /// it owes itself, which only limits ask for.
    fileprivate func admit(
        _ level: SignalLevel, _ kind: SignalKind, namespace: String, id: String?,
        owing owed: @autoclosure () -> Int = 0
    ) -> Int? {
        let lane = lane(of: ThreadState.current)
        let rules = rules(of: lane)
        guard rules.admits(level, kind, namespace: namespace, id: id) else { return nil }
        guard !rules.gate.isOpen else { return 0 }
        lane.pointee.asked &+= 1
        return rules.gate.take(namespace: namespace, id: id, owing: owed(), number: lane.pointee.asked)
    }

    /// The rules as this thread knows them, without a lock while they do not change.
    private func rules(of lane: Lane.Place) -> Rules {
        let generation = rulesGeneration.value
        if lane.pointee.rulesGeneration == generation, let rules = lane.pointee.rules { return rules }
        let rules = control.withLock { $0.rules }
        lane.pointee.rules = rules
        lane.pointee.rulesGeneration = generation
        return rules
    }

    /// Builds a record on the stack, where user code runs under no lock, and hands it on.
    @inline(__always)
    fileprivate func take(
        _ level: SignalLevel, _ kind: SignalKind, _ needs: Floor.Needs, time: Int64? = nil,
        _ write: (inout SignalFields) -> Void
    ) {
        let thread = ThreadState.current(threadKey)
        // What a handler raises is given to the others; what it raises in answer to that would never end.
        guard !thread.pointee.handlesRaised else { return }
        withUnsafeTemporaryAllocation(byteCount: 1_024, alignment: 8) { space in
            var fields = SignalFields(in: space, level: level, kind: kind)
            write(&fields)
            let record = fields.finish(
                at: time ?? Clock.wall, sequence: needs.contains(.synchronous) ? sequence.add(1) + 1 : 0,
                generation: UInt32(truncatingIfNeeded: rulesGeneration.value), origin: thread.pointee.handler)
            if needs.contains(.synchronous) { giveSynchronously(record, thread) }
            if needs.contains(.queue) { giveQueued(record, thread) }
        }
        if level == .fatal { waitForFatal(thread) }
    }

    private func giveSynchronously(_ record: SignalRecord, _ thread: ThreadState.Place) {
        for slot in control.withLock({ $0.slots }) where slot.runner == .caller {
            slot.offerSynchronously(record, mayWait: thread.pointee.mayWait)
        }
    }

    @inline(__always)
    private func giveQueued(_ record: SignalRecord, _ thread: ThreadState.Place) {
        // A closure, for the method itself would be an object that refers to the telemetry.
        let answer = Lane.append(
            record, to: lane(of: thread),
            whenFull: LaneRule.rule(laneRule.value, mayWait: thread.pointee.mayWait), wake: { wake() })
        let rest = rest.value
        guard rest != Rest.awake.rawValue, answer != .dropped else { return }
        guard rest == Rest.parked.rawValue || answer == .takenAndPressing else { return }
        // Once: until the dispatcher runs, each call would wake it again.
        if self.rest.exchange(rest, for: Rest.awake.rawValue) { wake() }
    }

    @inline(__always)
    private func lane(of thread: ThreadState.Place) -> Lane.Place {
        if let lane = thread.pointee.lane(to: number) { return lane }
        let lane = lanes.makeLane()
        thread.pointee.add(lane, to: number)
        return lane
    }

    private func waitForFatal(_ thread: ThreadState.Place) {
        guard thread.pointee.handler == 0, !thread.pointee.neverWaits || SystemThread.isMain else { return }
        flushNow(until: Clock.after(.milliseconds(100)))
    }

    /// Marks the calling thread as one that must never wait for a handler, as an event loop must not.
    package static func neverWaitOnThisThread() {
        ThreadState.current.pointee.neverWaits = true
    }
}
