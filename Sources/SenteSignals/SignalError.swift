// SPDX-License-Identifier: Apache-2.0

package import SenteWire

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

extension SignalError {
    /// What an error says of itself.
    public init(_ error: any Error) {
        self.init(type: String(describing: Swift.type(of: error)), message: String(describing: error))
    }

    /// The error as `{:type … :message … :code …}`.
    package var value: Value {
        var map: ValueMap = [.keyword("type"): .string(type), .keyword("message"): .string(message)]
        if let code { map[Keyword("code")] = .string(code) }
        return .map(map)
    }
}
