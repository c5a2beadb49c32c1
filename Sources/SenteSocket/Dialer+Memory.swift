// SPDX-License-Identifier: Apache-2.0

package import SenteBase

extension Dialer {
    /// Which addresses of a name took the connection lately and led nowhere: they never answered, or something else than a
    /// WebSocket server stands there.
    ///
    /// What is remembered is an order and no verdict: such an address is dialed after the name's others, and first again once it
    /// has led to a WebSocket, or after ten minutes. Where all of a name's addresses led nowhere they take turns.
    package struct Memory: Hashable, Sendable {
        /// How long an address stays behind the others.
        package static let duration = Duration.seconds(600)
        private static let limit = 256

        private struct Entry: Hashable {
            var name: String
            var address: Address
            var time: Instant
        }

        /// The oldest first.
        private var entries: [Entry] = []

        package init() {}

        /// An attempt by way of `address` did not lead to a WebSocket.
        package mutating func ledNowhere(_ address: Address, of name: String, at now: Instant) {
            ledOn(address, of: name)
            entries.removeAll { $0.time.advanced(by: Self.duration) <= now }
            if entries.count == Self.limit { entries.removeFirst() }
            entries.append(Entry(name: name, address: address, time: now))
        }

        /// A WebSocket was opened by way of `address`.
        package mutating func ledOn(_ address: Address, of name: String) {
            entries.removeAll { $0.name == name && $0.address == address }
        }

        /// What to dial last, in this order.
        package func avoided(of name: String, at now: Instant) -> [Address] {
            entries.filter { $0.name == name && now < $0.time.advanced(by: Self.duration) }.map(\.address)
        }
    }
}
