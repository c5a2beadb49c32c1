// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// The client's side of the opening handshake: reads the server's answer (RFC 6455 §4.1).
struct ClientUpgrade: Sendable {
    enum Answer: Hashable, Sendable {
        case opened(LinkOpening, DeflateTerms?)
        case refused(Refusal)
    }

    /// The request as it goes on the wire.
    let request: [UInt8]
    private let isSecure: Bool
    private let key: HandshakeKey
    private let subprotocols: [String]
    private let compression: LinkCompression?
    private let limits: LinkLimits
    private var reader: HTTPHeadReader
    private var interim = 0
    /// Set while the body of an answer that is no upgrade is read.
    private var refusal: Refusal?
    private var body: HTTPBodyReader

    /// With `compression` permessage-deflate is offered.
    init(
        _ request: UpgradeRequest, key: HandshakeKey, compression: LinkCompression?, limits: LinkLimits
    ) {
        let offer = compression.map { DeflateParameters(offering: $0.policy) }
        self.request = request.bytes(key: key, offering: offer)
        isSecure = request.isSecure
        self.key = key
        self.compression = compression
        subprotocols = request.subprotocols
        self.limits = limits
        reader = HTTPHeadReader(.response, limits: limits)
        body = HTTPBodyReader(.none, limit: limits.refusalBody)
    }

    /// Takes bytes off `rest` until the answer is complete; nil when more are needed.
    mutating func read(_ rest: inout UnsafeRawBufferPointer) throws(HandshakeError) -> Answer? {
        while refusal == nil {
            guard let head = try reader.read(&rest) else { return nil }
            let status = try Self.status(head)
            switch status {
            case 101:
                let (subprotocol, terms) = (try check(head), try terms(head))
                return .opened(LinkOpening(subprotocol: subprotocol, isDeflated: terms != nil), terms)
            case 100..<200:
                interim += 1
                guard interim <= limits.interimAnswers else {
                    throw HandshakeError("the server sent more than \(limits.interimAnswers) interim answers")
                }
            default:
                refusal = Refusal(status: status, headers: head.headers)
                body = HTTPBodyReader(.of(head, status: status), limit: limits.refusalBody)
            }
        }
        return body.read(&rest) ? answer : nil
    }

    /// What a refusal comes to when nothing more will come in time: an answer whose body is cut is still that answer.
    var refused: LinkReport? {
        guard case .refused(let refusal) = answer else { return nil }
        return .refused(refusal)
    }

    /// What to try where the server ended the connection without a word.
    ///
    /// OpenSSL does so with HTTP on a port of TLS: it sends no alert (`SSL_R_HTTP_REQUEST`).
    var adviceOnSilence: String {
        isSecure || !reader.isUntouched ? "" : " If it expects TLS on this port, use wss: instead of ws:."
    }

    private var answer: Answer? {
        guard var refusal else { return nil }
        refusal.body = body.bytes
        return .refused(refusal)
    }

    /// HTTP/1.0 can refuse, but it cannot upgrade.
    private static func status(_ head: HTTPHead) throws(HandshakeError) -> Int {
        let status = try head.status()
        guard status >= 200 || !head.startLine.hasPrefix("HTTP/1.0") else {
            throw HandshakeError("the server answered with HTTP/1.0, which has no upgrade")
        }
        return status
    }

    /// Checks a 101 and returns the subprotocol it names.
    ///
    /// RFC 6455 §4.1, the numbered list after the request.
    private func check(_ head: HTTPHead) throws(HandshakeError) -> String? {
        // A list (RFC 9110 §7.8): saying the same twice does no harm, naming another protocol beside it does.
        let upgrade = head.values("Upgrade").flatMap(HTTPText.list)
        guard !upgrade.isEmpty, upgrade.allSatisfy({ HTTPText.same($0, "websocket") }) else {
            throw HandshakeError("the server's 101 does not say \"Upgrade: websocket\"")
        }
        guard head.lists("upgrade", in: "Connection") else {
            throw HandshakeError("the server's 101 does not say \"Connection: Upgrade\"")
        }
        guard try Self.only("Sec-WebSocket-Accept", in: head) == key.answer else {
            throw HandshakeError("the server's Sec-WebSocket-Accept does not answer our key")
        }
        // An empty one is not legal (§4.2.2), but it names no subprotocol that was not offered.
        guard let chosen = try Self.only("Sec-WebSocket-Protocol", in: head), !chosen.isEmpty else {
            return nil
        }
        guard subprotocols.contains(chosen) else {
            throw HandshakeError("the server chose a subprotocol that was not offered: \(chosen)")
        }
        return chosen
    }

    /// The value of a field that must not appear more than once (RFC 6455 §11.3.3 and §11.3.4).
    private static func only(_ name: String, in head: HTTPHead) throws(HandshakeError) -> String? {
        let values = head.values(name)
        guard values.count <= 1 else { throw .malformed("the server's 101 has \(name) more than once") }
        return values.first
    }

    /// What a 101 says of permessage-deflate.
    private func terms(_ head: HTTPHead) throws(HandshakeError) -> DeflateTerms? {
        guard let answer = WebSocketExtension.list(head.values(WebSocketExtension.field)) else {
            throw HandshakeError("the server's \(WebSocketExtension.field) is no list of extensions")
        }
        return try DeflateParameters.terms(
            of: answer, to: compression.map { DeflateParameters(offering: $0.policy) })
    }
}
