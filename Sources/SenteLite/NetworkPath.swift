// SPDX-License-Identifier: Apache-2.0

public import SenteBase
import SenteTransport

/// Who tells a client of changes of the network.
public enum NetworkPath: Sendable {
    /// The system, as far as it does: Linux by netlink, Apple's systems by `NWPathMonitor` and by telling when the app
    /// comes to the foreground, or on a Mac when the machine wakes.
    ///
    /// One watch serves all clients of a `loop`, and none is kept without clients. Where the system does not allow it
    /// (sandboxes, Android's apps) nothing is told, and the heartbeat finds out.
    case system
    /// A source of your own.
    case custom(any NetworkPathSource)
    /// Nobody.
    case none
}

extension NetworkPath {
    func source(on host: any Host) -> (any NetworkPathSource)? {
        switch self {
        case .system: (host as? EventLoop).map(LoopPath.init)
        case .custom(let source): source
        case .none: nil
        }
    }
}
