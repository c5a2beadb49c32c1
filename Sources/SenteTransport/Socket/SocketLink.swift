// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket

/// A client's link over TCP: looks the name up, dials, and hands what its stream says to an observer.
///
/// ```
/// looking up ─► dialing ─► on a stream ─► over
///      └────────────┴──── failure, close(), abandon() ───┘
/// ```
final class SocketLink: TransportLink, LoopMember, LinkStreamOwner, @unchecked Sendable {
    private enum Stage {
        case lookingUp(NameLookup.Ticket?)
        case dialing(Dialer, sockets: [Int: Int32])
        case onStream(LinkStream)
        case over
    }

    private let id: LinkID
    private let loop: EventLoop
    private let request: LinkRequest
    private let lookup: NameLookup
    private var observer: (any LinkObserver)?
    private var stage = Stage.lookingUp(nil)
    private var remote: Dialer.Address?
    private var timer: (any HostTimer)?
    /// Why it ended before there was a stream; reported when the turn ends.
    private var failure: LinkFailure?

    init(
        _ id: LinkID, _ request: LinkRequest, on loop: EventLoop, lookup: NameLookup,
        observer: any LinkObserver
    ) {
        self.id = id
        self.request = request
        self.loop = loop
        self.lookup = lookup
        self.observer = observer
    }

    func start() {
        let url: WebSocketURL
        do throws(LinkFailure) {
            (url, _) = try request.parsed()
        } catch {
            return fail(error)
        }
        let port = UInt16(clamping: url.port)
        if let address = Dialer.Address(literal: url.host, port: port) { return dial([address]) }
        timer = loop.makeTimer { [unowned self] in
            fail(LinkFailure(.timedOut, "Looking up the name \(url.host) took too long."))
        }
        timer?.arm(at: request.openDeadline)
        // Strong on purpose: an unanswered lookup is bounded by the resolver, and `abandon` takes it back.
        let ticket = lookup.begin(url.host, port: port) { answer in
            self.loop.post { self.found(answer) }
        }
        stage = .lookingUp(ticket)
    }

    private func found(_ answer: NameLookup.Answer) {
        guard case .lookingUp = stage else { return }
        switch answer {
        case .success(let addresses): dial(addresses)
        case .failure(let failure): fail(failure)
        }
    }

    // MARK: - Dialing

    private func dial(_ addresses: [Dialer.Address]) {
        timer = loop.makeTimer { [unowned self] in drive { $0.timerFired(at: loop.instant) } }
        stage = .dialing(Dialer(addresses, deadline: request.openDeadline), sockets: [:])
        drive { $0.start(at: loop.instant) }
    }

    /// Lets the dialer decide, and does what it wants until it has no more to say.
    private func drive(_ decide: (inout Dialer) -> [Dialer.Effect]) {
        guard case .dialing(var dialer, var sockets) = stage else { return }
        var effects = decide(&dialer)
        var chosen: (Int32, Dialer.Address)?
        var failure: LinkFailure?
        while !effects.isEmpty {
            switch effects.removeFirst() {
            case .connect(let attempt, let address):
                do throws(LinkFailure) {
                    sockets[attempt] = try connect(to: address)
                } catch {
                    effects += dialer.failed(attempt, error.message, at: loop.instant)
                    // Without descriptors every address would fail, and not for its own sake.
                    if error.kind == .unavailable { failure = error }
                }
            case .abandon(let attempt):
                if let descriptor = sockets.removeValue(forKey: attempt) { loop.close(descriptor) }
            case .chosen(let attempt, let address):
                if let descriptor = sockets.removeValue(forKey: attempt) { chosen = (descriptor, address) }
            case .failed(let reason): failure = failure ?? reason
            }
        }
        timer?.arm(at: dialer.deadline)
        stage = .dialing(dialer, sockets: sockets)
        if let (descriptor, address) = chosen {
            begin(on: descriptor, address)
        } else if let failure {
            fail(failure)
        }
    }

    private func connect(to address: Dialer.Address) throws(LinkFailure) -> Int32 {
        let descriptor = try TCPSocket.open(family: address.family)
        do throws(LinkFailure) {
            // Even a connection that stands at once is reported as writable, so there is one way for both.
            if case .failed(let code) = TCPSocket.connect(descriptor, to: address) {
                throw Platform.failure(code, "Connecting to \(address)", kind: .unreachable)
            }
            try loop.adopt(descriptor, .write, self)
        } catch {
            Descriptor.close(descriptor)
            throw error
        }
        return descriptor
    }

