// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// Marks signals with the connection they belong to, so that it can be followed on both sides.
package struct ConnectionMark: Sendable {
    /// How many connections this client has opened.
    private var count = 0
    /// The server's name for the one that is open (`conn-id`).
    private var name: String?
    private var isOpen = false

    package init() {}

    package mutating func opened(as name: String?) {
        count += 1
        self.name = name
        isOpen = true
    }

    package mutating func ended() {
        name = nil
        isOpen = false
    }

    /// While none is open nothing is marked.
    package func mark(_ signal: inout ClientSignal) {
        guard isOpen else { return }
        signal.data["connection"] = Value(count)
        if let name { signal.data["conn-id"] = Value(name) }
    }
}
