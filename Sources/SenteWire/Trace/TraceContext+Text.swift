// SPDX-License-Identifier: Apache-2.0

// The header `traceparent` (W3C Trace Context, §3.2): version, trace id, span id and flags in lower case hexadecimal digits
// between dashes.
extension TraceContext {
    /// Reads the text of a `traceparent` and, beside it, of a `tracestate`.
    ///
    /// It is nil when `traceparent` is malformed; a malformed `tracestate` is left out, as the standard asks. A version higher
    /// than `00` is read as far as `00` goes.
    public init?(traceparent: String, tracestate: String? = nil) {
        var text = traceparent
        let parts = text.withUTF8 { TraceParent($0) }
        guard let parts else { return nil }
        self.init(
            traceID: TraceID(high: parts.high, low: parts.low), spanID: parts.spanID,
            isSampled: parts.flags & 1 == 1, state: tracestate)
    }

    /// The text of its `traceparent`, of version `00`; of the flags only *sampled* is set or not.
    public var traceparent: String {
        "00-\(traceID)-\(Hexadecimal.text(spanID))-\(isSampled ? "01" : "00")"
    }
}

extension TraceContext.TraceID: CustomStringConvertible {
    /// Its 32 hexadecimal digits.
    public var description: String { Hexadecimal.text(high) + Hexadecimal.text(low) }
}

/// The fields of a `traceparent`.
private struct TraceParent {
    var high: UInt64
    var low: UInt64
    var spanID: UInt64
    var flags: UInt64

    init?(_ text: UnsafeBufferPointer<UInt8>) {
        let dash = UInt8(ascii: "-")
        guard text.count >= 55, text[2] == dash, text[35] == dash, text[52] == dash,
            let version = Hexadecimal.number(text[0..<2]), version != 0xFF,
            let high = Hexadecimal.number(text[3..<19]), let low = Hexadecimal.number(text[19..<35]),
            let spanID = Hexadecimal.number(text[36..<52]), let flags = Hexadecimal.number(text[53..<55])
        else { return nil }
        // §3.2.4: what a higher version adds must be set off by a dash.
        guard text.count == 55 || version > 0 && text[55] == dash else { return nil }
        (self.high, self.low, self.spanID, self.flags) = (high, low, spanID, flags)
    }
}

/// Hexadecimal digits as the standard has them: of lower case only.
private enum Hexadecimal {
    static func number(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> UInt64? {
        var number: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(digit - 0x30)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(digit - 0x57)
            default: return nil
            }
        }
        return number
    }

    /// Sixteen digits.
    static func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
