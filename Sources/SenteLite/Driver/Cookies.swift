// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore

/// Cookies as one header (RFC 6265 §4.2.1, §5.4: never more than one).
enum Cookies {
    static func add(_ cookies: NamedValues, to headers: inout [Refusal.Header]) {
        guard !cookies.isEmpty else { return }
        let text = cookies.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
        if let place = headers.firstIndex(where: { $0.name.lowercased() == "cookie" }) {
            headers[place].value += "; \(text)"
        } else {
            headers.append(Refusal.Header("Cookie", text))
        }
    }

    /// Why a cookie cannot be sent: it would end, and become two.
    ///
    /// Values are taken as servers set them, which is more than RFC 6265 §4.1.1 allows; controls are refused with the header.
    static func problem(with cookie: NamedValues.Pair) -> String? {
        let isNamed =
            !cookie.name.isEmpty
            && cookie.name.utf8.allSatisfy {
                $0 > 0x20 && $0 < 0x7F && !"()<>@,;:\\\"/[]?={}".utf8.contains($0)
            }
        guard isNamed else {
            return
                "The cookie name \(cookie.name.debugDescription) is not valid; use letters, digits and hyphens."
        }
        guard cookie.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ";") }) else {
            return
                "The value of the cookie \(cookie.name) has a semicolon or a control character; percent-encode it."
        }
        return nil
    }
}