    func ready(_ descriptor: Int32, _ readiness: Readiness) {
        guard case .dialing(let dialer, var sockets) = stage,
            let attempt = sockets.first(where: { $0.value == descriptor })?.key
        else { return }
        let code = TCPSocket.pendingError(descriptor)
        if code == 0, TCPSocket.isConnected(descriptor) {
            drive { $0.connected(attempt, at: loop.instant) }
        } else if code != 0 {
            let address = dialer.address(of: attempt).map { " to \($0)" } ?? ""
            sockets[attempt] = nil
            stage = .dialing(dialer, sockets: sockets)
            loop.close(descriptor)
            let problem = Platform.failure(code, "Connecting\(address)", kind: .unreachable)
            drive { $0.failed(attempt, problem.message, at: loop.instant) }
        }
    }

    private func begin(on descriptor: Int32, _ address: Dialer.Address) {
        timer = nil
        remote = address
        do throws(LinkFailure) {
            let (_, upgrade) = try request.parsed()
            var limits = LinkLimits()
            limits.message = request.messageLimit
            limits.close = request.closeLimit
            let link = Link(
                client: upgrade, key: HandshakeKey(loop.entropy), limits: limits,
                deadline: request.openDeadline)
            let stream = LinkStream(descriptor, link, on: loop, owner: self)
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
        timer = nil
        switch stage {
        case .lookingUp(let ticket?): lookup.abandon(ticket)
        case .dialing(_, let sockets): for descriptor in sockets.values { loop.close(descriptor) }
        case .lookingUp(nil), .onStream, .over: break
        }
        stage = .over
    }

    private func fail(_ failure: LinkFailure) {
        release()
        self.failure = failure
        loop.finishTurn(self)
    }

    func turnEnds() {
        guard let failure else { return }
        self.failure = nil
        let observer = observer
        self.observer = nil
        observer?.link(id, reported: [.closed(.failed(failure))])
    }

    func loopStopped() {
        stage = .over
        observer = nil
        timer = nil
    }

    // MARK: - TransportLink

    func send(_ messages: [(SendID, Message)]) {
        guard case .onStream(let stream) = stage else { return }
        stream.send(messages)
    }

    /// The stream, while there is one; on the loop.
    var stream: LinkStream? {
        if case .onStream(let stream) = stage { stream } else { nil }
    }

    func close(_ code: CloseCode, reason: String) {
        switch stage {
        case .lookingUp, .dialing: fail(LinkFailure(.lost, "The link was closed before it was open."))
        case .onStream(let stream):
            stream.setPaused(false)
            let wireCode = code.isAllowedOnWire ? code : .normal
            stream.change { link, masks, events in
                _ = link.close(
                    wireCode, reason: reason, at: self.loop.instant, masks: &masks, into: &events)
            }
        case .over: break
        }
    }

    func abandon() {
        observer = nil
        failure = nil
        if case .onStream(let stream) = stage { stream.abandon() }
        release()
    }

    func pauseReading() {
        stream?.setPaused(true)
    }

    func resumeReading() {
        stream?.setPaused(false)
    }

    // MARK: - LinkStreamOwner

    func stream(_ stream: LinkStream, wrote: [SendID], progressed: Bool, events: [LinkEvent]) {
        var reports: [LinkReport] = []
        reports.reserveCapacity(3)
        if progressed { reports.append(.progress) }
        if !wrote.isEmpty { reports.append(.wrote(wrote)) }
        var messages: [Message] = []
        messages.reserveCapacity(events.count)
        for event in events {
            if case .message(let message) = event {
                messages.append(message)
                continue
            }
            if !messages.isEmpty {
                reports.append(.received(messages))
                messages = []
            }
            if let report = report(of: event) { reports.append(report) }
        }
        if !messages.isEmpty { reports.append(.received(messages)) }
        guard !reports.isEmpty, let observer else { return }
        if reports.last?.isLast == true { self.observer = nil }
        observer.link(id, reported: reports)
    }

    private func report(of event: LinkEvent) -> LinkReport? {
        switch event {
        case .opened(var opening):
            opening.remoteAddress = remote?.description
            return .opened(opening)
        case .refused(let refusal): return .refused(refusal)
        case .closed(let end): return .closed(end)
        case .message, .requested, .pinged, .pong: return nil
        }
    }
}

extension LinkReport {
    /// Whether nothing comes after it.
    fileprivate var isLast: Bool {
        switch self {
        case .refused, .closed: true
        case .opened, .received, .progress, .wrote, .answered: false
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
        guard !parsedURL.isSecure else {
            let advice = "Secure connections (wss:) cannot be made over this transport; use a ws: URL."
            throw LinkFailure(.unavailable, advice)
        }
        do throws(UpgradeRequestError) {
            return (
                parsedURL, try UpgradeRequest(parsedURL, headers: headers, subprotocols: subprotocols)
            )
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
