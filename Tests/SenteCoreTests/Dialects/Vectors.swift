// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// Short ways to say what the tests of the vector dialects say all the time.
enum Vectors {
    static let now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 1_700_000_000_123)
    static func nobody(_: Correlation) -> Bool { false }

    static func edn(_ text: String) throws -> Value { try WireFormat.edn.decode(Array(text.utf8)) }

    /// Whether a call waits for one of these callback ids.
    static func waiting(_ callbacks: String...) -> (Correlation) -> Bool {
        { correlation in callbacks.contains { correlation == .id(.event, WireName($0)) } }
    }
}

extension DialectCoder {
    /// What our words become, as text.
    mutating func text(_ outbound: Outbound) throws -> String {
        try encode(outbound, at: Vectors.now).string
    }

    mutating func hear(_ text: String, _ isPending: (Correlation) -> Bool = Vectors.nobody) -> [Inbound] {
        decode(.text(text), isPending: isPending)
    }
}

extension Inbound {
    /// Why it was skipped.
    var complaint: String? {
        if case .undecodable(let reason) = self { reason } else { nil }
    }
}
