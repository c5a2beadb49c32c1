// SPDX-License-Identifier: Apache-2.0

/// The servers that are reached without a proxy: `no_proxy` taken apart.
///
/// As curl reads it: a name stands for itself and everything below it, a leading dot changes nothing, `*` is everything,
/// addresses may be networks. A port, which curl does not know, narrows an entry, as in Go. What makes no sense matches nothing.
struct ProxyExceptions: Hashable, Sendable {
    private enum Scope: Hashable {
        case everything
        case domain(String)
        case network(Dialer.Address, bits: Int)
    }

    private struct Entry: Hashable {
        var scope: Scope
        /// Nil: every port.
        var port: UInt16?
    }

    /// Servers on this machine.
    static let loopback = ProxyExceptions("localhost,127.0.0.0/8,::1")

    private let entries: [Entry]

    /// Reads entries between commas and blanks.
    init(_ text: String) {
        entries = text.split { $0 == "," || $0 == " " || $0 == "\t" }.compactMap {
            Self.entry($0.lowercased())
        }
    }

    /// `host` in lower case, an IPv6 address without its brackets.
    func contains(host: String, port: Int) -> Bool {
        let address = Dialer.Address(literal: host, port: 0)
        let name = Self.withoutDot(host[...])
        return entries.contains { entry in
            guard entry.port == nil || entry.port.map(Int.init) == port else { return false }
            switch entry.scope {
            case .everything: return true
            case .network(let network, let bits):
                return address?.isWithin(network, bits: bits) ?? false
            case .domain(let domain):
                return address == nil && (name == domain || name.hasSuffix(".\(domain)"))
            }
        }
    }

    private static func entry(_ text: String) -> Entry? {
        if text == "*" { return Entry(scope: .everything) }
        if let network = network(text[...]) { return Entry(scope: network) }
        let (name, port) = split(text)
        if let network = network(name) { return port.map { Entry(scope: network, port: $0) } }
        // `*.example.com` is what people write for `.example.com`.
        let domain = withoutDot(name.drop { $0 == "*" }.drop { $0 == "." })
        guard !domain.isEmpty, !domain.utf8.contains(UInt8(ascii: ":")) else { return nil }
        return Entry(scope: .domain(String(domain)), port: port)
    }

    /// The text before the last colon and the port behind it; the whole text when no port stands there.
    private static func split(_ text: String) -> (Substring, UInt16?) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return (text[...], nil)
        }
        return (text[..<colon], port)
    }

    /// An address, in brackets or not, or a network: address, slash, number of bits (RFC 4632 §3.1, RFC 4291 §2.3).
    private static func network(_ text: Substring) -> Scope? {
        let slash = text.firstIndex(of: "/") ?? text.endIndex
        var name = text[..<slash]
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        guard let address = Dialer.Address(literal: String(name), port: 0) else { return nil }
        guard slash < text.endIndex else { return .network(address, bits: address.width) }
        guard let bits = Int(text[text.index(after: slash)...]), (0...address.width).contains(bits) else {
            return nil
        }
        return .network(address, bits: bits)
    }

    private static func withoutDot(_ name: Substring) -> Substring {
        name.hasSuffix(".") ? name.dropLast() : name
    }
}

extension Dialer.Address {
    /// How many bits an address of this family has.
    fileprivate var width: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    fileprivate func isWithin(_ network: Self, bits: Int) -> Bool {
        switch (self, network) {
        case (.v4(let a, _), .v4(let b, _)): bits == 0 || (a ^ b) >> UInt32(32 - bits) == 0
        case (.v6(let a, let c, _, _), .v6(let b, let d, _, _)):
            (a ^ b) >> UInt64(64 - min(bits, 64)) == 0 && (c ^ d) >> UInt64(128 - max(bits, 64)) == 0
        case (.v4, .v6), (.v6, .v4): false
        }
    }
}
