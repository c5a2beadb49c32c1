// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteSocket

/// Links without sockets, for tests: each is joined, message by message, to a peer that the test scripts.
///
/// Runs on any host. Whatever happens within one turn of the host is reported in one batch on the next.
package struct InMemoryTransport: Transport {
    /// Called on the host for each link, before anything is reported of it.
    package typealias Welcome = @Sendable (InMemoryPeer) -> Void

    private let welcome: Welcome

    package init(welcome: @escaping Welcome) {
        self.welcome = welcome
    }

    package func open(
        _ id: LinkID, _ request: LinkRequest, on host: any Host, observer: any LinkObserver
    ) -> any TransportLink {
        let peer = InMemoryPeer(id, request, host, observer)
        host.post { welcome(peer) }
        return InMemoryLink(peer)
    }
}

/// The far end of an in-memory link.
///
/// Use it on the host's thread only.
package final class InMemoryPeer: @unchecked Sendable {
    /// The link this is the peer of.
    package let id: LinkID
    /// What the link asked for.
    package let request: LinkRequest
    /// Told of every batch of messages the link sends.
    package var onMessages: (([Message]) -> Void)?
    /// Told that the link is being closed, a message beyond its limit included; answers with a close frame of the same code when nil.
    package var onClose: ((CloseCode, String) -> Void)?
    /// Told that the link was abandoned, of which a peer hears nothing but TCP's end.
    package var onAbandon: (() -> Void)?
    /// Whether it answers WebSocket pings, as every WebSocket does whose other end is alive.
    package var answersPings = true
    /// Whether the link was abandoned.
    package private(set) var isAbandoned = false
    /// Whether the link is not reading; what is sent meanwhile arrives when it reads again.
    package fileprivate(set) var isPaused = false

    private let host: any Host
    private var observer: (any LinkObserver)?
    private var reports: [LinkReport] = []
    private var held: [Message] = []
    private var isScheduled = false
    private var isOpen = false
    private var isOver = false
    private var sent: [Transmission] = []

    fileprivate init(_ id: LinkID, _ request: LinkRequest, _ host: any Host, _ observer: any LinkObserver) {
        self.id = id
        self.request = request
        self.host = host
        self.observer = observer
    }

    /// Accepts the link.
    package func open(subprotocol: String? = nil) {
        guard !isOpen else { return }
        isOpen = true
        report(.opened(LinkOpening(subprotocol: subprotocol, remoteAddress: "memory")))
    }

    /// Answers the opening handshake with plain HTTP.
    package func refuse(_ refusal: Refusal) {
        end(.refused(refusal))
    }

    /// Sends messages to the link; one beyond its incoming limit ends it with 1009.
    package func send(_ messages: [Message]) {
        guard isOpen else { return }
        if isPaused { held += messages } else { deliver(messages) }
    }

    /// Ends the link with a close frame.
    package func close(_ code: CloseCode = .normal, reason: String = "") {
        end(.closed(.closed(code: code, reason: reason)))
    }

    /// Ends the link without one.
    package func fail(_ failure: LinkFailure = LinkFailure(.lost, "The connection was cut.")) {
        end(.closed(.failed(failure)))
    }

    // MARK: The link's side

    fileprivate func take(_ messages: [Transmission]) {
        guard isOpen, !isOver else { return }
        sent += messages.filter { $0.message.bytes.count <= request.messageLimits.outgoing }
        schedule()
    }

    fileprivate func pinged() {
        guard isOpen, !isPaused, answersPings else { return }
        report(.progress)
    }

    fileprivate func closeAsked(_ code: CloseCode, _ reason: String) {
        guard !isOver else { return }
        guard isOpen else { return fail(LinkFailure(.lost, "The link was closed before it was open.")) }
        if let onClose { onClose(code, reason) } else { close(code, reason: reason) }
    }

    fileprivate func abandon() {
        guard !isAbandoned else { return }
        isAbandoned = true
        let wasOver = isOver
        isOver = true
        observer = nil
        if !wasOver { onAbandon?() }
    }

    fileprivate func resume() {
        isPaused = false
        let waiting = held
        held = []
        if !waiting.isEmpty { deliver(waiting) }
    }

    // MARK: Reporting

    private func deliver(_ messages: [Message]) {
        guard !isOver else { return }
        let limit = request.messageLimits.incoming
        let fitting = messages.prefix { $0.bytes.count <= limit }
        report(.progress)
        if !fitting.isEmpty { report(.received(Array(fitting))) }
        guard fitting.count < messages.count else { return }
        let failure = LinkFailure.messageTooBig(limit: limit)
        end(.closed(.failed(failure)))
        onClose?(.messageTooBig, failure.message)
    }

    private func end(_ last: LinkReport) {
        report(last)
        isOver = true
    }

    private func report(_ report: LinkReport) {
        guard !isOver else { return }
        if report == .progress, reports.contains(.progress) { return }
        reports.append(report)
        schedule()
    }

    private func schedule() {
        guard !isScheduled else { return }
        isScheduled = true
        host.post { self.flush() }
    }

    private func flush() {
        isScheduled = false
        let (messages, batch) = (sent, reports)
        sent = []
        reports = []
        let written = messages.isEmpty ? [] : [LinkReport.wrote(messages.map(\.id))]
        let all = written + batch
        let observer = observer
        if isOver { self.observer = nil }
        if !all.isEmpty { observer?.link(id, reported: all) }
        if !messages.isEmpty { onMessages?(messages.map(\.message)) }
    }
}

/// The near end of an in-memory link.
private final class InMemoryLink: TransportLink {
    private let peer: InMemoryPeer

    init(_ peer: InMemoryPeer) {
        self.peer = peer
    }

    func send(_ messages: [Transmission]) { peer.take(messages) }
    func close(_ code: CloseCode, reason: String) { peer.closeAsked(code, reason) }
    func abandon() { peer.abandon() }
    func ping() { peer.pinged() }
    func pauseReading() { peer.isPaused = true }
    func resumeReading() { peer.resume() }
}
