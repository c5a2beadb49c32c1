// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// Marks signals with the connection they belong to, so that it can be followed on both sides.
package struct ConnectionMark: Sendable {
    /// How many connections this client has opened.
    private var count = 0
    /// The server's name for the one that is open (`conn-id`).
    private var name: String?
    private var isOpen = false
    /// The trace that the link's handshake began.
    package var trace: TraceContext?

    package init() {}

    package mutating func opened(as name: String?) {
        count += 1
        self.name = name
        isOpen = true
    }

    package mutating func ended() {
        name = nil
        trace = nil
        isOpen = false
    }

    /// While none is open it has no name to be marked with.
    package func mark(_ signal: inout ClientSignal) {
        if signal.trace == nil { signal.trace = trace }
        guard isOpen else { return }
        signal.data["connection"] = Value(count)
        if let name { signal.data["conn-id"] = Value(name) }
    }
}
