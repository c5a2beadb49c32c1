// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// The system's network as the clients of one loop hear of it: one watch for all of them, while there are any.
///
/// Where the system does not let us watch, nothing is said; a client's heartbeat and its waits then do without.
package struct LoopPath: NetworkPathSource {
    private let loop: EventLoop

    package init(_ loop: EventLoop) {
        self.loop = loop
    }

    package func observe(_ changed: @escaping @Sendable (NetworkChange) -> Void) -> @Sendable () -> Void {
        let observer = PathObservers.Observer(changed)
        loop.post { [loop] in loop.pathObservers.add(observer, on: loop) }
        return { [loop] in loop.post { loop.pathObservers.remove(observer) } }
    }
}

/// What hears of changes for all observers of a loop.
///
/// Users: netlink, Apple's path monitor.
protocol PathWatch: AnyObject {
    /// Nil where the system does not allow it. `report` is called on the loop.
    init?(on loop: EventLoop, report: @escaping (NetworkChange) -> Void)

    /// Ends it, on the loop.
    func stop()
}

/// Those on a loop who want to hear of the system's network, and the watch they share.
///
/// Used on the loop only.
final class PathObservers {
    final class Observer: Sendable {
        let changed: @Sendable (NetworkChange) -> Void

        init(_ changed: @escaping @Sendable (NetworkChange) -> Void) {
            self.changed = changed
        }
    }

    private var observers: [ObjectIdentifier: Observer] = [:]
    private var watch: (any PathWatch)?

    /// A watch that could not be begun is tried anew with each observer.
    func add(_ observer: Observer, on loop: EventLoop) {
        observers[ObjectIdentifier(observer)] = observer
        guard watch == nil else { return }
        let report: (NetworkChange) -> Void = { [weak self] change in
            guard let self else { return }
            for observer in observers.values { observer.changed(change) }
        }
        #if os(Linux) || os(Android)
        watch = NetlinkWatch(on: loop, report: report)
        #elseif canImport(Network)
        watch = ApplePathWatch(on: loop, report: report)
        #endif
    }

    func remove(_ observer: Observer) {
        observers[ObjectIdentifier(observer)] = nil
        guard observers.isEmpty else { return }
        watch?.stop()
        watch = nil
    }
}
