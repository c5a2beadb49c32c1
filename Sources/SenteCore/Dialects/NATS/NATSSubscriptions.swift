// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// The subscriptions of one link, by the numbers that messages name them by.
struct NATSSubscriptions: Sendable {
    /// Whose messages they are.
    enum Place: Hashable, Sendable {
        case wish(NATSWish)
        /// The answers to this client's requests.
        case inbox
        /// What a consumer hands over, by the number of who follows.
        case consumer(UInt64)
    }

    private var places: [UInt64: Place] = [:]
    private var numbers: [WireName: UInt64] = [:]
    private var consumers: [UInt64: UInt64] = [:]
    private(set) var inbox: UInt64?
    private var last: UInt64 = 0

    subscript(sid: UInt64) -> Place? { places[sid] }

    /// A number that no other has had: servers ignore a second SUB of the same one.
    mutating func add(_ wish: NATSWish) -> UInt64 {
        last += 1
        places[last] = .wish(wish)
        if let old = numbers.updateValue(last, forKey: WireName(wish.name)) { places[old] = nil }
        return last
    }

    mutating func addInbox() -> UInt64 {
        last += 1
        places[last] = .inbox
        inbox = last
        return last
    }

    mutating func addConsumer(_ number: UInt64) -> UInt64 {
        last += 1
        places[last] = .consumer(number)
        consumers[number] = last
        return last
    }

    mutating func removeConsumer(_ number: UInt64) -> UInt64? {
        guard let sid = consumers.removeValue(forKey: number) else { return nil }
        places[sid] = nil
        return sid
    }

    /// The number of a wish that ends.
    ///
    /// What a service is sent until the server has heard of that is still its own, for no other of its group has it.
    mutating func remove(_ wish: NATSWish) -> UInt64? {
        guard let sid = numbers.removeValue(forKey: WireName(wish.name)) else { return nil }
        if wish.group == nil { places[sid] = nil }
        return sid
    }

    /// The server refused it, or ended it, or has heard that it ended.
    mutating func ended(_ sid: UInt64) {
        switch places.removeValue(forKey: sid) {
        case .wish(let wish)?:
            if numbers[WireName(wish.name)] == sid { numbers[WireName(wish.name)] = nil }
        case .inbox?: inbox = nil
        case .consumer(let number)?: consumers[number] = nil
        case nil: break
        }
    }
}
