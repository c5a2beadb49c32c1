// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteTransport

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// What Foundation says of a task, and in what we ask it ourselves to say later.
enum URLSessionEvent: Sendable {
    case opened(subprotocol: String?)
    case received(Message)
    case receiveFailed(any Error)
    case sent(SendID)
    /// The pong of a ping came.
    case ponged
    case sendFailed(any Error)
    case closed(code: Int, reason: String)
    case completed((any Error)?)
    /// `close()` came before the link was open, or nothing could be begun.
    case failed(LinkFailure)
}

/// The delegate of one session: brings what Foundation says, on whatever thread, to the link's host.
///
/// A session keeps its delegate until it is invalidated, and not always lets go of it then; so the relay lets go of the link.
final class URLSessionRelay: NSObject, URLSessionWebSocketDelegate, @unchecked Sendable {
    private let host: any SenteTransport.Host
    /// Whom to trust, where Foundation asks.
    let tls: TLSConfiguration
    private let lock = NSLock()
    private var link: URLSessionLink?
    private var events: [URLSessionEvent] = []

    init(_ link: URLSessionLink, _ tls: TLSConfiguration, _ host: any SenteTransport.Host) {
        self.tls = tls
        self.link = link
        self.host = host
    }

    func tell(_ event: URLSessionEvent) {
        let wakes = lock.withLock {
            guard link != nil else { return false }
            events.append(event)
            return events.count == 1
        }
        if wakes { host.post { self.deliver() } }
    }

    /// Everything that came since, in one batch.
    private func deliver() {
        lock.lock()
        let (link, batch) = (link, events)
        events = []
        lock.unlock()
        link?.handle(batch, from: self)
    }

    /// Nothing is told any more.
    func end() {
        lock.withLock {
            link = nil
            events = []
        }
    }

    // MARK: URLSessionWebSocketDelegate

    func urlSession(
        _ session: URLSession, webSocketTask: URLSessionWebSocketTask,
        didOpenWithProtocol subprotocol: String?
    ) {
        tell(.opened(subprotocol: subprotocol))
    }

    func urlSession(
        _ session: URLSession, webSocketTask: URLSessionWebSocketTask,
        didCloseWith code: URLSessionWebSocketTask.CloseCode, reason: Data?
    ) {
        tell(.closed(code: code.rawValue, reason: String(decoding: reason ?? Data(), as: UTF8.self)))
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
    ) {
        tell(.completed(error))
    }

    /// Not by Foundation: the link follows by this package's rules, which a redirect from `wss:` to `ws:` breaks.
    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    #if canImport(Security)
    /// A server shows its certificate.
    func urlSession(
        _ session: URLSession, didReceive challenge: URLAuthenticationChallenge,
        completionHandler: @escaping @Sendable (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        guard let trust = challenge.protectionSpace.serverTrust else {
            return completionHandler(.performDefaultHandling, nil)
        }
        if let failure = tls.refusal(of: trust, host: challenge.protectionSpace.host) {
            tell(.failed(failure))
            completionHandler(.cancelAuthenticationChallenge, nil)
        } else if tls.roots == .system, tls.verification == .full {
            completionHandler(.performDefaultHandling, nil)
        } else {
            completionHandler(.useCredential, URLCredential(trust: trust))
        }
    }
    #endif
}
