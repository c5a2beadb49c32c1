// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTelemetry

/// Keeps what it is given; waits at its door while that is shut, and throws if it is told to.
final class Keeper: TelemetryHandler, @unchecked Sendable {
    struct Broken: Error {}

    private let condition = NSCondition()
    private var kept: [Signal] = []
    private var isShut: Bool
    private var isInside = false
    private var ends = 0
    private let isBroken: Bool
    private let keeps: Bool
    private var number = 0
    private let whenHandling: @Sendable (Signal) -> Void

    init(
        shut: Bool = false, broken: Bool = false, keeps: Bool = true,
        whenHandling: @escaping @Sendable (Signal) -> Void = { _ in }
    ) {
        isShut = shut
        isBroken = broken
        self.keeps = keeps
        self.whenHandling = whenHandling
    }

    func handle(_ batch: SignalBatch) throws {
        condition.lock()
        isInside = true
        condition.broadcast()
        while isShut { condition.wait() }
        condition.unlock()
        if isBroken { throw Broken() }
        let signals = keeps ? Array(batch) : []
        signals.forEach(whenHandling)
        condition.lock()
        number += batch.count
        kept += signals
        condition.unlock()
    }

    func stop() {
        condition.lock()
        ends += 1
        condition.unlock()
    }

    func open() {
        condition.lock()
        isShut = false
        condition.broadcast()
        condition.unlock()
    }

    /// Waits until a call stands at the door.
    func waitForCall() {
        condition.lock()
        while !isInside { condition.wait() }
        condition.unlock()
    }

    private func read<R>(_ body: (Keeper) -> R) -> R {
        condition.lock()
        defer { condition.unlock() }
        return body(self)
    }

    var signals: [Signal] { read { $0.kept } }
    var count: Int { read { $0.number } }
    var timesStopped: Int { read { $0.ends } }
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
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        let thread = Thread {
            body(index)
            group.leave()
        }
        thread.stackSize = 512 << 10
        thread.start()
    }
    await withCheckedContinuation { continuation in
        group.notify(queue: .global()) { continuation.resume() }
    }
}

extension HandlerStatistics {
    /// What has become of all that was seen.
    var sum: Int { handled + filtered + sampled + limited + suppressed + dropped + failed }
}
