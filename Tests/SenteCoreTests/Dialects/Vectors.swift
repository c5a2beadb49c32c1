// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// Short ways to say what the tests of the vector dialects say all the time.
enum Vectors {
    static let now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 1_700_000_000_123)
    static func nobody(_: String) -> Bool { false }

    static func edn(_ text: String) throws -> Value { try WireFormat.edn.decode(Array(text.utf8)) }

    /// Whether a text is one of these, which the client gave as callbacks.
    static func given(_ callbacks: String...) -> (String) -> Bool { { callbacks.contains($0) } }
}

extension DialectCoder {
    /// What our words become, as text.
    func text(_ outbound: Outbound) throws -> String {
        var coder = self
        return try coder.encode(outbound, at: Vectors.now).string
    }

    func hear(_ text: String, _ isCallback: (String) -> Bool = Vectors.nobody) -> [Inbound] {
        var coder = self
        return coder.decode(.text(text), isCallback: isCallback)
    }
}

extension Inbound {
    /// Why it was skipped.
    var complaint: String? {
        if case .undecodable(let reason, _) = self { reason } else { nil }
    }
}
