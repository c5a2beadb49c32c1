// SPDX-License-Identifier: Apache-2.0

/// The largest message each way, in bytes of payload summed over its fragments.
package struct MessageLimits: Hashable, Sendable {
    /// The largest message the peer may send.
    ///
    /// The default is 1 MiB.
    package var incoming: Int
    /// The largest message that is sent.
    ///
    /// The default is 1 MiB.
    package var outgoing: Int

    package init(incoming: Int = 1 << 20, outgoing: Int = 1 << 20) {
        self.incoming = incoming
        self.outgoing = outgoing
    }

    /// The same limit each way.
    package init(both limit: Int) {
        self.init(incoming: limit, outgoing: limit)
    }
}
