// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteSocket
import SenteTransport

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// One task of Foundation's, on its host's thread.
///
/// ```
/// opening ──didOpen──▶ open ──close()──▶ closing
///    └────────────┬──────┴──────────────────┘
///               over: once, whichever of Foundation's words comes first
/// ```
///
/// Foundation tells of an end in up to four ways (a failed receive, a failed send, `didClose`, `didComplete`), in no promised order,
/// and not always in all of them. The first that says how it ended is the end; one that says only that it ended waits a moment for
/// one that knows more.
final class URLSessionLink: TransportLink, @unchecked Sendable {
    private enum Stage {
        case opening, open, closing, over
    }

    /// How long an end without a reason waits for one.
    private static let grace: Duration = .milliseconds(250)

    private let id: LinkID
    private let request: LinkRequest
    private let configuration: URLSessionConfiguration
    private let host: any SenteTransport.Host
    private var observer: (any LinkObserver)?
    private var stage = Stage.opening
    private var redirects: Redirects?
    private var relay: URLSessionRelay?
    private var session: URLSession?
    private var task: URLSessionWebSocketTask?
    private var timer: (any HostTimer)?
    private var isReceiving = false
    private var isPaused = false
    /// What came while reading was paused.
    private var held: Message?
    /// How many sends Foundation has not confirmed.
    private var unsent = 0
    /// The close frame that goes out when all is sent.
    private var closeFrame: (code: CloseCode, reason: String)?
    /// The server was at fault, and is told so.
    private var saysWhy = false
    /// The first word of an end, while a better one is awaited.
    private var firstError: (any Error)?

    init(
        _ id: LinkID, _ request: LinkRequest, _ configuration: URLSessionConfiguration,
        on host: any SenteTransport.Host, observer: any LinkObserver
    ) {
        self.id = id
        self.request = request
        self.configuration = configuration
        self.host = host
        self.observer = observer
    }

    func start() {
        arm(at: request.openDeadline)
        begin { () throws(LinkFailure) in
            let place = try request.redirects()
            try request.tls.checkForURLSession()
            redirects = place
            return place
        }
    }

    /// Asks at the place where the handshake has got to.
    private func begin(_ place: () throws(LinkFailure) -> Redirects) {
        let relay = URLSessionRelay(self, request.tls, host)
        self.relay = relay
        do throws(LinkFailure) {
            let place = try place()
            let urlRequest = try request.forURLSession(place)
            let configuration = try configuration.copy(by: request.proxy, to: place.url)
            let session = URLSession(configuration: configuration, delegate: relay, delegateQueue: nil)
            let task = session.webSocketTask(with: urlRequest)
            task.maximumMessageSize = request.messageLimits.incoming
            self.session = session
            self.task = task
            task.resume()
        } catch {
            relay.tell(.failed(error))
        }
    }

    private func arm(at instant: Instant) {
        let timer = timer ?? host.makeTimer { [weak self] in self?.timeIsUp() }
        self.timer = timer
        timer.arm(at: instant)
    }

    // MARK: - What Foundation says

    /// One wake-up's events, in order.
    func handle(_ events: [URLSessionEvent], from relay: URLSessionRelay) {
        var reports: [LinkReport] = []
        var wrote: [SendID] = []
        for event in events where self.relay === relay {
            switch event {
            case .opened(let subprotocol): opened(subprotocol, &reports)
            case .received(let message): received(message, &reports)
            case .sent(let id):
                unsent -= 1
                wrote.append(id)
                sendCloseFrame()
            case .ponged: reports.append(.progress)
            case .closed(let code, let reason):
                if let end = Self.closing(code, reason) {
                    self.end(.closed(end), &reports)
                } else {
                    conclude(firstError, &reports)
                }
            case .completed(let error): conclude(error ?? firstError, &reports)
            case .receiveFailed(let error), .sendFailed(let error): failed(error, &reports)
            case .failed(let failure): end(.closed(.failed(failure)), &reports)
            }
        }
        if !wrote.isEmpty { reports.insert(.wrote(wrote), at: reports.first?.isOpened == true ? 1 : 0) }
        tell(reports)
    }

    private func tell(_ reports: [LinkReport]) {
        guard !reports.isEmpty, let observer else { return }
        if stage == .over { self.observer = nil }
        observer.link(id, reported: reports)
    }

    private func opened(_ subprotocol: String?, _ reports: inout [LinkReport]) {
        guard stage == .opening else { return }
        // Linux says "opened" of a refused upgrade, too.
        if let refusal { return refused(refusal, &reports) }
        stage = .open
        timer?.arm(at: nil)
        let name = subprotocol.flatMap { $0.isEmpty ? nil : $0 }
        reports.append(.opened(LinkOpening(subprotocol: name)))
        receive()
    }

    private func received(_ message: Message, _ reports: inout [LinkReport]) {
        isReceiving = false
        guard message.bytes.count <= request.messageLimits.incoming else {
            // Apple's systems never come here: they end the task with EMSGSIZE.
            task?.cancel(with: .messageTooBig, reason: nil)
            saysWhy = true
            return end(.closed(.failed(.messageTooBig)), &reports)
        }
        guard !isPaused else {
            held = message
            return
        }
        reports += [.progress, .received([message])]
        receive()
    }

    /// Asks for one message; each asks for the next, so that what nobody reads stays with the system.
    private func receive() {
        guard stage != .over, !isReceiving, !isPaused else { return }
        isReceiving = true
        task?.receive { [weak relay] result in
            switch result {
            case .success(let message): relay?.tell(.received(Message(message)))
            case .failure(let error): relay?.tell(.receiveFailed(error))
            }
        }
    }

    // MARK: - The end

