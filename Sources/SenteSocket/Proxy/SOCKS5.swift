// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Asks a SOCKS 5 proxy for a connection (RFC 1928), with a password when it has one (RFC 1929).
///
/// ```
/// greeting ─no login─▶ request ─▶ through
///     └─password─▶ login ─▲
/// ```
struct SOCKS5: Sendable {
    private enum State: Sendable {
        /// The methods are offered. Can move to: login, requested.
        case greeted
        /// User name and password are sent. Can move to: requested.
        case login
        /// The connection is asked for.
        case requested
    }

    /// The methods on offer (§3).
    let greeting: [UInt8]
    private let credentials: ProxyServer.Credentials?
    private let request: [UInt8]
    private var state = State.greeted
    /// The part of an answer that has come.
    private var answer: [UInt8] = []

    init(host: String, port: Int, _ credentials: ProxyServer.Credentials?) {
        self.credentials = credentials
        greeting = credentials == nil ? [5, 1, 0] : [5, 2, 0, 2]
        request = [5, 1, 0] + Self.address(host) + [UInt8(port >> 8 & 0xFF), UInt8(port & 0xFF)]
    }

    /// A name goes to the proxy as it is, to be looked up there (§5).
    private static func address(_ host: String) -> [UInt8] {
        switch Dialer.Address(literal: host, port: 0) {
        case .v4(let bits, _)?: return [1] + bytes(bits)
        case .v6(let high, let low, _, _)?: return [4] + bytes(high) + bytes(low)
        case nil:
            // A URL's host has 255 bytes at most.
            let name = host.utf8.prefix(255)
            return [3, UInt8(name.count)] + name
        }
    }

    private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    /// Takes bytes off `rest` until an answer is complete; nil when more are needed.
    mutating func read(_ rest: inout UnsafeRawBufferPointer) throws(ProxyError) -> ProxyStage.Step? {
        switch state {
        case .greeted: return try readMethod(&rest)
        case .login: return try readLogin(&rest)
        case .requested: return try readReply(&rest)
        }
    }

    private mutating func readMethod(_ rest: inout UnsafeRawBufferPointer) throws(ProxyError) -> ProxyStage
        .Step?
    {
        try take(1, of: &rest)
        try checkVersion(5)
        guard try take(2, of: &rest) else { return nil }
        let method = answer[1]
        answer = []
        switch (method, credentials) {
        case (0, _):
            state = .requested
            return .write(request)
        case (2, let credentials?):
            state = .login
            let (user, password) = (credentials.user.utf8, credentials.password.utf8)
            return .write(
                [1, UInt8(truncatingIfNeeded: user.count)] + user
                    + [UInt8(truncatingIfNeeded: password.count)] + password)
        case (0xFF, nil):
            throw ProxyError(
                .noAcceptableMethod,
                "lets nobody in without a login: write user and password into its URL, "
                    + "as in socks5://user:password@host:port")
        case (0xFF, _?):
            throw ProxyError(
                .noAcceptableMethod, "accepts neither a password nor no login, and nothing else is supported")
        default: throw ProxyError(.malformed, "chose the login method \(method), which was not offered")
        }
    }

    private mutating func readLogin(_ rest: inout UnsafeRawBufferPointer) throws(ProxyError) -> ProxyStage
        .Step?
    {
        guard try take(2, of: &rest) else { return nil }
        try checkVersion(1)
        let status = answer[1]
        answer = []
        guard status == 0 else {
            throw ProxyError(
                .credentialsRefused, "refused the user name and password: check them in the proxy's URL")
        }
        state = .requested
        return .write(request)
    }

    private mutating func readReply(_ rest: inout UnsafeRawBufferPointer) throws(ProxyError) -> ProxyStage
        .Step?
    {
        guard try take(2, of: &rest) else { return nil }
        try checkVersion(5)
        guard answer[1] == 0 else { throw Self.refusal(answer[1]) }
        // The address the proxy connects from says nothing to us, but its length must be known (§6).
        guard try take(5, of: &rest) else { return nil }
        let length: Int
        switch answer[3] {
        case 1: length = 4
        case 3: length = 1 + Int(answer[4])
        case 4: length = 16
        default: throw ProxyError(.malformed, "answered with an address of the unknown type \(answer[3])")
        }
        guard try take(4 + length + 2, of: &rest) else { return nil }
        answer = []
        return .through
    }

    /// Whether `count` bytes of the answer are there; no more are taken.
    @discardableResult
    private mutating func take(_ count: Int, of rest: inout UnsafeRawBufferPointer) throws(ProxyError) -> Bool
    {
        let piece = rest.prefix(max(0, count - answer.count))
        answer.append(contentsOf: piece)
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
        return answer.count >= count
    }

    private func checkVersion(_ version: UInt8) throws(ProxyError) {
        guard let first = answer.first, first != version else { return }
        // An H is what HTTP begins with.
        let hint =
            first == UInt8(ascii: "H") ? ": it seems to be an HTTP proxy, whose URL begins with http://" : ""
        throw ProxyError(.malformed, "does not speak SOCKS 5\(hint)")
    }

    private static func refusal(_ reply: UInt8) -> ProxyError {
        let words =
            switch reply {
            case 1: "failed to connect to the server and gives no reason"
            case 2: "refused to connect to the server: its rules must allow this host and port"
            case 3: "could not reach the server's network"
            case 4: "could not reach the server's host"
            case 5: "was refused by the server: nobody listens on that port"
            case 6: "gave up: the way to the server is too long (TTL expired)"
            case 7: "does not support the command CONNECT"
            case 8: "does not support that type of address"
            default: "refused with an unknown code"
            }
        return ProxyError(.reply(reply), "\(words) [SOCKS \(reply)]")
    }
}
