// SPDX-License-Identifier: Apache-2.0

/// What a NATS server complains of in `-ERR`, told apart by its words: there are no codes (nats-server, errors.go and
/// client.go).
package enum NATSFault: Hashable, Sendable {
    /// The credentials are wrong, missing or over; the server ends the link.
    case credentials(String)
    /// The server takes no more connections, and ends the link.
    case full(String)
    /// The user may not publish to the subject; the link stays.
    case publishForbidden(subject: String)
    /// The user may not subscribe to the subject, alone or in that group; the link stays.
    ///
    /// With `sid` a subscription that stood is over.
    case subscriptionForbidden(subject: String, group: String?, sid: UInt64?)
    /// An operation was refused for another reason; the link stays.
    case refused(String)
    /// The server ends the link.
    case fatal(String)

    /// Reads what stands behind `-ERR`.
    package init(_ text: String) {
        let text = text.unquoted
        let words = text.lowercased()
        // What stands between quotation marks, at the odd places.
        let parts = text.split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
        if words.hasPrefix("permissions violation for publish to"), parts.count >= 2 {
            self = .publishForbidden(subject: parts[1])
        } else if words.hasPrefix("permissions violation for subscription to"), parts.count >= 2 {
            let rest = parts.count >= 4 ? parts[3] : nil
            let namesSID = rest != nil && parts[2].hasSuffix("(sid ")
            self = .subscriptionForbidden(
                subject: parts[1], group: namesSID ? nil : rest,
                sid: namesSID ? rest.flatMap { UInt64($0) } : nil)
        } else if Self.ofCredentials.contains(where: words.hasPrefix) {
            self = .credentials(text)
        } else if words.hasPrefix("maximum connections exceeded") {
            self = .full(text)
        } else if Self.ofOperations.contains(where: words.hasPrefix) {
            self = .refused(text)
        } else {
            self = .fatal(text)
        }
    }

    private static let ofCredentials = [
        "authorization violation", "authentication timeout", "user authentication expired",
        "user authentication revoked", "account authentication expired",
    ]
    private static let ofOperations = [
        "maximum subscriptions exceeded", "invalid subject", "invalid publish subject",
        "permissions violation",
    ]
}

extension String {
    /// Without the blanks and the apostrophes around it.
    fileprivate var unquoted: String {
        var text = self[...]
        func isEdge(_ character: Character) -> Bool {
            character == " " || character == "\t" || character == "'"
        }
        while text.first.map(isEdge) == true { text.removeFirst() }
        while text.last.map(isEdge) == true { text.removeLast() }
        return String(text)
    }
}
