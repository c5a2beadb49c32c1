// SPDX-License-Identifier: Apache-2.0

/// What a client holds for flow at one moment; all of it is bounded, whatever the peer does.
package struct FlowLoad: Equatable, Sendable {
    /// Messages of which some parts have come.
    package var unfinished = OutboxPolicy.Load()
    /// What the server may not have: the ledger.
    package var kept = OutboxPolicy.Load()
    /// Calls that gave up on what is kept.
    package var givenUp = 0
    /// What came before the server said whether the session goes on.
    package var held = OutboxPolicy.Load()
    /// Large messages that have not left whole.
    package var leaving = OutboxPolicy.Load()
    /// What came behind a large message that is being read.
    package var heldBytes = 0
}

extension Session {
    package var flowLoad: FlowLoad {
        var load = FlowLoad()
        if let reassembly = traffic.packing.reassembly.first {
            load.unfinished = OutboxPolicy.Load(messages: reassembly.count, bytes: reassembly.bytes)
        }
        if let resumption {
            load.kept = resumption.load
            load.givenUp = resumption.givenUp.count
        }
        if case .connecting(let attempt) = state, let resuming = attempt.resuming {
            load.held = OutboxPolicy.Load(messages: resuming.held.count, bytes: resuming.heldBytes)
        }
        load.leaving = traffic.packing.large.load
        load.heldBytes = traffic.packing.arrivals.bytes
        return load
    }
}
