// SPDX-License-Identifier: Apache-2.0

/// An error as data, as it is written and sent.
public struct SignalError: Hashable, Sendable {
    /// The name of its type.
    public var type: String
    /// What it says of itself.
    public var message: String
    /// Its code, if it has one.
    public var code: String?

    /// Makes one of its parts.
    public init(type: String, message: String, code: String? = nil) {
        self.type = type
        self.message = message
        self.code = code
    }
}
