// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// The names by which this session asks for answers to its events (Sente's `cb-uuid`: of any text, and unique).
///
/// The first half of a name is drawn once for the session, the second counts. So a reply that comes too late or twice is
/// known for an answer to this session although no name is kept.
package struct CallbackNames: Sendable {
    private var session: UInt32?
    private var count: UInt64 = 0

    package init() {}

    package mutating func next(using random: inout Generator) -> String {
        let session = session ?? UInt32(truncatingIfNeeded: random.next())
        self.session = session
        count += 1
        return Self.spelled(UInt64(session) << 32 | UInt64(UInt32(truncatingIfNeeded: count)))
    }

    /// Whether the text is a name that this session gave.
    package func contains(_ text: String) -> Bool {
        guard let session, let number = UInt64(text, radix: 16), Self.spelled(number) == text else {
            return false
        }
        return number >> 32 == session && (1...count).contains(number & 0xFFFF_FFFF)
    }

    private static func spelled(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
