// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// One request over HTTP/1.1 that is no upgrade, as it is asked for.
///
/// What an app gave is checked when it is made.
package struct HTTPExchangeRequest: Hashable, Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case put = "PUT"
    }

    package let method: Method
    /// Where it goes; `isSecure` stands for `https`.
    package let url: WebSocketURL
    package let headers: [HTTPHeader]
    package let body: [UInt8]
    /// What the body of a good answer may have at most, in bytes.
    package let limit: Int

    /// Takes an `http:` or `https:` URL and headers as somebody gave them, or says which of them cannot be used.
    package init(
        _ method: Method, _ url: String, headers: [HTTPHeader] = [], body: [UInt8] = [], limit: Int
    ) throws(HTTPExchangeError) {
        self.method = method
        self.url = try Self.url(url)
        do throws(UpgradeRequestError) {
            for header in headers { try UpgradeRequest.check(header) }
        } catch {
            throw .header(error)
        }
        self.headers = headers
        self.body = body
        self.limit = min(max(0, limit), Int.max - 1)
    }

    /// The parts of both kinds of URL are the same (RFC 6455 §3); a fragment is not sent (RFC 9110 §7.1).
    private static func url(_ text: String) throws(HTTPExchangeError) -> WebSocketURL {
        let whole = text.prefix { $0 != "#" }
        guard let colon = whole.firstIndex(of: ":") else { throw .scheme("") }
        let scheme = whole[..<colon].lowercased()
        guard scheme == "http" || scheme == "https" else { throw .scheme(scheme) }
        do throws(WebSocketURLError) {
            return try WebSocketURL("\(scheme == "https" ? "wss" : "ws")\(whole[colon...])")
        } catch {
            throw .url(error)
        }
    }

    /// The head as it goes on the wire; the connection ends with the answer.
    var head: [UInt8] {
        var text =
            "\(method.rawValue) \(url.target) HTTP/1.1\r\nHost: \(url.hostHeader)\r\nConnection: close\r\n"
        // RFC 9110 §8.6: a method that is about its content says how much there is, also when there is none.
        if method == .put { text += "Content-Length: \(body.count)\r\n" }
        for header in headers { text += "\(header.name): \(header.value)\r\n" }
        return Array((text + "\r\n").utf8)
    }
}

/// What keeps a request from being sent.
package enum HTTPExchangeError: Error, Hashable, Sendable, CustomStringConvertible {
    case scheme(String)
    case url(WebSocketURLError)
    case header(UpgradeRequestError)

    package var description: String {
        switch self {
        case .scheme(""): "The URL has no scheme; begin it with https:// or http://."
        case .scheme(let scheme): "The URL's scheme is \(scheme.debugDescription); use https or http."
        case .url(let error): error.description
        case .header(let error): error.description
        }
    }
}

/// Reads the answer to one request (RFC 9112).
///
/// A good answer (2xx) is wanted whole: where it does not say for sure where its body ends, or is cut, that is an error. Of any
/// other the body is for people, as that of a refused upgrade is.
struct HTTPExchange: Sendable {
    let request: HTTPExchangeRequest
    private let limits: LinkLimits
    private var reader: HTTPHeadReader
    private var interim = 0
    /// Set while the body is read.
    private var answer: Refusal?
    private var body: HTTPBodyReader

    init(_ request: HTTPExchangeRequest, limits: LinkLimits) {
        self.request = request
        self.limits = limits
        reader = HTTPHeadReader(.response, limits: limits)
        body = HTTPBodyReader(.none, limit: 0)
    }

    /// Takes bytes off `rest` until the answer is complete; nil when more are needed.
    mutating func read(_ rest: inout UnsafeRawBufferPointer) throws(HandshakeError) -> Refusal? {
        while answer == nil {
            guard let head = try reader.read(&rest) else { return nil }
            let status = try head.status()
            switch status {
            case 101: throw HandshakeError("the server changed to another protocol, which was not asked for")
            case 100..<200:
                interim += 1
                guard interim <= limits.interimAnswers else {
                    throw HandshakeError("the server sent more than \(limits.interimAnswers) interim answers")
                }
            default: try begin(Refusal(status: status, headers: head.headers), head)
            }
        }
        guard body.read(&rest) || isTooLarge else { return nil }
        return try whole()
    }

    private mutating func begin(_ answer: Refusal, _ head: HTTPHead) throws(HandshakeError) {
        let framing = HTTPBodyReader.Framing.of(head, status: answer.status)
        self.answer = answer
        guard answer.isGood else {
            body = HTTPBodyReader(framing, limit: limits.refusalBody)
            return
        }
        if let problem = HTTPBodyReader.Framing.problem(of: head, status: answer.status) {
            throw .malformed("nobody can tell where the answer's body ends: \(problem)")
        }
        if case .length(let length) = framing, length > request.limit { throw tooLarge }
        body = HTTPBodyReader(framing, limit: request.limit + 1)
    }

    private var isTooLarge: Bool { answer?.isGood == true && body.bytes.count > request.limit }

    private var tooLarge: HandshakeError {
        HandshakeError("the answer's body is larger than \(request.limit) bytes")
    }

    private func whole() throws(HandshakeError) -> Refusal {
        guard let known else { throw HandshakeError("the answer did not come") }
        guard known.isGood else { return known }
        guard !isTooLarge else { throw tooLarge }
        guard !body.isMalformed else { throw .malformed("the chunks of the answer's body make no sense") }
        return known
    }

    /// What has come of the answer.
    private var known: Refusal? {
        guard var answer else { return nil }
        answer.body = body.bytes
        return answer
    }

    /// What it means that nothing more will come.
    func ended() throws(HandshakeError) -> Refusal {
        guard let known else {
            throw .malformed("the server ended the connection before it answered")
        }
        guard known.isGood, !body.endsWithConnection else { return try whole() }
        throw .malformed("the connection ended before the answer's body was complete")
    }

    /// A bad answer that has come, if one has: servers that do not want the body close with our bytes unread.
    var refusal: Refusal? {
        guard let known, !known.isGood else { return nil }
        return known
    }
}