    /// A receive or a send failed: the task is over, and may still say how.
    private func failed(_ error: any Error, _ reports: inout [LinkReport]) {
        // Own close: a failed receive is how Linux takes leave, before the peer has answered.
        guard stage != .closing, firstError == nil else { return }
        firstError = error
        if closing != nil { return conclude(error, &reports) }
        arm(at: host.now.instant.advanced(by: Self.grace))
    }

    private func timeIsUp() {
        var reports: [LinkReport] = []
        switch stage {
        case .opening where firstError == nil:
            end(
                .closed(.failed(LinkFailure(.timedOut, "The server did not take the connection in time."))),
                &reports)
        case .closing:
            end(
                .closed(.failed(LinkFailure(.lost, "The peer did not answer our close frame in time."))),
                &reports)
        case .opening, .open: conclude(firstError, &reports)
        case .over: break
        }
        tell(reports)
    }

    private func end(_ report: LinkReport, _ reports: inout [LinkReport]) {
        guard stage != .over else { return }
        release()
        reports.append(report)
    }

    private func release() {
        stage = .over
        timer = nil
        held = nil
        letGo()
    }

    /// Lets go of the session, which lets go of its delegate.
    private func letGo() {
        relay?.end()
        // A close frame that says what was wrong may still leave.
        if saysWhy { session?.finishTasksAndInvalidate() } else { session?.invalidateAndCancel() }
        (session, task, relay) = (nil, nil, nil)
    }

    /// The server's answer, if it was no upgrade.
    private var refusal: Refusal? {
        guard let response = task?.response as? HTTPURLResponse, response.statusCode != 101 else {
            return nil
        }
        let headers = response.allHeaderFields.compactMap { name, value in
            (name as? String).map { Refusal.Header($0, "\(value)") }
        }
        return Refusal(status: response.statusCode, headers: headers.sorted { $0.name < $1.name })
    }

    /// The close frame that Foundation knows of.
    private var closing: LinkEnd? {
        guard let task else { return nil }
        return Self.closing(
            task.closeCode.rawValue, String(decoding: task.closeReason ?? Data(), as: UTF8.self))
    }

    /// 0 stands for none.
    private static func closing(_ code: Int, _ reason: String) -> LinkEnd? {
        guard let code = UInt16(exactly: code), code > 0 else { return nil }
        return .closed(code: CloseCode(rawValue: code), reason: reason)
    }

    private func conclude(_ error: (any Error)?, _ reports: inout [LinkReport]) {
        if stage == .opening, let refusal { return refused(refusal, &reports) }
        if let closing { return end(.closed(closing), &reports) }
        let failure = LinkFailure(urlSession: error as NSError?, isOpen: stage != .opening)
        end(.closed(.failed(failure)), &reports)
    }

    /// Goes where the answer points; if it points nowhere, or there it must not go, that was the end.
    private func refused(_ refusal: Refusal, _ reports: inout [LinkReport]) {
        var refusal = refusal
        switch redirects?.follow(refusal) {
        case .follow?:
            guard let redirects else { return }
            letGo()
            firstError = nil
            return begin { redirects }
        case .refuse(let problem)?: refusal.problem = problem
        case .none?, nil: break
        }
        end(.refused(refusal), &reports)
    }

    // MARK: - TransportLink

    func send(_ messages: [Transmission]) {
        guard stage == .open, let task else { return }
        for one in messages where one.message.bytes.count <= request.messageLimits.outgoing {
            unsent += 1
            task.send(one.message.forURLSession) { [weak relay] error in
                relay?.tell(error.map { .sendFailed($0) } ?? .sent(one.id))
            }
        }
    }

    func close(_ code: CloseCode, reason: String) {
        switch stage {
        case .opening:
            task?.cancel()
            relay?.tell(.failed(LinkFailure(.lost, "The link was closed before it was open.")))
        case .open:
            stage = .closing
            closeFrame = (code.isAllowedOnWire ? code : .normal, reason)
            arm(at: host.now.instant.advanced(by: request.closeLimit))
            resumeReading()
            sendCloseFrame()
        case .closing, .over: break
        }
    }

    /// Foundation may drop what is not sent when it is told to close.
    private func sendCloseFrame() {
        guard stage == .closing, unsent == 0, let (code, reason) = closeFrame else { return }
        // Linux knows only the RFC's own codes.
        let known = URLSessionWebSocketTask.CloseCode(rawValue: Int(code.rawValue)) ?? .normalClosure
        // At most 123 bytes, and no character cut in two (RFC 6455 §5.5).
        var text = reason
        while text.utf8.count > 123 { text.removeLast() }
        task?.cancel(with: known, reason: Data(text.utf8))
    }

    func abandon() {
        observer = nil
        if stage != .over {
            closeFrame = nil
            release()
        }
    }

    func ping() {
        guard stage == .open else { return }
        // That a ping fails is told by whatever ends the connection.
        task?.sendPing { [weak relay] error in if error == nil { relay?.tell(.ponged) } }
    }

    func pauseReading() {
        guard stage == .open else { return }
        isPaused = true
    }

    func resumeReading() {
        guard isPaused else { return }
        isPaused = false
        if let message = held {
            held = nil
            isReceiving = true
            relay?.tell(.received(message))
        } else {
            receive()
        }
    }
}

extension LinkReport {
    fileprivate var isOpened: Bool { if case .opened = self { true } else { false } }
}

extension Message {
    init(_ message: URLSessionWebSocketTask.Message) {
        switch message {
        case .string(let text): self = .text(text)
        case .data(let data): self = .binary(Array(data))
        #if canImport(Darwin)
        @unknown default: self = .binary([])
        #endif
        }
    }

    var forURLSession: URLSessionWebSocketTask.Message {
        switch kind {
        case .text: .string(string)
        case .binary: .data(Data(bytes))
        }
    }
}
