// SPDX-License-Identifier: Apache-2.0

/// Names one connection of a server, for as long as the server's process lives.
///
/// Its name on the wire is the conn-id.
package struct ConnectionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let number: UInt64

    package init(_ number: UInt64) {
        self.number = number
    }

    package static func < (lhs: ConnectionID, rhs: ConnectionID) -> Bool { lhs.number < rhs.number }

    package var description: String { "connection \(number)" }
}
