// SPDX-License-Identifier: Apache-2.0

import SenteBase
package import SenteWire

/// The events a router has not handled yet: one lane for each id, in order, and lanes side by side.
///
/// All lanes share one bound. When it is reached, the longest lane loses its oldest event, so that one slow handler
/// costs the others nothing; the next event of that lane says how many are missing.
package struct RouterQueue<Element: CountsMissed & Sendable>: Sendable {
    private struct Lane: Sendable {
        var waiting = Queue<(element: Element, size: Int)>()
        var bytes = 0
        var isRunning = false
    }

    /// Those that run, or have something.
    private var lanes: [Keyword: Lane] = [:]
    /// Those that have something and do not run, in the order they became so; each once.
    private var ready = Queue<Keyword>()
    private var count = 0
    private var bytes = 0
    /// Lost, and not told with any event yet.
    private var untold = 0
    private var workers = 0
    private let maximumWorkers: Int
    private let policy: InboxPolicy

    /// `maximumWorkers`: how many ids are handled at once.
    package init(policy: InboxPolicy, maximumWorkers: Int) {
        self.policy = policy
        self.maximumWorkers = max(1, maximumWorkers)
    }

    /// How many events wait.
    package var waiting: Int { count }

    /// Adds an event; whether another worker is to be started for it.
    package mutating func add(_ element: Element, id: Keyword, size: Int) -> Bool {
        if lanes[id] == nil { ready.append(id) }
        lanes[id, default: Lane()].waiting.append((element, size))
        lanes[id]?.bytes += size
        count += 1
        bytes += size
        while count > policy.maximumMessages || bytes > policy.maximumBytes, count > 1 { dropOldest() }
        guard !ready.isEmpty, workers < maximumWorkers else { return false }
        workers += 1
        return true
    }

    /// The next event to handle, for a worker; nil when it is to end.
    package mutating func next() -> (id: Keyword, element: Element)? {
        if let id = ready.popFirst(), var item = lanes[id]?.waiting.popFirst() {
            lanes[id]?.isRunning = true
            lanes[id]?.bytes -= item.size
            count -= 1
            bytes -= item.size
            item.element.missed += untold
            untold = 0
            return (id, item.element)
        }
        workers -= 1
        return nil
    }

    /// The event that `next` gave was handled.
    package mutating func finished(_ id: Keyword) {
        lanes[id]?.isRunning = false
        if lanes[id]?.waiting.isEmpty == true { lanes[id] = nil } else { ready.append(id) }
    }

    /// Nothing of what waits is handled any more.
    package mutating func removeAll() {
        lanes = lanes.filter { $0.value.isRunning }.mapValues { _ in
            var lane = Lane()
            lane.isRunning = true
            return lane
        }
        ready = Queue()
        count = 0
        bytes = 0
    }

    /// Only when the bound is reached, which is why it may look at every lane.
    private mutating func dropOldest() {
        let byBytes = bytes > policy.maximumBytes
        let longest = lanes.max { left, right in
            byBytes
                ? left.value.bytes < right.value.bytes
                : left.value.waiting.count < right.value.waiting.count
        }
        guard let id = longest?.key, let oldest = lanes[id]?.waiting.popFirst() else { return }
        count -= 1
        bytes -= oldest.size
        lanes[id]?.bytes -= oldest.size
        let missed = 1 + oldest.element.missed
        if lanes[id]?.waiting.isEmpty == false {
            lanes[id]?.waiting[0].element.missed += missed
            return
        }
        untold += missed
        guard lanes[id]?.isRunning == false else { return }
        lanes[id] = nil
        ready.removeAll { $0 == id }
    }
}
