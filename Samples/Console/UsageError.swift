// SPDX-License-Identifier: Apache-2.0

/// What somebody wrote wrongly, as a sentence that says what would be right.
struct UsageError: Error, Equatable {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}
