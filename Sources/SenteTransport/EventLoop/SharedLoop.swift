// SPDX-License-Identifier: Apache-2.0

package import SenteBase

extension EventLoop {
    private final class Holder: @unchecked Sendable {
        let lock = Lock()
        var loop: EventLoop?
    }

    private static let holder = Holder()

    /// The loop that all links of the process share unless told otherwise; started when first asked for.
    ///
    /// Throws when the system has no descriptor or thread left for it; a later call tries again. Do not shut it down.
    package static func shared() throws(LinkFailure) -> EventLoop {
        try holder.lock.withLock { () throws(LinkFailure) in
            if let loop = holder.loop { return loop }
            let loop = try EventLoop()
            holder.loop = loop
            return loop
        }
    }
}
