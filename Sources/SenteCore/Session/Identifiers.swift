// SPDX-License-Identifier: Apache-2.0

/// Names one call of the app; resolved exactly once.
package struct CallID: Hashable, Sendable, Comparable {
    package let number: UInt64

    package init(_ number: UInt64) {
        self.number = number
    }

    package static func < (lhs: CallID, rhs: CallID) -> Bool { lhs.number < rhs.number }
}

/// Names one question to the app's providers.
package struct AskID: Hashable, Sendable {
    package let number: UInt64

    package init(_ number: UInt64) {
        self.number = number
    }
}

/// Names one live handle's inbox.
package struct InboxID: Hashable, Sendable {
    package let number: UInt64

    package init(_ number: UInt64) {
        self.number = number
    }
}
