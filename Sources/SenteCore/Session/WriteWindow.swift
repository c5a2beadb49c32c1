// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What one link was given and has not written yet, in order.
package struct WriteWindow: Sendable {
    package struct Entry: Sendable {
        package var id: SendID
        package var bytes: Int
        /// The call it was sent for.
        package var call: CallID?
        package var isKeepAlive: Bool
    }

    private var unwritten = Queue<Entry>()
    package private(set) var bytes = 0

    /// How many of the unwritten ones are pongs, probes and fences.
    package private(set) var keepAlives = 0

    /// Those for which something is unwritten.
    package var calls: Set<CallID> { Set(unwritten.compactMap(\.call)) }

    package init() {}

    /// Takes nothing more.
    package mutating func close() {
        bytes = .max / 2
    }

    package mutating func add(_ id: SendID, bytes: Int, call: CallID? = nil, isKeepAlive: Bool = false) {
        unwritten.append(Entry(id: id, bytes: bytes, call: call, isKeepAlive: isKeepAlive))
        self.bytes += bytes
        if isKeepAlive { keepAlives += 1 }
    }

    /// The link wrote this one: what was handed over before it is written too, and is taken one by one; nil when that is all.
    package mutating func popWritten(upTo id: SendID) -> Entry? {
        guard let first = unwritten.first, first.id.number <= id.number else { return nil }
        bytes -= first.bytes
        if first.isKeepAlive { keepAlives -= 1 }
        return unwritten.popFirst()
    }
}
