// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteSocket

/// A WebSocket without a client on top: the direct way for benchmarks, conformance runs and samples.
///
/// Messages go to a callback on the loop, one call per wake-up, or else into a mailbox that `receive()` empties.
package final class WebSocketConnection: LinkObserver, @unchecked Sendable {
    /// Called on the loop with everything one wake-up brought.
    ///
    /// It must not block.
    package typealias OnMessages = @Sendable (WebSocketConnection, [Message]) -> Void

    /// How much the mailbox holds before the socket is no longer read.
    private static let mailboxLimit = 16 << 20

    private let loop: EventLoop
    private let onMessages: OnMessages?
    private let lock = Lock()

    // Under the lock.
    private var mailbox: [Message] = []
    private var next = 0
    private var bytesWaiting = 0
    private var readingPaused = false
    private var waiters: [UnsafeContinuation<Void, Never>] = []
    private var opening: CheckedContinuation<Result<LinkOpening, LinkFailure>, Never>?
    private var stream: LinkStream?
    private var lastWord: LinkEnd?

    /// The loop's own.
    private var link: SocketLink?

    private init(_ loop: EventLoop, _ onMessages: OnMessages?) {
        self.loop = loop
        self.onMessages = onMessages
    }

    /// Opens a connection, in 10 s unless told otherwise.
    ///
    /// A server that answers with plain HTTP is a failure, too.
    package static func open(
        _ url: String, headers: [Refusal.Header] = [], subprotocols: [String] = [],
        compression: CompressionPolicy? = nil, messageLimits: MessageLimits = MessageLimits(),
        timeout: Duration = .seconds(10), tls: TLSConfiguration = TLSConfiguration(), on loop: EventLoop,
        onMessages: OnMessages? = nil
    ) async throws(LinkFailure) -> WebSocketConnection {
        try await open(
            LinkRequest(
                url: url, headers: headers, subprotocols: subprotocols, compression: compression,
                messageLimits: messageLimits, openDeadline: loop.instant.advanced(by: timeout), tls: tls),
            on: loop, onMessages: onMessages)
    }

    /// The same with everything a link can be asked for.
    package static func open(
        _ request: LinkRequest, on loop: EventLoop, onMessages: OnMessages? = nil
    ) async throws(LinkFailure) -> WebSocketConnection {
        let connection = WebSocketConnection(loop, onMessages)
        let result = await withCheckedContinuation { continuation in
            connection.opening = continuation
            let posted = loop.tryPost {
                connection.link = SocketTransport().openLink(
                    LinkID(0), request, on: loop, observer: connection)
            }
            if !posted {
                continuation.resume(
                    returning: .failure(LinkFailure(.unavailable, "The event loop was shut down.")))
            }
        }
        _ = try result.get()
        return connection
    }

    /// Sends a message, from any thread; `.notOpen` after the end.
    ///
    /// On the loop, and while messages wait in the mailbox, it is only queued, and leaves with what is sent after it;
    /// otherwise it is written at once.
    @discardableResult
    package func send(_ message: Message) -> Link.WriteResult {
        if loop.isCurrent { return link?.stream?.send(message, id: nil) ?? .notOpen }
        lock.lock()
        let stream = stream
        let isIdle = next == mailbox.count
        lock.unlock()
        return stream?.sendFromAnywhere(message, direct: isIdle) ?? .notOpen
    }

    /// Sends messages in one go, from any thread; what the first that was not taken came to, else `.queued`.
    @discardableResult
    package func send(_ messages: [Message]) -> Link.WriteResult {
        let stream = loop.isCurrent ? link?.stream : lock.withLock { self.stream }
        return stream?.sendFromAnywhere(messages) ?? .notOpen
    }

    /// The next message, at once if one waits; nil after the end.
    ///
    /// Cancelling the task does not end the waiting.
    package func receive() async -> Message? {
        while true {
            if let message = take() { return message }
            await somethingNew()
        }
    }

    /// Every message that waits, or the next ones to come, which costs less than one by one; nil after the end.
    package func receiveAll() async -> [Message]? {
        while true {
            if let messages = takeAll() { return messages }
            await somethingNew()
        }
    }

    /// How the connection ended; nil while it lasts.
    package var end: LinkEnd? { lock.withLock { lastWord } }

    /// Starts the closing handshake, from any thread.
    ///
    /// `receive()` returns nil when it is done.
    package func close(_ code: CloseCode = .normal, reason: String = "") {
        loop.post { self.link?.close(code, reason: reason) }
    }

    // MARK: - The mailbox

    /// Waits until there is a message, or the end.
    private func somethingNew() async {
        // Each continuation is resumed by whoever takes it out of `waiters`, and by nobody else.
        await withUnsafeContinuation { continuation in
            lock.lock()
            let waits = next == mailbox.count && lastWord == nil
            if waits { waiters.append(continuation) }
            lock.unlock()
            if !waits { continuation.resume() }
        }
    }

    /// A message, or nil for the end; nil altogether when neither is there yet.
    private func take() -> Message?? {
        lock.lock()
        defer { lock.unlock() }
        guard next < mailbox.count else { return lastWord == nil ? .none : .some(nil) }
        let message = mailbox[next]
        next += 1
        bytesWaiting -= message.bytes.count
        if next == mailbox.count { emptied() }
        return message
    }

    private func takeAll() -> [Message]?? {
        lock.lock()
        defer { lock.unlock() }
        guard next < mailbox.count else { return lastWord == nil ? .none : .some(nil) }
        let messages = next == 0 ? mailbox : Array(mailbox[next...])
        emptied()
        return messages
    }

    private func emptied() {
        mailbox = []
        next = 0
        bytesWaiting = 0
        if readingPaused {
            readingPaused = false
            loop.post { self.link?.resumeReading() }
        }
    }

    private func deliver(_ messages: [Message]) {
        if let onMessages { return onMessages(self, messages) }
        lock.lock()
        if mailbox.isEmpty { mailbox = messages } else { mailbox.append(contentsOf: messages) }
        for message in messages { bytesWaiting += message.bytes.count }
        let isFull = bytesWaiting > Self.mailboxLimit && !readingPaused
        if isFull { readingPaused = true }
        let woken = waiters
        if !woken.isEmpty { waiters = [] }
        lock.unlock()
        if isFull { link?.pauseReading() }
        for continuation in woken { continuation.resume() }
    }

    // MARK: - LinkObserver

    package func link(_ id: LinkID, reported reports: [LinkReport]) {
        for report in reports {
            switch report {
            case .opened(let opening):
                lock.withLock { stream = link?.stream }
                finishOpening(.success(opening))
            case .received(let messages): deliver(messages)
            case .refused(let refusal):
                let message = "The server answered the WebSocket handshake with HTTP \(refusal.status)."
                finish(.failed(LinkFailure(.badHandshake, message)))
            case .closed(let end): finish(end)
            case .progress, .wrote, .answered: break
            }
        }
    }

    private func finishOpening(_ result: Result<LinkOpening, LinkFailure>) {
        let continuation = lock.withLock {
            defer { opening = nil }
            return opening
        }
        continuation?.resume(returning: result)
    }

    private func finish(_ end: LinkEnd) {
        link = nil
        let waiting = lock.withLock {
            stream = nil
            lastWord = end
            defer { waiters = [] }
            return waiters
        }
        for continuation in waiting { continuation.resume() }
        switch end {
        case .failed(let failure): finishOpening(.failure(failure))
        case .closed: finishOpening(.failure(LinkFailure(.lost, "The server closed the connection at once.")))
        }
    }
}
