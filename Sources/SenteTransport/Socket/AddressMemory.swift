// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket

/// What the links of one transport, on whatever loop, have learnt of addresses.
final class AddressMemory: @unchecked Sendable {
    private let lock = Lock()
    private var memory = Dialer.Memory()

    func ledNowhere(_ address: Dialer.Address, of name: String, at now: Instant) {
        lock.withLock { memory.ledNowhere(address, of: name, at: now) }
    }

    func ledOn(_ address: Dialer.Address, of name: String) {
        lock.withLock { memory.ledOn(address, of: name) }
    }

    func avoided(of name: String, at now: Instant) -> [Dialer.Address] {
        lock.withLock { memory.avoided(of: name, at: now) }
    }
}
