// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// The payload of a close frame (RFC 6455 §5.5.1).
enum ClosePayload {
    /// What is left of 125 bytes after the code.
    private static let longestReason = 123

    /// Code and reason; `.noStatus`, which stands for the lack of a code, makes an empty payload.
    static func encode(_ code: CloseCode, reason: String = "") -> [UInt8] {
        guard code != .noStatus else { return [] }
        let number = code.rawValue
        return [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
            + cut(Array(reason.utf8))
    }

    static func decode(_ payload: [UInt8]) throws(FrameError) -> (code: CloseCode, reason: String) {
        guard payload.count != 1 else { throw .protocolError("a close frame has half a code") }
        guard payload.count > 1 else { return (.noStatus, "") }
        let code = CloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
        guard code != .abnormal else { throw .lost }
        guard code.isAllowedOnWire else { throw .protocolError("a close frame has the illegal code \(code)") }
        let reason = payload[2...]
        var validator = UTF8Validator()
        let isText = reason.withUnsafeBytes { validator.accept($0) } && validator.isAtBoundary
        guard isText else { throw .invalidText("the reason of a close frame") }
        return (code, String(decoding: reason, as: UTF8.self))
    }

    /// At most 123 bytes, ending where a scalar ends.
    private static func cut(_ reason: [UInt8]) -> ArraySlice<UInt8> {
        guard reason.count > longestReason else { return reason[...] }
        var end = longestReason
        while end > 0, reason[end] & 0xC0 == 0x80 { end -= 1 }
        return reason[..<end]
    }
}
