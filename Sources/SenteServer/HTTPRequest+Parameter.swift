// SPDX-License-Identifier: Apache-2.0

package import SenteSocket

extension HTTPRequest {
    /// The last value of a query parameter, decoded.
    package func parameter(_ name: String) -> String? {
        let pairs = query?.split(separator: "&").reversed() ?? []
        for pair in pairs {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if Self.decoded(parts[0]) == name { return parts.count > 1 ? Self.decoded(parts[1]) : "" }
        }
        return nil
    }

    /// Percent-encoding and the plus sign of forms undone; what is malformed stays as it is.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(0x20)
            case UInt8(ascii: "%"):
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                // `UInt8(_:radix:)` would take a sign.
                guard digits.utf8.count == 2, !digits.hasPrefix("+"), let code = UInt8(digits, radix: 16)
                else {
                    bytes.append(byte)
                    continue
                }
                bytes.append(code)
                rest = rest.dropFirst(2)
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
