// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket

/// A client's link over TCP: dials the server or its proxy, and hands what its stream says to an observer.
///
/// ```
/// preparing TLS ─► dialing ─► on a stream ─► over
///       ▲ └───────────┴────────┼─ failure, close(), abandon() ─┘
///       └────── redirect ──────┘
/// ```
final class SocketLink: TransportLink, LoopMember, SocketDialerOwner, LinkStreamOwner, @unchecked Sendable {
    private enum Stage {
        /// Only for `wss:`, until its context has been made.
        case preparing
        case dialing
        case onStream(LinkStream)
        case over
    }

    private let id: LinkID
    private let loop: EventLoop
    private let request: LinkRequest
    private let lookup: NameLookup
    private let environment: ProxyEnvironment
    private let contexts: TLSContexts
    private let memory: LockedValue<Dialer.Memory>
    private var observer: (any LinkObserver)?
    private var stage = Stage.over
    /// Where it goes; nil before the start.
    private var redirects: Redirects?
    private var proxy: ProxyServer?
    /// Nil for `ws:`.
    private var role: TLSRole?
    /// How many times it was dialed, so that a late answer to an earlier time changes nothing.
    private var dials = 0
    /// Weak: it lives by its lookups and sockets, and keeps this link meanwhile.
    private weak var dialer: SocketDialer?
    private var remote: Dialer.Address?
    private var isOpened = false
    /// The address that the stream leads to while nobody knows whether a WebSocket server stands there, and its name.
    private var unproven: (address: Dialer.Address, name: String)?
    private var timer: (any HostTimer)?
    /// Why it ended before there was a stream; reported when the turn ends.
    private var failure: LinkFailure?

    init(
        _ id: LinkID, _ request: LinkRequest, on loop: EventLoop, lookup: NameLookup,
        environment: ProxyEnvironment, contexts: TLSContexts, memory: LockedValue<Dialer.Memory>,
        observer: any LinkObserver
    ) {
        self.id = id
        self.request = request
        self.loop = loop
        self.lookup = lookup
        self.environment = environment
        self.contexts = contexts
        self.memory = memory
        self.observer = observer
    }

    func start() {
        do throws(LinkFailure) {
            let (url, upgrade) = try request.parsed()
            redirects = Redirects(url, headers: upgrade.headers)
            try dial(url)
        } catch {
            fail(error)
        }
    }

    // MARK: - Dialing

    /// Dials the server, or the proxy that leads to it.
    private func dial(_ url: WebSocketURL) throws(LinkFailure) {
        do throws(ProxyServerError) {
            proxy = try request.proxy.server(for: url, environment: environment)
        } catch {
            throw LinkFailure(.proxy(.unusable), error.description)
        }
        dials += 1
        role = nil
        if url.isSecure { prepare(url) } else { dialNow(url) }
    }

    /// Makes the context for TLS, unless it is there.
    private func prepare(_ url: WebSocketURL) {
        let target = TLSTarget(host: url.host, port: url.port)
        if let context = contexts.ready(request.tls) {
            role = .connecting(to: target, context)
            return dialNow(url)
        }
        stage = .preparing
        timer = loop.makeTimer { [unowned self] in
            fail(LinkFailure(.timedOut, "Reading the certificate authorities took too long."))
        }
        timer?.arm(at: request.openDeadline)
        // Strong on purpose: files are read in bounded time.
        contexts.begin(request.tls) { [dials] answer in
            self.loop.post {
                guard self.dials == dials, case .preparing = self.stage else { return }
                switch answer {
                case .success(let context):
                    self.role = .connecting(to: target, context)
                    self.dialNow(url)
                case .failure(let failure): self.fail(failure)
                }
            }
        }
    }

    private func dialNow(_ url: WebSocketURL) {
        timer = nil
        stage = .dialing
        let host = proxy?.host ?? url.host
        let avoided = memory.withLock { $0.avoided(of: host, at: loop.instant) }
        let dialer = SocketDialer(
            host, port: UInt16(clamping: proxy?.port ?? url.port), avoiding: avoided,
            until: request.openDeadline, on: loop, lookup: lookup, owner: self)
        self.dialer = dialer
        dialer.start()
    }

    func dialed(_ result: Result<(descriptor: Int32, address: Dialer.Address), LinkFailure>) {
        guard case .dialing = stage else { return }
        switch result {
        case .success(let (descriptor, address)): begin(on: descriptor, address)
        case .failure(let failure): fail(proxy.map { failure.isOf($0) } ?? failure)
        }
    }

    private func begin(on descriptor: Int32, _ address: Dialer.Address) {
        remote = address
        if let url = redirects?.url { unproven = (address, proxy?.host ?? url.host) }
        do throws(LinkFailure) {
            guard let redirects else { return }
            var limits = LinkLimits()
            limits.message = request.messageLimits
            limits.close = request.closeLimit
            let link = try link(at: redirects, limits)
            let stream = LinkStream(descriptor, link, role, on: loop, owner: self)
            stage = .onStream(stream)
            loop.pass(descriptor, to: stream, .read)
            stream.askToFinish()
        } catch {
            loop.close(descriptor)
            fail(error)
        }
    }

    private func link(at place: Redirects, _ limits: LinkLimits) throws(LinkFailure) -> Link {
        let url = place.url
        let proxy = proxy.map { ProxyStage($0, host: url.host, port: url.port, limits: limits) }
        if let exchange = request.exchange {
            return Link(
                exchange: exchange, limits: limits, proxy: proxy, isSecure: role != nil,
                deadline: request.openDeadline)
        }
        return Link(
            client: try request.upgrade(at: url, headers: place.headers),
            key: HandshakeKey(loop.entropy),
            limits: limits,
            mode: request.payload,
            compression: .system(request.compression),
            proxy: proxy,
            isSecure: role != nil,
            deadline: request.openDeadline)
    }

