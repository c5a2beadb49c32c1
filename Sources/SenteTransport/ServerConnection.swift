// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteSocket

/// Whoever serves a connection.
///
/// Called on the loop, never from inside a call on the connection.
package protocol ServerConnectionObserver: AnyObject, Sendable {
    /// A whole request came: answer with `accept` or `respond`, now or later within the handshake's limit.
    func connection(_ connection: ServerConnection, requested request: HTTPRequest)
    /// The request was accepted; messages may follow.
    func connectionOpened(_ connection: ServerConnection)
    /// Whole messages, in order; everything one wake-up brought.
    func connection(_ connection: ServerConnection, received messages: [Message])
    /// What was queued when `tellWritten` was called has been written.
    func connectionWrote(_ connection: ServerConnection)
    /// The last call for a connection, unless it was answered with `respond` or aborted: then nothing more comes.
    func connection(_ connection: ServerConnection, closed end: LinkEnd)
}

extension ServerConnectionObserver {
    package func connectionWrote(_ connection: ServerConnection) {}
}

/// A server's end of one connection.
///
/// Use it on its loop only. The loop keeps it, and it its observer, until it has ended.
package final class ServerConnection: LinkStreamOwner, @unchecked Sendable {
    /// Names the connection within its listener.
    package let id: LinkID
    /// The client's address, for people.
    package let remoteAddress: String?

    private var stream: LinkStream?
    private var isAsked = false
    private var observer: (any ServerConnectionObserver)?

    init(_ id: LinkID, remoteAddress: String?) {
        self.id = id
        self.remoteAddress = remoteAddress
    }

    func begin(on stream: LinkStream, _ welcome: Listener.Welcome) {
        self.stream = stream
        observer = welcome(self)
    }

    /// Accepts the upgrade that was requested; false when there is none, or the answer would be wrong.
    @discardableResult
    package func accept(subprotocol: String? = nil, headers: [HTTPHeader] = []) -> Bool {
        stream?.change { link, masks, reports in
            link.accept(
                subprotocol: subprotocol, headers: headers, at: self.now, masks: &masks, into: &reports)
        } ?? false
    }

    /// Answers the request with plain HTTP, which ends the connection; false when no request waits or the answer cannot be written.
    @discardableResult
    package func respond(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) -> Bool {
        stream?.change { link, _, _ in
            link.respond(status: status, headers: headers, body: body, at: self.now)
        } ?? false
    }

    /// Queues a message; everything queued in one turn leaves in one write.
    @discardableResult
    package func send(_ message: Message) -> Link.WriteResult {
        stream?.send(message, id: nil) ?? .notOpen
    }

    /// Has the observer told when what is queued now, which must be something, has been written.
    package func tellWritten() {
        stream?.change { link, _, _ in link.mark(SendID(0)) }
    }

    /// Queues a WebSocket ping.
    @discardableResult
    package func ping(_ payload: [UInt8] = []) -> Link.WriteResult {
        stream?.change { link, masks, _ in link.ping(payload, masks: &masks) } ?? .notOpen
    }

    /// Starts the closing handshake; false for a code that must not be on the wire.
    @discardableResult
    package func close(_ code: CloseCode = .normal, reason: String = "") -> Bool {
        guard let stream else { return true }
        stream.setPaused(false)
        return stream.change { link, masks, reports in
            link.close(code, reason: reason, at: self.now, masks: &masks, into: &reports)
        }
    }

    /// Resets TCP at once; nothing is reported any more.
    package func abort() {
        observer = nil
        stream?.abandon(reset: true)
        stream = nil
    }

    /// Ends TCP at once with no close frame; nothing is reported any more.
    package func cut() {
        observer = nil
        stream?.abandon()
        stream = nil
    }

    /// Stops taking bytes from the client, or takes it up again.
    package func setReadingPaused(_ paused: Bool) {
        stream?.setPaused(paused)
    }

    /// For tests: leaves TCP open after the closing handshake, as some servers do, until `cut()` or the loop's end.
    package func leaveOpenAfterClose() {
        stream?.leaveOpen()
    }

    /// What is queued for the socket, in bytes.
    package var unwrittenBytes: Int { stream?.unwrittenBytes ?? 0 }

    /// What the TLS handshake came to; nil without TLS.
    package var agreement: TLSAgreement? { stream?.agreement }

    private var now: Instant { stream?.loop.instant ?? .distantPast }

    // MARK: LinkStreamOwner

    func stream(_ stream: LinkStream, reported reports: inout [LinkReport]) {
        if !isAsked, let request = stream.request {
            isAsked = true
            observer?.connection(self, requested: request)
        }
        for report in reports {
            switch report {
            case .opened: observer?.connectionOpened(self)
            case .received(let messages): observer?.connection(self, received: messages)
            case .wrote: observer?.connectionWrote(self)
            case .closed(let end):
                let observer = observer
                self.observer = nil
                observer?.connection(self, closed: end)
            case .progress, .answered, .refused: break
            }
        }
    }
}
