// SPDX-License-Identifier: Apache-2.0

/// A `ws` or `wss` URL taken apart (RFC 6455 §3, RFC 3986), or the reason why it is none.
package struct WebSocketURL: Hashable, Sendable, CustomStringConvertible {
    /// Whether the scheme is `wss`.
    package let isSecure: Bool
    /// The name or address, in lower case, an IPv6 address without its brackets.
    package let host: String
    /// The port, the scheme's own when the URL names none.
    package let port: Int
    /// Path and query, at least `/`; what a URL may not hold literally is percent-encoded.
    package let target: String

    /// Whether `host` is an IPv6 address.
    package var isIPv6: Bool { host.utf8.contains(UInt8(ascii: ":")) }

    /// The value of the `Host` field: the default port is left out (RFC 9110 §7.2).
    package var hostHeader: String {
        let name = isIPv6 ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    package var description: String { "\(isSecure ? "wss" : "ws")://\(hostHeader)\(target)" }

    /// Reads a URL as a user typed it.
    package init(_ text: String) throws(WebSocketURLError) {
        guard !text.isEmpty else { throw .empty }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { throw .blankOrControl }
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { throw .noScheme }
        let scheme = text[..<colon].lowercased()
        guard scheme == "ws" || scheme == "wss" else { throw .unknownScheme(scheme) }
        isSecure = scheme == "wss"
        let rest = text[colon...].dropFirst(3)
        // RFC 6455 §3: a fragment means nothing here and must not be there.
        guard !rest.utf8.contains(UInt8(ascii: "#")) else { throw .fragment }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.utf8.contains(UInt8(ascii: "@")) else { throw .userInfo }
        let (name, digits) = try Self.split(authority)
        host = try Self.checkHost(name)
        port = try digits.map(Self.checkPort) ?? (isSecure ? 443 : 80)
        target = try Self.encode(rest[authority.endIndex...])
    }

    /// The host, brackets included, and the text after its colon, if there is one.
    private static func split(
        _ authority: Substring
    ) throws(WebSocketURLError) -> (host: Substring, port: Substring?) {
        guard authority.hasPrefix("[") else {
            guard let colon = authority.firstIndex(of: ":") else { return (authority, nil) }
            let port = authority[authority.index(after: colon)...]
            guard !port.contains(":") else { throw .bareIPv6 }
            return (authority[..<colon], port)
        }
        guard let end = authority.firstIndex(of: "]") else { throw .badIPv6(String(authority)) }
        let after = authority[authority.index(after: end)...]
        guard after.isEmpty || after.hasPrefix(":") else { throw .badIPv6(String(authority)) }
        return (authority[...end], after.isEmpty ? nil : after.dropFirst())
    }

    private static func checkHost(_ text: Substring) throws(WebSocketURLError) -> String {
        if text.hasPrefix("[") {
            let address = text.dropFirst().dropLast()
            // RFC 9844 §4: a zone means something to one machine only, and no URL has one any more.
            guard !address.utf8.contains(UInt8(ascii: "%")) else { throw .zone(String(text)) }
            guard Dialer.Address(literal: String(address), port: 0)?.family == .v6 else {
                throw .badIPv6(String(text))
            }
            return address.lowercased()
        }
        guard !text.isEmpty else { throw .noHost }
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { throw .hostNotASCII(String(text)) }
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isName, text.utf8.count <= 255 else { throw .badHost(String(text)) }
        return text.lowercased()
    }

    private static func checkPort(_ digits: Substring) throws(WebSocketURLError) -> Int {
        let isNumber =
            !digits.isEmpty && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isNumber, let port = Int(digits), (1...65_535).contains(port) else {
            throw .badPort(String(digits))
        }
        return port
    }

    private static func encode(_ text: Substring) throws(WebSocketURLError) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = Array(text.utf8)
        var out: [UInt8] = bytes.first == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "%") {
                guard bytes.count > index + 2, isHex(bytes[index + 1]), isHex(bytes[index + 2]) else {
                    throw .badPercent
                }
            }
            if byte >= 0x80 || "\"<>\\^`{|}".utf8.contains(byte) {
                out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        "0123456789abcdefABCDEF".utf8.contains(byte)
    }
}

/// What is wrong with a text that should be a WebSocket URL.
package enum WebSocketURLError: Error, Hashable, Sendable, CustomStringConvertible {
    case empty
    case blankOrControl
    case noScheme
    case unknownScheme(String)
    case fragment
    case userInfo
    case noHost
    case badHost(String)
    case hostNotASCII(String)
    case badIPv6(String)
    case zone(String)
    case bareIPv6
    case badPort(String)
    case badPercent

    package var description: String {
        switch self {
        case .empty: "The URL is empty; write one such as ws://host:port/path."
        case .blankOrControl:
            "The URL has a blank or a control character; percent-encode it (%20 for a blank)."
        case .noScheme: "The URL has no scheme; begin it with ws:// or wss://."
        case .unknownScheme(let scheme): "The URL's scheme is \(scheme.debugDescription); use ws or wss."
        case .fragment:
            "The URL has a fragment (#); WebSocket URLs have none, write %23 for a literal number sign."
        case .userInfo:
            "The URL has a user name (before @); send credentials in a header or a parameter instead."
        case .noHost: "The URL has no host; write one after the two slashes."
        case .badHost(let host): "The URL's host \(host.debugDescription) is not a host name."
        case .hostNotASCII(let host):
            "The URL's host \(host.debugDescription) is not ASCII; write the international name in its xn-- form."
        case .badIPv6(let text): "The URL's host \(text.debugDescription) is not an IPv6 address in brackets."
        case .zone(let text):
            "The URL's host \(text.debugDescription) has a zone (what follows %), which URLs cannot have; use a host name or an address that needs none."
        case .bareIPv6: "The URL's IPv6 address needs brackets, as in ws://[::1]:80/."
        case .badPort(let digits):
            "The URL's port \(digits.debugDescription) is not a number from 1 to 65535."
        case .badPercent:
            "The URL has a percent sign that two hexadecimal digits do not follow; write %25 for the sign."
        }
    }
}
