// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What a driver runs on: one thread, its clock, its randomness.
///
/// The event loop is one, the virtual host of tests another.
package protocol Host: AnyObject, Sendable {
    /// The time now: a monotonic clock that counts sleep, and the wall clock beside it.
    var now: Moment { get }

    /// Whether the caller is on the host's thread.
    var isCurrent: Bool { get }

    /// Where unpredictable bytes come from.
    var entropy: Entropy { get }

    /// Runs `work` on the host's thread, later, in the order of the calls. Callable from any thread.
    ///
    /// A host that has been shut down drops the work without running it.
    func post(_ work: @escaping @Sendable () -> Void)

    /// Makes a disarmed timer. Make, arm and release it on the host's thread only.
    func makeTimer(_ fire: @escaping @Sendable () -> Void) -> any HostTimer

    /// Starts a task of a client's own, which may run code of the app's.
    @discardableResult
    func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never>

    /// Runs `work` elsewhere than on the host's thread, one piece after the other.
    ///
    /// For what takes longer than a turn may; it posts what came of it.
    func offload(_ work: @escaping @Sendable () -> Void)

    /// A client has just told the app something, who may do more now. On the host's thread.
    ///
    /// Only a host that waits for the app wants to know.
    func appWasTold()
}

extension Host {
    @discardableResult
    package func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task { await body() }
    }

    package func appWasTold() {}
}

/// One deadline on a host's clock.
///
/// Releasing the timer disarms it.
package protocol HostTimer: AnyObject {
    /// Fires once at `instant`, instead of whatever was armed before; nil disarms. An instant in the past fires
    /// on the next turn, never from inside this call.
    ///
    /// What came before the instant is handed over before the timer fires, posted work included, however late the host
    /// gets to it: a deadline that what came has moved does not fire.
    func arm(at instant: Instant?)
}
