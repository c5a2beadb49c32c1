// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What stands before frames: a proxy is asked for the way to the server, TLS begins, HTTP is upgraded, or is all there is.
///
///     client  proxying ─▶ securing ─▶ upgrading ──101──▶ opened
///                                 └─▶ exchanging ─answer─▶ over
///     server              securing ─▶ serving ─accept()─▶ opened
///
/// TLS is no value: while `isSecuring`, the owner of the link has a filter make the handshake. Bytes that come
/// meanwhile stay unread, and `secured` goes on.
///
/// Indirect, for a link that is open has no more of it than a word.
indirect enum Opening: Sendable {
    /// Client: the proxy has not agreed yet. Can move to: securing, upgrading, exchanging.
    case proxying(ProxyStage, Purpose, isSecure: Bool)
    /// The owner's filter makes the TLS handshake. Can move to: upgrading, exchanging, serving.
    case securing(Purpose)
    /// Client: the request is written, the answer has not come.
    case upgrading(ClientUpgrade)
    /// Client: a request that is no upgrade is being written, the answer has not come whole.
    case exchanging(HTTPExchange)
    /// Server: the request, or the owner's answer to it, has not come.
    case serving(ServerUpgrade)

    /// What the connection is for.
    enum Purpose: Sendable {
        case client(ClientUpgrade)
        case exchange(HTTPExchange)
        case server(ServerUpgrade)
    }

    /// What the opening has come to.
    enum Outcome: Sendable {
        /// Frames may flow.
        case opened(LinkOpening, DeflateTerms?)
        /// The link is over.
        case failed(LinkReport)
        /// Server: a wrong request was answered, and the answer has to get out.
        case answered(LinkReport)
    }

    /// A client's; its output begins with the request, or with what it asks its proxy.
    init(
        _ purpose: Purpose, by proxy: ProxyStage?, isSecure: Bool, into output: inout OutputBuffer
    ) {
        if let proxy {
            self = .proxying(proxy, purpose, isSecure: isSecure)
            output.append(proxy.opening)
        } else {
            self = .securing(purpose)
            if !isSecure { secured(into: &output) }
        }
    }

    /// A server's.
    init(_ upgrade: ServerUpgrade, isSecure: Bool) {
        self = isSecure ? .securing(.server(upgrade)) : .serving(upgrade)
    }

    var isSecuring: Bool { if case .securing = self { true } else { false } }

    /// The filter has made its handshake.
    mutating func secured(into output: inout OutputBuffer) {
        guard case .securing(let purpose) = self else { return }
        switch purpose {
        case .client(let upgrade):
            output.append(upgrade.request)
            self = .upgrading(upgrade)
        case .exchange(let exchange):
            output.append(exchange.request.head)
            output.append(exchange.request.body)
            self = .exchanging(exchange)
        case .server(let upgrade): self = .serving(upgrade)
        }
    }

    /// Takes bytes off `rest` as far as they belong to the opening; nil when more are needed.
    mutating func read(_ rest: inout UnsafeRawBufferPointer, into output: inout OutputBuffer) -> Outcome? {
        if case .proxying = self, let failure = askProxy(&rest, &output) { return .failed(failure) }
        // Consumed, so that what has come of a head is added to and not copied.
        switch consume self {
        case .upgrading(var upgrade):
            let outcome = Self.outcome(of: &upgrade, &rest)
            self = .upgrading(upgrade)
            return outcome
        case .exchanging(var exchange):
            let outcome = Self.outcome(of: &exchange, &rest)
            self = .exchanging(exchange)
            return outcome
        case .serving(var upgrade):
            let outcome = Self.outcome(of: &upgrade, &rest, &output)
            self = .serving(upgrade)
            return outcome
        case .proxying(let proxy, let purpose, let isSecure):
            self = .proxying(proxy, purpose, isSecure: isSecure)
        case .securing(let purpose): self = .securing(purpose)
        }
        return nil
    }

    private mutating func askProxy(
        _ rest: inout UnsafeRawBufferPointer, _ output: inout OutputBuffer
    ) -> LinkReport? {
        do throws(LinkFailure) {
            while case .proxying(var proxy, let purpose, let isSecure) = self {
                let step = try proxy.read(&rest)
                self = .proxying(proxy, purpose, isSecure: isSecure)
                switch step {
                case nil: return nil
                case .write(let bytes): output.append(bytes)
                case .through:
                    // No server speaks before TLS does, and no proxy agrees before it was asked; what is left of either would
                    // be taken for a part of TLS.
                    if isSecure, !rest.isEmpty || output.count > 0 { throw proxy.talkative }
                    self = .securing(purpose)
                    if !isSecure { secured(into: &output) }
                }
            }
        } catch {
            return .closed(.failed(error))
        }
        return nil
    }

    private static func outcome(
        of upgrade: inout ClientUpgrade, _ rest: inout UnsafeRawBufferPointer
    ) -> Outcome? {
        do throws(HandshakeError) {
            switch try upgrade.read(&rest) {
            case .opened(let opening, let terms): return .opened(opening, terms)
            case .refused(let refusal): return .failed(.refused(refusal))
            case nil: return nil
            }
        } catch {
            return .failed(
                .closed(.failed(LinkFailure(error.kind, "The handshake failed: \(error.message)."))))
        }
    }

    private static func outcome(
        of exchange: inout HTTPExchange, _ rest: inout UnsafeRawBufferPointer
    ) -> Outcome? {
        do throws(HandshakeError) {
            return try exchange.read(&rest).map { .failed(.refused($0)) }
        } catch {
            return .failed(unusable(error))
        }
    }

    private static func unusable(_ error: HandshakeError) -> LinkReport {
        .closed(.failed(LinkFailure(error.kind, "The server's answer cannot be used: \(error.message).")))
    }

    private static func outcome(
        of upgrade: inout ServerUpgrade, _ rest: inout UnsafeRawBufferPointer, _ output: inout OutputBuffer
    ) -> Outcome? {
        do throws(HandshakeError) {
            try upgrade.read(&rest)
            return nil
        } catch {
            let answer = upgrade.respond(
                status: error.status, headers: error.headers + [HTTPHeader("Content-Type", "text/plain")],
                body: Array("\(error.message)\n".utf8))
            if let answer { output.append(answer) }
            let message = "The client's handshake was refused: \(error.message)."
            return .answered(.closed(.failed(LinkFailure(.badHandshake, message))))
        }
    }

    // MARK: - Ends

    /// What it means that the peer ended its half of TCP; nil where that is no end.
    func ended() -> LinkReport? {
        switch self {
        case .proxying(let proxy, _, _): return .closed(.failed(proxy.ended))
        case .securing: return .lost("The peer ended the connection during the TLS handshake.")
        case .upgrading(let upgrade):
            return upgrade.refused
                ?? .lost(
                    "The server ended the connection before it answered the handshake."
                        + upgrade.adviceOnSilence)
        case .exchanging(let exchange):
            do throws(HandshakeError) {
                return .refused(try exchange.ended())
            } catch {
                return Self.unusable(error)
            }
        case .serving(let upgrade):
            // A client that asked for a page may have shut down its writing half; it still gets its answer.
            if let request = upgrade.request, !request.isUpgrade { return nil }
            return .lost("The client ended the connection during the handshake.")
        }
    }

    /// What it means that the connection failed.
    func failed(_ failure: LinkFailure) -> LinkReport {
        switch self {
        case .proxying(let proxy, _, _): .closed(.failed(proxy.ended))
        // Servers that close with our bytes unread reset the connection behind their answer.
        case .upgrading(let upgrade):
            upgrade.refused ?? .closed(.failed(failure.advising(upgrade.adviceOnSilence)))
        case .exchanging(let exchange): exchange.refusal.map { .refused($0) } ?? .closed(.failed(failure))
        case .securing, .serving: .closed(.failed(failure))
        }
    }

    /// What it means that the limit has passed.
    func timedOut() -> LinkReport {
        switch self {
        case .proxying(let proxy, _, _): .closed(.failed(proxy.timedOut))
        case .securing: Self.late("The TLS handshake took too long.")
        case .upgrading(let upgrade):
            upgrade.refused ?? Self.late("The server did not answer the WebSocket handshake in time.")
        case .exchanging(let exchange):
            exchange.refusal.map { .refused($0) } ?? Self.late("The server did not answer in time.")
        case .serving: Self.late("The opening handshake took too long.")
        }
    }

    private static func late(_ message: String) -> LinkReport {
        .closed(.failed(LinkFailure(.timedOut, message)))
    }
}

extension LinkReport {
    static func lost(_ message: String) -> LinkReport { .closed(.failed(LinkFailure(.lost, message))) }
}

extension LinkFailure {
    fileprivate func advising(_ advice: String) -> LinkFailure {
        var failure = self
        failure.message += advice
        return failure
    }
}
