// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// The server's side of the opening handshake: reads a request and writes its answer (RFC 6455 §4.2).
struct ServerUpgrade: Sendable {
    private let limits: LinkLimits
    private var reader: HTTPHeadReader
    /// What was asked and waits for the owner's answer.
    private(set) var request: HTTPRequest?
    private var key: HandshakeKey?
    private var extensions: [WebSocketExtension] = []
    /// Bytes behind the request, which are frames if the owner accepts.
    private(set) var leftover: [UInt8] = []

    init(limits: LinkLimits) {
        self.limits = limits
        reader = HTTPHeadReader(.request, limits: limits)
    }

    /// Takes all of `rest`, which makes up the request and then what is left over.
    mutating func read(_ rest: inout UnsafeRawBufferPointer) throws(HandshakeError) {
        if request == nil {
            guard let head = try reader.read(&rest) else { return }
            request = try check(head)
        }
        guard leftover.count + rest.count <= limits.head else {
            throw HandshakeError("the client sent more than \(limits.head) bytes before it was answered")
        }
        leftover.append(contentsOf: rest)
        rest = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    private mutating func check(_ head: HTTPHead) throws(HandshakeError) -> HTTPRequest {
        let parts = head.startLine.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, HTTPText.isToken(parts[0]),
            parts[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw HandshakeError("the request line is malformed") }
        let version = Array(parts[2].utf8)
        guard version.count == 8, version.starts(with: "HTTP/1.".utf8), (0x31...0x39).contains(version[7])
        else {
            throw HandshakeError("the request is not HTTP/1.1", status: 505)
        }
        guard parts[0] == "GET" || parts[0] == "HEAD" else {
            throw HandshakeError(
                "only GET is served", status: 405, headers: [HTTPHeader("Allow", "GET, HEAD")])
        }
        let target = try Self.path(parts[1])
        guard head.values("Host").count == 1 else { throw HandshakeError("the request needs one Host field") }
        guard head.values("Transfer-Encoding").isEmpty,
            head.values("Content-Length").allSatisfy({ $0 == "0" })
        else {
            throw HandshakeError("a request with a body is not served", status: 413)
        }
        var request = HTTPRequest(method: parts[0], target: target, headers: head.headers)
        guard parts[0] == "GET", head.lists("websocket", in: "Upgrade") else { return request }
        key = try Self.checkUpgrade(head)
        guard let offered = WebSocketExtension.list(head.values(WebSocketExtension.field)) else {
            throw HandshakeError("\(WebSocketExtension.field) is not a list of extensions")
        }
        extensions = offered
        request.isUpgrade = true
        request.subprotocols = head.values("Sec-WebSocket-Protocol").flatMap(HTTPText.list)
        return request
    }

    /// Path and query of a target, which may be a whole URL (RFC 9112 §3.2.2).
    private static func path(_ target: String) throws(HandshakeError) -> String {
        if target.hasPrefix("/") { return target }
        guard let colon = target.firstIndex(of: ":"), target[colon...].hasPrefix("://"),
            let slash = target[colon...].dropFirst(3).firstIndex(of: "/")
        else { throw HandshakeError("the request target is not a path") }
        return String(target[slash...])
    }

    /// RFC 6455 §4.2.1.
    private static func checkUpgrade(_ head: HTTPHead) throws(HandshakeError) -> HandshakeKey {
        guard head.lists("upgrade", in: "Connection") else {
            throw HandshakeError("the request lacks \"Connection: Upgrade\"")
        }
        guard head.values("Sec-WebSocket-Version") == ["13"] else {
            // RFC 6455 §4.2.2 and §4.4.
            throw HandshakeError(
                "only version 13 of the WebSocket protocol is spoken here", status: 426,
                headers: [HTTPHeader("Sec-WebSocket-Version", "13"), HTTPHeader("Upgrade", "websocket")])
        }
        let keys = head.values("Sec-WebSocket-Key")
        guard keys.count == 1, let key = HandshakeKey(keys[0]) else {
            throw HandshakeError("Sec-WebSocket-Key is not base64 of sixteen bytes")
        }
        guard
            head.values("Sec-WebSocket-Protocol").flatMap(HTTPText.list).allSatisfy({ HTTPText.isToken($0) })
        else {
            throw HandshakeError("Sec-WebSocket-Protocol is not a list of tokens")
        }
        return key
    }

    /// The 101 and what it agrees to; nil when the request is none that can be accepted like this.
    func accept(
        subprotocol: String?, headers: [HTTPHeader], compression: CompressionPolicy?
    ) -> (answer: [UInt8], terms: DeflateTerms?)? {
        guard let request, request.isUpgrade, let key, Self.areValid(headers) else { return nil }
        var fields = [
            HTTPHeader("Upgrade", "websocket"), HTTPHeader("Connection", "Upgrade"),
            HTTPHeader("Sec-WebSocket-Accept", key.answer),
        ]
        if let subprotocol {
            guard request.subprotocols.contains(subprotocol) else { return nil }
            fields.append(HTTPHeader("Sec-WebSocket-Protocol", subprotocol))
        }
        let deflate = compression.flatMap { DeflateParameters.accept(extensions, by: $0) }
        if let deflate { fields.append(HTTPHeader(WebSocketExtension.field, deflate.answer.text)) }
        return (Self.bytes(status: 101, headers: fields + headers, body: []), deflate?.terms)
    }

    /// A plain answer, the last on its connection; nil when it cannot be written like this.
    func respond(status: Int, headers: [HTTPHeader], body: [UInt8]) -> [UInt8]? {
        guard (200...599).contains(status), Self.areValid(headers) else { return nil }
        let length = HTTPHeader("Content-Length", String(body.count))
        let fields = headers + [length, HTTPHeader("Connection", "close")]
        return Self.bytes(status: status, headers: fields, body: request?.method == "HEAD" ? [] : body)
    }

    private static func areValid(_ headers: [HTTPHeader]) -> Bool {
        headers.allSatisfy { HTTPText.isToken($0.name) && $0.value.utf8.allSatisfy(HTTPText.isFieldByte) }
    }

    private static func bytes(status: Int, headers: [HTTPHeader], body: [UInt8]) -> [UInt8] {
        var text = "HTTP/1.1 \(status) \(reason(status))\r\n"
        for header in headers { text += "\(header.name): \(header.value)\r\n" }
        return Array((text + "\r\n").utf8) + body
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 101: "Switching Protocols"
        case 200: "OK"
        case 302: "Found"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 413: "Content Too Large"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: ""
        }
    }
}
