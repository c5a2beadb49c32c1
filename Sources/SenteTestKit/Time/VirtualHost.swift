// SPDX-License-Identifier: Apache-2.0

import Dispatch
package import SenteBase
package import SenteTransport

/// A client's host in a virtual time.
package final class VirtualHost: Host {
    package let time: VirtualTime
    package let entropy: Entropy
    /// What runs a client's tasks, and is told that the app may do more; nil: the ordinary executor, and nobody.
    private let app: (any VirtualApp)?

    package init(_ time: VirtualTime, entropy: Entropy, app: (any VirtualApp)?) {
        self.time = time
        self.entropy = entropy
        self.app = app
    }

    /// A host with a time and a thread of its own, whose randomness is always the same.
    package convenience init() {
        self.init(
            VirtualTime(on: DispatchQueue(label: "virtual host")),
            entropy: Entropy { buffer in
                for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index &* 37 &+ 11) }
            }, app: nil)
    }

    package var now: Moment { time.now }
    package var isCurrent: Bool { time.isCurrent }
    package func post(_ work: @escaping @Sendable () -> Void) { time.post(.app, work) }
    /// A step of its own behind those that were posted before: so a run can be repeated.
    package func offload(_ work: @escaping @Sendable () -> Void) { time.post(.app, work) }
    package func makeTimer(_ fire: @escaping @Sendable () -> Void) -> any HostTimer {
        VirtualTimer(time, fire)
    }
    package func appWasTold() { app?.wasTold() }

    @discardableResult
    package func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        app?.start(body) ?? Task { await body() }
    }

    // MARK: From a test's thread

    /// How often it was given work from outside.
    package var posts: Int { time.posts }
    /// Runs `body` on the host.
    package func run<Result>(_ body: () throws -> Result) rethrows -> Result { try time.run(body) }
    /// Returns when nothing posted is left.
    package func waitUntilIdle() { time.waitUntilIdle() }
    /// Moves the time, firing what is due on the way, one after the other.
    package func advance(by duration: Duration) { time.advance(by: duration) }
    /// The soonest of the armed timers, as seen from now.
    package var nextDeadline: Duration? { time.nextAlarm.map { time.now.instant.duration(to: $0) } }
}

/// The app whose clients live on a virtual host.
package protocol VirtualApp: AnyObject, Sendable {
    func wasTold()
    func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never>
}

private final class VirtualTimer: HostTimer, Sendable {
    private let time: VirtualTime
    private let fire: @Sendable () -> Void
    private let ticket = LockedValue<VirtualTime.Ticket?>(nil)

    init(_ time: VirtualTime, _ fire: @escaping @Sendable () -> Void) {
        self.time = time
        self.fire = fire
    }

    deinit {
        arm(at: nil)
    }

    func arm(at instant: Instant?) {
        let new = instant.map { time.add(.app, at: $0, fire) }
        let old = ticket.withLock { ticket in
            defer { ticket = new }
            return ticket
        }
        if let old { time.remove(old) }
    }
}
