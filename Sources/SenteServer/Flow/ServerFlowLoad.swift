// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What a server holds for flow at one moment; all of it is bounded, whatever its clients do.
package struct ServerFlowLoad: Hashable, Sendable {
    /// The bytes of unfinished messages, on the link that has most of them.
    package var unfinishedBytes = 0
    /// What is being read elsewhere and what came behind it, on the link with most of it.
    package var heldBytes = 0
    /// What is kept for the session for which most is.
    package var keptBytes = 0
    /// What waits to leave in parts, on the link with most of it.
    package var waitingBytes = 0
    package var parkedSessions = 0
    package var parkedBytes = 0
    /// The ids of messages that are remembered.
    package var rememberedIDs = 0
}

extension ServerSession {
    package var flowLoad: ServerFlowLoad {
        var load = ServerFlowLoad()
        for flow in flows.values {
            load.unfinishedBytes = max(load.unfinishedBytes, flow.link?.parts.bytes ?? 0)
            load.heldBytes = max(load.heldBytes, flow.arrivals.bytes)
            load.keptBytes = max(load.keptBytes, flow.session?.buffer.bytes ?? 0)
            load.waitingBytes = max(load.waitingBytes, flow.link?.bulkBytes ?? 0)
        }
        load.parkedSessions = parked.count
        load.parkedBytes = parkedBytes
        load.rememberedIDs = repeats.count
        return load
    }
}
