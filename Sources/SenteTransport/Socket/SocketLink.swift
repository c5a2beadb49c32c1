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
    private var observer: (any LinkObserver)?
    private var stage = Stage.over
    /// Nil once it is open.
    private var route: LinkRoute?

    init(
        _ id: LinkID, _ request: LinkRequest, on loop: EventLoop, lookup: NameLookup,
        environment: ProxyEnvironment, contexts: TLSContexts, memory: LockedValue<Dialer.Memory>,
        observer: any LinkObserver
    ) {
        self.id = id
        self.loop = loop
        self.observer = observer
        route = LinkRoute(
            request, lookup: lookup, environment: environment, contexts: contexts, memory: memory)
    }

    func start() {
        guard let route else { return }
        do throws(LinkFailure) {
            let (url, upgrade) = try route.request.parsed()
            route.redirects = Redirects(url, headers: upgrade.headers)
            try dial(url, by: route)
        } catch {
            fail(error)
        }
    }

    // MARK: - Dialing

    /// Dials the server, or the proxy that leads to it.
    private func dial(_ url: WebSocketURL, by route: LinkRoute) throws(LinkFailure) {
        do throws(ProxyServerError) {
            route.proxy = try route.request.proxy.server(for: url, environment: route.environment)
        } catch {
            throw LinkFailure(.proxy(.unusable), error.description)
        }
        route.dials += 1
        route.role = nil
        if url.isSecure { prepare(url, route) } else { dialNow(url, by: route) }
    }

    /// Makes the context for TLS, unless it is there.
    private func prepare(_ url: WebSocketURL, _ route: LinkRoute) {
        let target = TLSTarget(host: url.host, port: url.port)
        if let context = route.contexts.ready(route.request.tls) {
            route.role = .connecting(to: target, context)
            return dialNow(url, by: route)
        }
        stage = .preparing
        route.timer = loop.makeTimer { [unowned self] in
            fail(LinkFailure(.timedOut, "Reading the certificate authorities took too long."))
        }
        route.timer?.arm(at: route.request.openDeadline)
        // Strong on purpose: files are read in bounded time.
        route.contexts.begin(route.request.tls) { [dials = route.dials] answer in
            self.loop.post {
                guard let route = self.route, route.dials == dials, case .preparing = self.stage else {
                    return
                }
                switch answer {
                case .success(let context):
                    route.role = .connecting(to: target, context)
                    self.dialNow(url, by: route)
                case .failure(let failure): self.fail(failure)
                }
            }
        }
    }

    private func dialNow(_ url: WebSocketURL, by route: LinkRoute) {
        route.timer = nil
        stage = .dialing
        let host = route.host(for: url)
        let avoided = route.memory.withLock { $0.avoided(of: host, at: loop.instant) }
        let dialer = SocketDialer(
            host, port: UInt16(clamping: route.proxy?.port ?? url.port), avoiding: avoided,
            until: route.request.openDeadline, on: loop, lookup: route.lookup, owner: self)
        route.dialer = dialer
        dialer.start()
    }

    func dialed(_ result: Result<(descriptor: Int32, address: Dialer.Address), LinkFailure>) {
        guard let route, case .dialing = stage else { return }
        switch result {
        case .success(let (descriptor, address)): begin(on: descriptor, address, route)
        case .failure(let failure): fail(route.proxy.map { failure.isOf($0) } ?? failure)
        }
    }

    private func begin(on descriptor: Int32, _ address: Dialer.Address, _ route: LinkRoute) {
        guard let redirects = route.redirects else { return }
        route.remote = address
        route.unproven = (address, route.host(for: redirects.url))
        do throws(LinkFailure) {
            let link = try route.link(at: redirects, loop.entropy)
            let stream = LinkStream(descriptor, link, route.role, on: loop, owner: self)
            stage = .onStream(stream)
            loop.pass(descriptor, to: stream, .read)
            stream.askToFinish()
        } catch {
            loop.close(descriptor)
            fail(error)
        }
    }

    // MARK: - Ending

    /// Gives back what the stages before the stream hold.
    private func release() {
        route?.timer = nil
        route?.dialer?.abandon()
        stage = .over
    }

    private func fail(_ failure: LinkFailure) {
        release()
        route?.failure = failure
        loop.finishTurn(self)
    }

    /// Descriptors are the dialer's, and then the stream's.
    func ready(_ descriptor: Int32, _ readiness: Readiness) {}

    func turnEnds() {
        guard let failure = route?.failure else { return }
        route?.failure = nil
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
            route?.unproven = nil
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
        if let route {
            let now = loop.instant
            // Who gives up sooner says nothing of the address.
            if now >= route.request.openDeadline { route.judgeAddress(isGood: false, at: now) }
            route.failure = nil
        }
        observer = nil
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
        if let route {
            if case .refused(var refusal) = last, route.request.exchange == nil {
                if isRedirected(&refusal, route) { return }
                reports[reports.count - 1] = .refused(refusal)
            }
            noteEnd(of: route, in: &reports)
        }
        guard let observer else { return }
        if last.isLast { self.observer = nil }
        observer.link(id, reported: reports)
    }

    /// Whether the way led to what was asked for: an open link, or an answer.
    private func noteEnd(of route: LinkRoute, in reports: inout [LinkReport]) {
        let now = loop.instant
        if let index = reports.firstIndex(where: \.isOpened), case .opened(var opening) = reports[index] {
            route.judgeAddress(isGood: true, at: now)
            opening.remoteAddress = route.remote?.description
            reports[index] = .opened(opening)
            self.route = nil
        }
        switch reports.last {
        case .refused?: route.judgeAddress(isGood: route.request.exchange != nil, at: now)
        case .closed?: route.judgeAddress(isGood: false, at: now)
        default: break
        }
    }

    /// Whether it goes where the answer points; if it must not, the answer says why.
    private func isRedirected(_ refusal: inout Refusal, _ route: LinkRoute) -> Bool {
        switch route.redirects?.follow(refusal) {
        case .follow?: break
        case .refuse(let problem)?:
            refusal.problem = problem
            return false
        case .none?, nil: return false
        }
        route.unproven = nil
        stream?.abandon()
        do throws(LinkFailure) {
            if let url = route.redirects?.url { try dial(url, by: route) }
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
