// SPDX-License-Identifier: Apache-2.0

/// What became of the ways out of this device.
public enum NetworkChange: Hashable, Sendable {
    /// There is a way, perhaps another than before, or the app came back to the foreground.
    case available
    /// A way is gone; others may be left.
    case lost
}

/// Tells of changes of the network, so that a client need not wait for a silence or a timer to find out.
///
/// Whatever it says is a hint: a client asks its server for a sign of life, or tries to connect sooner. It never
/// ends a connection that still answers, and never connects what `disconnect()` has closed.
public protocol NetworkPathSource: Sendable {
    /// Calls `changed` at each change from now on.
    ///
    /// On any thread, and as often as it likes: a client acts at once, and then at most once a second. `changed` returns
    /// quickly and holds no client.
    ///
    /// - Returns: What ends it, on any thread. A call of `changed` that is under way may still go to its end.
    func observe(_ changed: @escaping @Sendable (NetworkChange) -> Void) -> @Sendable () -> Void
}
