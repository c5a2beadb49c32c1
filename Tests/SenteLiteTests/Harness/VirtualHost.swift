// SPDX-License-Identifier: Apache-2.0

import Dispatch
import SenteBase
import SenteTestSupport
import SenteTransport

/// A host whose time stands still until a test moves it; posted work runs at once, on a thread of the host's
/// own.
final class VirtualHost: Host {
    private let queue = DispatchQueue(label: "virtual host")
    private let key = DispatchSpecificKey<Bool>()
    private let state = Locked(State())

    private struct State {
        var time: Int64 = 1_000_000_000
        var unrun = 0
        var posts = 0
        var timers: [ObjectIdentifier: Entry] = [:]
    }

    private struct Entry {
        weak var timer: VirtualTimer?
        var time: Int64
    }

    init() {
        queue.setSpecific(key: key, value: true)
    }

    var now: Moment {
        let time = state.withLock { $0.time }
        return Moment(
            instant: Instant(nanoseconds: time), wallMilliseconds: 1_700_000_000_000 + time / 1_000_000)
    }

    var isCurrent: Bool { DispatchQueue.getSpecific(key: key) ?? false }

    var entropy: Entropy {
        Entropy { buffer in
            for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index &* 37 &+ 11) }
        }
    }

    func post(_ work: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.unrun += 1
            state.posts += 1
        }
        queue.async {
            work()
            self.state.withLock { $0.unrun -= 1 }
        }
    }

    func makeTimer(_ fire: @escaping @Sendable () -> Void) -> any HostTimer {
        VirtualTimer(self, fire)
    }

    /// How often it was given work from outside.
    var posts: Int { state.withLock { $0.posts } }

    /// Runs `body` on the host.
    func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        try queue.sync(execute: body)
    }

    /// Returns when nothing posted is left.
    func waitUntilIdle() {
        while state.withLock({ $0.unrun }) > 0 { queue.sync {} }
    }

    /// Moves the time, firing what is due on the way, one after the other.
    func advance(by duration: Duration) {
        waitUntilIdle()
        let end = state.withLock { $0.time + duration.wholeNanoseconds }
        while true {
            let due = state.withLock { state -> VirtualTimer? in
                guard let next = state.timers.min(by: { $0.value.time < $1.value.time }),
                    next.value.time <= end
                else { return nil }
                state.timers[next.key] = nil
                state.time = max(state.time, next.value.time)
                return next.value.timer
            }
            guard let due else { break }
            queue.sync { due.fire() }
            waitUntilIdle()
        }
        state.withLock { $0.time = max($0.time, end) }
    }

    /// The soonest of the armed timers, as seen from now.
    var nextDeadline: Duration? {
        state.withLock { state in
            state.timers.values.map(\.time).min().map { .nanoseconds($0 - state.time) }
        }
    }

    fileprivate func set(_ timer: VirtualTimer, at instant: Instant?) {
        state.withLock { state in
            state.timers[ObjectIdentifier(timer)] = instant.map { Entry(timer: timer, time: $0.nanoseconds) }
        }
    }

    fileprivate func remove(_ id: ObjectIdentifier) {
        state.withLock { $0.timers[id] = nil }
    }
}

private final class VirtualTimer: HostTimer, Sendable {
    private let host: VirtualHost
    let fire: @Sendable () -> Void

    init(_ host: VirtualHost, _ fire: @escaping @Sendable () -> Void) {
        self.host = host
        self.fire = fire
    }

    deinit {
        host.remove(ObjectIdentifier(self))
    }

    func arm(at instant: Instant?) {
        host.set(self, at: instant)
    }
}
