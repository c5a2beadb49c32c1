// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What a client asks for in the opening handshake (RFC 6455 §4.1).
///
/// What a user typed is checked when it is made.
package struct UpgradeRequest: Hashable, Sendable {
    package let host: String
    let isSecure: Bool
    package let target: String
    package let headers: [HTTPHeader]
    package let subprotocols: [String]

    /// Headers this package writes itself.
    private static let reserved = ["Host", "Upgrade", "Connection", "Content-Length", "Transfer-Encoding"]
    /// Headers for a proxy, which the server must not see.
    private static let proxyOnly = ["Proxy-Authorization", "Proxy-Connection"]

    /// Takes the user's additions to the handshake with `url`, or says which of them cannot be sent.
    package init(
        _ url: WebSocketURL, headers: [HTTPHeader] = [], subprotocols: [String] = []
    ) throws(UpgradeRequestError) {
        for header in headers { try Self.check(header) }
        var seen: Set<String> = []
        for name in subprotocols {
            guard HTTPText.isToken(name) else { throw .subprotocolNotToken(name) }
            guard seen.insert(name).inserted else { throw .subprotocolTwice(name) }
        }
        host = url.hostHeader
        isSecure = url.isSecure
        target = url.target
        self.headers = headers
        self.subprotocols = subprotocols
    }

    static func check(_ header: HTTPHeader) throws(UpgradeRequestError) {
        guard HTTPText.isToken(header.name) else { throw .headerNameNotToken(header.name) }
        let isReserved =
            reserved.contains { HTTPText.same($0, header.name) }
            || HTTPText.same(header.name.prefix(14), "Sec-WebSocket-")
        guard !isReserved else { throw .headerReserved(header.name) }
        guard !proxyOnly.contains(where: { HTTPText.same($0, header.name) }) else {
            throw .headerForProxy(header.name)
        }
        // RFC 9110 §5.5: a CR, LF or NUL in a value would end the field and begin another.
        guard header.value.utf8.allSatisfy(HTTPText.isFieldByte) else {
            throw .headerValueInvalid(header.name)
        }
    }

    /// The request as it goes on the wire.
    func bytes(key: HandshakeKey, offering offer: DeflateParameters? = nil) -> [UInt8] {
        var text = "GET \(target) HTTP/1.1\r\nHost: \(host)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        text += "Sec-WebSocket-Key: \(key.value)\r\nSec-WebSocket-Version: 13\r\n"
        if !subprotocols.isEmpty {
            text += "Sec-WebSocket-Protocol: \(subprotocols.joined(separator: ", "))\r\n"
        }
        if let offer { text += "\(WebSocketExtension.field): \(offer.text)\r\n" }
        for header in headers { text += "\(header.name): \(header.value)\r\n" }
        return Array((text + "\r\n").utf8)
    }
}

/// What a user's header or subprotocol has that it must not have.
package enum UpgradeRequestError: Error, Hashable, Sendable, CustomStringConvertible {
    case headerNameNotToken(String)
    case headerReserved(String)
    case headerForProxy(String)
    case headerValueInvalid(String)
    case subprotocolNotToken(String)
    case subprotocolTwice(String)

    package var description: String {
        switch self {
        case .headerNameNotToken(let name):
            "The header name \(name.debugDescription) is not valid; use letters, digits and hyphens."
        case .headerReserved(let name):
            "The header \(name) belongs to the WebSocket handshake; leave it out."
        case .headerForProxy(let name):
            "The header \(name) would go to the server; write user and password into the proxy's URL instead."
        case .headerValueInvalid(let name):
            "The value of the header \(name) has a control character; remove it (line ends included)."
        case .subprotocolNotToken(let name):
            "The subprotocol \(name.debugDescription) is not valid; it must be a token without blanks and commas."
        case .subprotocolTwice(let name):
            "The subprotocol \(name) is listed twice; name each once."
        }
    }
}
