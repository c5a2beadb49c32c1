// SPDX-License-Identifier: Apache-2.0

/// A proxy's URL taken apart, or the reason why it is none.
///
/// Its description, which errors quote, has no credentials.
package struct ProxyServer: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        case http
        case socks5
    }

    package struct Credentials: Hashable, Sendable {
        package let user: String
        package let password: String
    }

    package let kind: Kind
    package let host: String
    package let port: Int
    package let credentials: Credentials?

    package var description: String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return "\(kind == .http ? "http" : "socks5")://\(name):\(port)"
    }

    /// Reads a URL as a user typed it.
    package init(_ text: String) throws(ProxyServerError) {
        let (scheme, rest) = Self.scheme(text)
        let kind: Kind
        switch scheme {
        case "http": kind = .http
        case "socks5", "socks5h": kind = .socks5
        default: throw .scheme(scheme)
        }
        self.kind = kind
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard ["", "/"].contains(rest[authority.endIndex...]) else { throw .path }
        // The last @: one in a password that somebody forgot to encode does no harm.
        let end = authority.lastIndex(of: "@")
        credentials = try end.map { place throws(ProxyServerError) in
            try Self.credentials(authority[..<place], for: kind)
        }
        let place = authority[(end.map(authority.index(after:)) ?? authority.startIndex)...]
        do throws(WebSocketURLError) {
            let url = try WebSocketURL("ws://\(place)")
            host = url.host
            let namesPort = place.last != "]" && place.utf8.contains(UInt8(ascii: ":"))
            port = namesPort ? url.port : Self.defaultPort
        } catch {
            throw .address(error)
        }
    }

    /// Curl's, for every kind of proxy.
    private static let defaultPort = 1_080

    private static func scheme(_ text: String) -> (String, Substring) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else {
            return ("http", text[...])
        }
        return (text[..<colon].lowercased(), text[colon...].dropFirst(3))
    }

    private static func credentials(
        _ text: Substring, for kind: Kind
    ) throws(ProxyServerError) -> Credentials {
        let colon = text.firstIndex(of: ":") ?? text.endIndex
        let user = try decoded(text[..<colon])
        let password = try decoded(text[colon...].dropFirst())
        // RFC 7617 §2: what ends the user name cannot be part of it; RFC 1929 §2: one byte counts the length.
        switch kind {
        case .http where user.utf8.contains(UInt8(ascii: ":")): throw .credentials
        case .socks5 where user.isEmpty || user.utf8.count > 255 || password.utf8.count > 255:
            throw .credentials
        case .http, .socks5: return Credentials(user: user, password: password)
        }
    }

    private static func decoded(_ text: Substring) throws(ProxyServerError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy({ "0123456789abcdefABCDEF".utf8.contains($0) }),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else { throw .credentials }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        // What is no UTF-8 was mended, and differs.
        guard text.utf8.elementsEqual(bytes), bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { throw .credentials }
        return text
    }
}

/// What is wrong with a text that should be a proxy's URL; the text itself, which may hold a password, is not quoted.
package enum ProxyServerError: Error, Hashable, Sendable, CustomStringConvertible {
    case scheme(String)
    case path
    case credentials
    case address(WebSocketURLError)
    /// The same, found in the environment.
    indirect case variable(String, ProxyServerError)

    package var description: String {
        switch self {
        case .scheme("https"):
            "A proxy that is itself reached by TLS (https://) is not supported; use its http:// or socks5:// address."
        case .scheme("socks4"), .scheme("socks4a"):
            "A SOCKS 4 proxy is not supported; use socks5:// or http://."
        case .scheme(let scheme):
            "The proxy's scheme is \(scheme.debugDescription); use http or socks5."
        case .path:
            "The proxy's URL has something behind the port; write http://host:port or socks5://host:port."
        case .credentials:
            "The proxy's user name or password cannot be sent; percent-encode them, and mind the 255 bytes of SOCKS."
        case .address(let error): "The proxy's address is wrong. \(error)"
        case .variable(let name, let error):
            "The environment variable \(name) names no usable proxy. \(error)"
        }
    }
}
