// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What one link was given and has not written yet, in order.
package struct WriteWindow: Sendable {
    package struct Entry: Sendable {
        package var id: SendID
        package var weight: Int
        /// The call it was sent for.
        package var call: CallID?
        /// The slot that its reply fills.
        package var place: PendingReplies.Place?

        fileprivate var isUnowned: Bool { call == nil && place == nil }
    }

    private var unwritten = Queue<Entry>()
    package private(set) var bytes = 0

    /// How many of the unwritten ones answer or ask nothing of the app's: pongs, probes, fences.
    package private(set) var unowned = 0

    package init() {}

    package mutating func add(
        _ id: SendID, weight: Int, call: CallID? = nil, place: PendingReplies.Place? = nil
    ) {
        let entry = Entry(id: id, weight: weight, call: call, place: place)
        unwritten.append(entry)
        bytes += weight
        if entry.isUnowned { unowned += 1 }
    }

    /// The link wrote this one: what was handed over before it is written too.
    package mutating func wrote(_ id: SendID, each: (CallID) -> Void) {
        while let first = unwritten.first, first.id.number <= id.number {
            _ = unwritten.popFirst()
            forget(first)
            if let call = first.call { each(call) }
        }
    }

    /// The message was never handed to the link after all.
    package mutating func remove(_ id: SendID) -> Entry? {
        guard let found = unwritten.first(where: { $0.id == id }) else { return nil }
        unwritten.removeAll { $0.id == id }
        forget(found)
        return found
    }

    private mutating func forget(_ entry: Entry) {
        bytes -= entry.weight
        if entry.isUnowned { unowned -= 1 }
    }
}
