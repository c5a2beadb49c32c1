// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What one link was given and has not written yet, in order.
struct WriteWindow: Sendable {
    private var unwritten = Queue<(id: SendID, weight: Int, call: CallID?)>()
    private(set) var bytes = 0

    mutating func add(_ id: SendID, weight: Int, call: CallID?) {
        unwritten.append((id, weight, call))
        bytes += weight
    }

    /// The link wrote this one: what was handed over before it is written too.
    mutating func wrote(_ id: SendID, each: (CallID) -> Void) {
        while let first = unwritten.first, first.id.number <= id.number {
            _ = unwritten.popFirst()
            bytes -= first.weight
            if let call = first.call { each(call) }
        }
    }

    /// The message was never handed to the link after all.
    ///
    /// Returns its call.
    mutating func remove(_ id: SendID) -> CallID? {
        guard let found = unwritten.first(where: { $0.id == id }) else { return nil }
        unwritten.removeAll { $0.id == id }
        bytes -= found.weight
        return found.call
    }
}
