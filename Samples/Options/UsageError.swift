// SPDX-License-Identifier: Apache-2.0

/// What somebody wrote wrongly, as a sentence that says what would be right.
public struct UsageError: Error, Equatable {
    /// The sentence.
    public let message: String

    /// With that sentence.
    public init(_ message: String) {
        self.message = message
    }
}
