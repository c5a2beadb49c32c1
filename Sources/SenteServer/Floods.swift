// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// The floods that are under way, of each connection one after the other.
struct Floods {
    private var queues: [ConnectionID: Queue<Flood>] = [:]

    var connections: [ConnectionID] { Array(queues.keys) }

    mutating func add(_ flood: Flood, to id: ConnectionID) {
        queues[id, default: Queue()].append(flood)
    }

    mutating func end(_ id: ConnectionID) {
        queues[id] = nil
    }

    /// At most so many of the messages that go next to a connection; none when all have been taken.
    mutating func take(_ count: Int, for id: ConnectionID) -> [Message] {
        var messages: [Message] = []
        while messages.count < count, var flood = queues[id]?.first {
            while messages.count < count, let message = flood.next() { messages.append(message) }
            if flood.remaining > 0 { queues[id]?[0] = flood } else { _ = queues[id]?.popFirst() }
        }
        if queues[id]?.isEmpty == true { queues[id] = nil }
        return messages
    }
}
