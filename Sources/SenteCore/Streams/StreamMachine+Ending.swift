// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// How a stream ends: once, and what was kept for it is let go of.
extension StreamMachine {
    mutating func endIfDone(at now: Instant) {
        guard receiver == nil || confirmation != nil, sender == nil || receipt != nil,
            let last = receipt ?? confirmation
        else { return }
        end(.completed(last), at: now)
    }

    mutating func fail(_ fault: StreamFault, at now: Instant) {
        guard ending == nil else { return }
        // What the server has forgotten it need not hear of.
        farewell = fault.isRemote ? nil : .failed(fault)
        if !fault.isRemote { say(.failed(fault), at: now) }
        end(.failed(fault), at: now)
    }

    mutating func endByServer(_ ending: StreamEnding, at now: Instant) {
        farewell = nil
        end(ending, at: now)
    }

    mutating func end(_ ending: StreamEnding, at now: Instant) {
        let last = progress(ending.state, at: now)
        self.ending = ending
        attachment = .none
        sender = nil
        receiver = nil
        effects.append(.changed(ending.state))
        effects.append(.progress(last))
        effects.append(.ended(ending))
    }
}
