// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// The name of a file for what one session says, whatever the session calls itself.
package enum SessionFileName {
    private static let maximumLength = 64

    /// `<session>-<time>.log`: of the session what is a letter of ASCII, a digit, `_` or `-`, 64 of them at most.
    ///
    /// One that had to be changed gets a mark of its own, so that no two share a file.
    package static func text(session: String, milliseconds: Int64) -> String {
        let allowed = session.utf8.prefix(maximumLength).map { isAllowed($0) ? $0 : UInt8(ascii: "_") }
        var name = String(decoding: allowed, as: UTF8.self)
        if !name.utf8.elementsEqual(session.utf8) {
            name += "-" + String(mark(session), radix: 16)
        }
        let time = Timestamp(milliseconds: milliseconds).description.utf8.filter { isAllowed($0) }
        return "\(name)-\(String(decoding: time, as: UTF8.self)).log"
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// FNV-1a: it keeps names apart, and guards nothing.
    private static func mark(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
