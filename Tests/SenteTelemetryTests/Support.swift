// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTelemetry

/// Keeps what it is given; waits at its door while that is shut, and throws where it is told to.
final class Keeper: TelemetryHandler, @unchecked Sendable {
    struct Broken: Error {}

    /// What it was called for.
    enum Step: Hashable {
        case handle, flush, stop
    }

    private let condition = NSCondition()
    private var kept: [Signal] = []
    private var isShut: Bool
    private var calls = 0
    private var called: [Step] = []
    private let broken: Set<Step>
    private let keeps: Bool
    private var number = 0
    private let whenHandling: @Sendable (Signal) -> Void

    init(
        shut: Bool = false, broken: Set<Step> = [], keeps: Bool = true,
        whenHandling: @escaping @Sendable (Signal) -> Void = { _ in }
    ) {
        isShut = shut
        self.broken = broken
        self.keeps = keeps
        self.whenHandling = whenHandling
    }

    func handle(_ batch: SignalBatch) throws {
        condition.lock()
        calls += 1
        condition.broadcast()
        while isShut { condition.wait() }
        condition.unlock()
        try take(.handle)
        let signals = keeps ? Array(batch) : []
        signals.forEach(whenHandling)
        condition.lock()
        number += batch.count
        kept += signals
        condition.unlock()
    }

    func flush() throws { try take(.flush) }

    func stop() { try? take(.stop) }

    /// Notes a step; handling again is the same one.
    private func take(_ step: Step) throws {
        condition.lock()
        if step != .handle || called.last != .handle { called.append(step) }
        condition.unlock()
        if broken.contains(step) { throw Broken() }
    }

    func open() {
        condition.lock()
        isShut = false
        condition.broadcast()
        condition.unlock()
    }

    /// Waits until so many calls have come to the door.
    func waitForCall(_ number: Int = 1) {
        condition.lock()
        while calls < number { condition.wait() }
        condition.unlock()
    }

    private func read<R>(_ body: (Keeper) -> R) -> R {
        condition.lock()
        defer { condition.unlock() }
        return body(self)
    }

    var signals: [Signal] { read { $0.kept } }
    var count: Int { read { $0.number } }
    /// What it was called for, in order.
    var steps: [Step] { read { $0.called } }
    var timesStopped: Int { steps.count { $0 == .stop } }
    var ids: [String?] { signals.map(\.id) }
}

/// Where one waits until another has come; who has come stays.
final class Meeting: @unchecked Sendable {
    private let condition = NSCondition()
    private var hasCome = false

    func arrive() {
        condition.lock()
        hasCome = true
        condition.broadcast()
        condition.unlock()
    }

    func wait() {
        condition.lock()
        while !hasCome { condition.wait() }
        condition.unlock()
    }
}

/// Runs a body on so many threads of its own, and waits for all.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) async {
    await RunningThreads(count, body).join()
}

/// Threads of a test, begun at once: a test that blocks until they do something needs no task for them.
struct RunningThreads {
    private let group = DispatchGroup()

    init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        for index in 0..<count {
            group.enter()
            let thread = Thread { [group] in
                body(index)
                group.leave()
            }
            thread.stackSize = 512 << 10
            thread.start()
        }
    }

    func join() async {
        await withCheckedContinuation { continuation in
            group.notify(queue: .global()) { continuation.resume() }
        }
    }
}

extension HandlerStatistics {
    /// What has become of all that was seen.
    var sum: Int { handled + filtered + sampled + limited + suppressed + dropped + failed }
}
