// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Asks an HTTP proxy for a tunnel (RFC 9110 §9.3.6), with Basic credentials when it has some (RFC 7617).
struct HTTPConnect: Sendable {
    let request: [UInt8]
    private let limits: LinkLimits
    private let hasCredentials: Bool
    private var reader: HTTPHeadReader
    private var interim = 0

    init(host: String, port: Int, _ credentials: ProxyServer.Credentials?, limits: LinkLimits) {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        var text = "CONNECT \(name):\(port) HTTP/1.1\r\nHost: \(name):\(port)\r\n"
        if let credentials {
            // Sent unasked: a 407 would cost a round trip, and often the connection.
            let pair = Base64.encode(Array("\(credentials.user):\(credentials.password)".utf8))
            text += "Proxy-Authorization: Basic \(pair)\r\n"
        }
        request = Array((text + "\r\n").utf8)
        hasCredentials = credentials != nil
        self.limits = limits
        reader = HTTPHeadReader(.response, limits: limits)
    }

    /// True when the tunnel stands; what a successful answer says of a body means nothing.
    mutating func read(_ rest: inout UnsafeRawBufferPointer) throws(ProxyError) -> Bool {
        while let (status, head) = try answer(&rest) {
            switch status {
            case 100..<200:
                interim += 1
                guard interim <= limits.interimAnswers else {
                    throw ProxyError(.malformed, "sent more than \(limits.interimAnswers) interim answers")
                }
            case 200..<300: return true
            default: throw refusal(status, head)
            }
        }
        return false
    }

    private mutating func answer(
        _ rest: inout UnsafeRawBufferPointer
    ) throws(ProxyError) -> (Int, HTTPHead)? {
        do throws(HandshakeError) {
            guard let head = try reader.read(&rest) else { return nil }
            return (try head.status(), head)
        } catch {
            throw ProxyError(.malformed, "gave no answer to CONNECT: \(error.message)")
        }
    }

    private func refusal(_ status: Int, _ head: HTTPHead) -> ProxyError {
        ProxyError(.status(status), words(for: status, head))
    }

    private func words(for status: Int, _ head: HTTPHead) -> String {
        switch status {
        case 401, 407:
            let schemes = head.values("Proxy-Authenticate").map { $0.prefix { $0 != " " } }
            if !schemes.isEmpty, !schemes.contains(where: { HTTPText.same($0, "Basic") }) {
                return "wants credentials of the kind \(schemes.joined(separator: ", ").prefix(100)), "
                    + "and only Basic is supported"
            }
            return hasCredentials
                ? "refused the user name and password: check them in the proxy's URL"
                : "wants a user name and password: write them into its URL, as in http://user:password@host:port"
        case 408, 429, 500...599: return "could not reach the server"
        default: return "refused to connect to the server: its rules must allow this host and port"
        }
    }
}
