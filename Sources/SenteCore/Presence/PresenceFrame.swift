// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// What one client says of presence: a map with one reserved key, by which others know it and may ignore it.
///
/// ```
/// {:sente-lite/presence {:member "4f1c…", :sequence 7, :data {…}, :asks true}}
/// ```
struct PresenceFrame: Hashable, Sendable {
    /// What a member says of itself.
    ///
    /// Of two claims the one with the higher sequence is the later one, whatever clocks show and in whatever order they come.
    struct Claim: Hashable, Sendable {
        var member: WireName
        var sequence: Int64
        var hasLeft = false
        /// Of one that has not left.
        var data: Value = .null
    }

    var claim: Claim?
    /// Whether those who are present are to say so.
    var asks: Bool

    /// What a double holds exactly, for peers whose numbers are doubles.
    static let maximumSequence: Int64 = 1 << 53
    /// A UUID has 36.
    private static let maximumNameLength = 64

    init(_ claim: Claim?, asks: Bool = false) {
        self.claim = claim
        self.asks = asks
    }

    /// Reads what anybody may have sent; nil for whatever is none, or too large.
    init?(_ value: Value, maximumBytes: Int) {
        guard let frame = MapFrame(MapFrame(value)?["sente-lite/presence"]) else { return nil }
        asks = frame.isTrue("asks")
        guard frame.has("member") else { return }
        guard let member = frame.name("member"), 1...Self.maximumNameLength ~= member.text.utf8.count,
            let sequence = frame.integer("sequence"), 1...Self.maximumSequence ~= sequence
        else { return nil }
        let hasLeft = frame.isTrue("left")
        let data = hasLeft ? .null : frame["data"] ?? .null
        guard data.weight <= maximumBytes else { return nil }
        claim = Claim(member: member, sequence: sequence, hasLeft: hasLeft, data: data)
    }

    var value: Value {
        var fields = ValueMap()
        if let claim {
            fields[.keyword("member")] = Value(claim.member.text)
            fields[.keyword("sequence")] = Value(claim.sequence)
            if claim.hasLeft { fields[.keyword("left")] = true }
            if !claim.data.isNull { fields[.keyword("data")] = claim.data }
        }
        if asks { fields[.keyword("asks")] = true }
        return [.keyword("sente-lite/presence"): .map(fields)]
    }
}
