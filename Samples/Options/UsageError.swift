// SPDX-License-Identifier: Apache-2.0

/// What somebody wrote wrongly, as a sentence that says what would be right.
package struct UsageError: Error, Equatable {
    package let message: String

    package init(_ message: String) {
        self.message = message
    }
}