    // MARK: - Ending

    /// Gives back what the stages before the stream hold.
    private func release() {
        timer = nil
        dialer?.abandon()
        stage = .over
    }

    private func fail(_ failure: LinkFailure) {
        release()
        self.failure = failure
        loop.finishTurn(self)
    }

    /// Remembers whether the address led to a WebSocket, once for each time it was dialed.
    private func judgeAddress(isGood: Bool) {
        guard let (address, name) = unproven else { return }
        unproven = nil
        memory.withLock { memory in
            if isGood {
                memory.ledOn(address, of: name)
            } else {
                memory.ledNowhere(address, of: name, at: loop.instant)
            }
        }
    }

    /// Descriptors are the dialer's, and then the stream's.
    func ready(_ descriptor: Int32, _ readiness: Readiness) {}

    func turnEnds() {
        guard let failure else { return }
        self.failure = nil
        let observer = observer
        self.observer = nil
        observer?.link(id, reported: [.closed(.failed(failure))])
    }

    func loopStopped() {
        release()
        observer = nil
    }

    // MARK: - TransportLink

    func send(_ messages: [Transmission]) {
        guard case .onStream(let stream) = stage else { return }
        stream.send(messages)
    }

    /// The stream, while there is one; on the loop.
    var stream: LinkStream? {
        if case .onStream(let stream) = stage { stream } else { nil }
    }

    func close(_ code: CloseCode, reason: String) {
        switch stage {
        case .preparing, .dialing: fail(LinkFailure(.lost, "The link was closed before it was open."))
        case .onStream(let stream):
            unproven = nil
            stream.setPaused(false)
            let wireCode = code.isAllowedOnWire ? code : .normal
            stream.change { link, masks, reports in
                _ = link.close(
                    wireCode, reason: reason, at: self.loop.instant, masks: &masks, into: &reports)
            }
        case .over: break
        }
    }

    func abandon() {
        // Who gives up sooner says nothing of the address.
        if loop.instant >= request.openDeadline { judgeAddress(isGood: false) }
        observer = nil
        failure = nil
        if case .onStream(let stream) = stage { stream.abandon() }
        release()
    }

    func ping() {
        stream?.change { link, masks, _ in _ = link.ping(masks: &masks) }
    }

    var loss: Double? { stream?.loss }

    func pauseReading() {
        stream?.setPaused(true)
    }

    func resumeReading() {
        stream?.setPaused(false)
    }

    // MARK: - LinkStreamOwner

    func stream(_ stream: LinkStream, reported reports: inout [LinkReport]) {
        guard let last = reports.last else { return }
        if case .refused = last, request.exchange != nil {
            judgeAddress(isGood: true)
        } else if case .refused(var refusal) = last {
            if isRedirected(&refusal) { return }
            reports[reports.count - 1] = .refused(refusal)
        }
        if !isOpened, let index = reports.firstIndex(where: \.isOpened),
            case .opened(var opening) = reports[index]
        {
            isOpened = true
            judgeAddress(isGood: true)
            opening.remoteAddress = remote?.description
            reports[index] = .opened(opening)
        }
        if last.isLast { judgeAddress(isGood: false) }
        guard let observer else { return }
        if last.isLast { self.observer = nil }
        observer.link(id, reported: reports)
    }

    /// Whether it goes where the answer points; if it must not, the answer says why.
    private func isRedirected(_ refusal: inout Refusal) -> Bool {
        switch redirects?.follow(refusal) {
        case .follow?: break
        case .refuse(let problem)?:
            refusal.problem = problem
            return false
        case .none?, nil: return false
        }
        unproven = nil
        stream?.abandon()
        do throws(LinkFailure) {
            if let url = redirects?.url { try dial(url) }
        } catch {
            fail(error)
        }
        return true
    }
}

extension LinkReport {
    fileprivate var isOpened: Bool { if case .opened = self { true } else { false } }
}

extension LinkFailure {
    /// What kept a link from reaching its proxy, so that nobody looks for the fault at the server.
    fileprivate func isOf(_ proxy: ProxyServer) -> LinkFailure {
        switch kind {
        case .nameNotFound, .unreachable, .timedOut:
            LinkFailure(.proxy(.unreachable), "The proxy \(proxy) cannot be reached. \(message)")
        default: self
        }
    }
}

extension LinkRequest {
    /// The URL and the handshake's request, or what is wrong with what the user gave.
    func parsed() throws(LinkFailure) -> (WebSocketURL, UpgradeRequest) {
        let parsedURL: WebSocketURL
        do throws(WebSocketURLError) {
            parsedURL = try WebSocketURL(url)
        } catch {
            throw LinkFailure(.unavailable, error.description)
        }
        if case .url(let text, _) = proxy {
            do throws(ProxyServerError) {
                _ = try ProxyServer(text)
            } catch {
                throw LinkFailure(.proxy(.unusable), error.description)
            }
        }
        return (parsedURL, try upgrade(at: parsedURL, headers: headers))
    }

    /// The request for a place that a redirect may have led to.
    func upgrade(at url: WebSocketURL, headers: [HTTPHeader]) throws(LinkFailure) -> UpgradeRequest {
        do throws(UpgradeRequestError) {
            return try UpgradeRequest(url, headers: headers, subprotocols: subprotocols)
        } catch {
            throw LinkFailure(.unavailable, error.description)
        }
    }

    /// Why the link could never be opened, as a sentence that says what to change; nil when nothing is wrong.
    package var problem: String? {
        do throws(LinkFailure) {
            _ = try parsed()
            return nil
        } catch {
            return error.message
        }
    }
}
