// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What is to be made of an answer that may be a redirect.
package enum RedirectDecision: Hashable, Sendable {
    /// Ask at the new `url`, with the new `headers`.
    case follow
    /// The answer is no redirect.
    case none
    /// The redirect must not be followed; a sentence for people says why.
    case refuse(String)
}

/// Where a client's handshake goes, and where redirects may take it (RFC 9110 §15.4, RFC 6455 §4.1).
///
/// A redirect is followed a few times, never back to where it was, never from `wss` to `ws`. What may be secret stays
/// with the origin it was meant for (RFC 6454 §4): scheme, host and port.
package struct Redirects: Hashable, Sendable {
    /// How many redirects one link follows.
    static let limit = 5

    package private(set) var url: WebSocketURL
    package private(set) var headers: [HTTPHeader]
    private var visited: Set<WebSocketURL>

    package init(_ url: WebSocketURL, headers: [HTTPHeader]) {
        self.url = url
        self.headers = headers
        visited = [url]
    }

    /// Moves on to where an answer points.
    package mutating func follow(_ answer: Refusal) -> RedirectDecision {
        guard [301, 302, 307, 308].contains(answer.status) else { return .none }
        let places = Set(HTTPText.values(of: "Location", in: answer.headers))
        guard let place = places.first, places.count == 1 else {
            return .refuse("The server redirects without saying where, or to several places.")
        }
        let shown = place.prefix(200)
        let next: WebSocketURL
        do throws(WebSocketURLError) {
            next = try url.resolving(place)
        } catch {
            return .refuse(
                "The server redirects to \(shown.debugDescription), which is no WebSocket's. \(error)")
        }
        guard next.isSecure || !url.isSecure else {
            return .refuse(
                "The server redirects from wss to \(next), where everything could be read: configure another address."
            )
        }
        guard visited.insert(next).inserted else {
            return .refuse("The server redirects in a loop, back to \(next).")
        }
        guard visited.count <= Self.limit + 1 else {
            return .refuse("The server redirects more than \(Self.limit) times; the last time to \(next).")
        }
        if !next.hasSameOrigin(as: url) { headers.removeAll { !Self.isHarmless($0.name) } }
        url = next
        return .follow
    }

    /// Any other header may hold a credential, not only `Authorization` and `Cookie`.
    private static func isHarmless(_ name: String) -> Bool {
        ["User-Agent", "Accept-Language", "Origin"].contains { HTTPText.same($0, name) }
    }
}

extension WebSocketURL {
    fileprivate func hasSameOrigin(as other: WebSocketURL) -> Bool {
        isSecure == other.isSecure && host == other.host && port == other.port
    }

    /// Resolves a reference as `Location` has it (RFC 3986 §5.2).
    ///
    /// Servers that do not know of WebSocket's schemes say `http` and `https`.
    fileprivate func resolving(_ reference: String) throws(WebSocketURLError) -> WebSocketURL {
        let text = reference.prefix { $0 != "#" }
        let scheme = isSecure ? "wss" : "ws"
        if let colon = text.firstIndex(of: ":"), Self.isScheme(text[..<colon]) {
            let rest = text[colon...]
            switch text[..<colon].lowercased() {
            case "http": return try Self.absolute("ws\(rest)")
            case "https": return try Self.absolute("wss\(rest)")
            default: return try Self.absolute(String(text))
            }
        }
        if text.hasPrefix("//") { return try Self.absolute("\(scheme):\(text)") }
        let path = target.prefix { $0 != "?" }
        let place: String
        if text.isEmpty {
            place = target
        } else if text.hasPrefix("/") {
            place = String(text)
        } else if text.hasPrefix("?") {
            place = "\(path)\(text)"
        } else {
            place = "\(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])/\(text)"
        }
        return try Self.absolute("\(scheme)://\(hostHeader)\(place)")
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, first | 0x20 >= 0x61, first | 0x20 <= 0x7A else { return false }
        return text.utf8.allSatisfy { byte in
            HTTPText.isToken(byte) && !"!#$%&'*^_`|~".utf8.contains(byte)
        }
    }

    private static func absolute(_ text: String) throws(WebSocketURLError) -> WebSocketURL {
        let url = try WebSocketURL(text)
        let path = url.target.prefix { $0 != "?" }
        let query = url.target[path.endIndex...]
        return try WebSocketURL(
            "\(url.isSecure ? "wss" : "ws")://\(url.hostHeader)\(withoutDots(path))\(query)")
    }

    /// RFC 3986 §5.2.4: "." goes, ".." takes the segment before it along.
    private static func withoutDots(_ path: Substring) -> String {
        var kept: [Substring] = []
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case "..":
                if !kept.isEmpty { kept.removeLast() }
                if isLast { kept.append("") }
            case ".": if isLast { kept.append("") }
            default: kept.append(segment)
            }
        }
        return "/" + kept.joined(separator: "/")
    }
}
