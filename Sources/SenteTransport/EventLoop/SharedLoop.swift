// SPDX-License-Identifier: Apache-2.0

package import SenteBase

extension EventLoop {
    private static let made = MadeOnce<EventLoop>()

    /// The loop that all links of the process share unless told otherwise; started when first asked for.
    ///
    /// Throws when the system has no descriptor or thread left for it; a later call tries again. Do not shut it down.
    package static func shared() throws(LinkFailure) -> EventLoop {
        try made.get { () throws(LinkFailure) in try EventLoop() }
    }
}
