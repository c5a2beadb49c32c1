// SPDX-License-Identifier: Apache-2.0

/// Names one socket's life.
///
/// Every report of a link carries its id, so that a late report of an old link is harmless.
@usableFromInline
package struct LinkID: Hashable, Sendable, CustomStringConvertible {
    @usableFromInline package let number: UInt64

    package init(_ number: UInt64) {
        self.number = number
    }

    /// Other rooms compare links several times a message: what the compiler makes of `Hashable` they cannot inline.
    @inlinable package static func == (a: LinkID, b: LinkID) -> Bool { a.number == b.number }

    @usableFromInline package var description: String { "link \(number)" }
}

/// Names one message handed to a link, so that the link can say when it was written.
package struct SendID: Hashable, Sendable {
    package let number: UInt64

    package init(_ number: UInt64) {
        self.number = number
    }
}
