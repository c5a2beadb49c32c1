// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What the network does to whoever uses it, as knobs.
struct NetworkConditions {
    /// What becomes of an attempt to reach the server.
    enum Dialing: String, CaseIterable {
        case accepted, refused, unanswered, nameNotFound, untrusted
    }

    /// How long bytes travel, in milliseconds; drawn anew for each write, never overtaking within a link.
    var latency = 5...5
    /// How many bytes one write of the kernel takes at most; nil: all.
    var chunk: ClosedRange<Int>?
    var dialing = Dialing.accepted
    /// How late, in milliseconds, a link's reports reach its client; late ones come after a new link opened.
    var reportDelay = 0...0
    /// The chance that a new link breaks, at any byte of its first few thousand.
    var loss = 0.0
    /// Between which bytes it then breaks.
    var lossAfter = 0...3_000
}
