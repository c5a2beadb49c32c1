// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteSocket
import SenteTransport
import SenteURLSession
import Testing

/// Keeps what comes, from any thread, and lets a test wait for a state of it.
final class Heard<Element: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var elements: [Element] = []
    private var waiters: [(isEnough: @Sendable ([Element]) -> Bool, CheckedContinuation<[Element], Never>)] =
        []

    var all: [Element] { lock.withLock { elements } }

    func append(_ new: [Element]) {
        lock.lock()
        self.elements += new
        let elements = elements
        let done = waiters.filter { $0.isEnough(elements) }
        waiters.removeAll { $0.isEnough(elements) }
        lock.unlock()
        for waiter in done { waiter.1.resume(returning: elements) }
    }

    @discardableResult
    func wait(until isEnough: @escaping @Sendable ([Element]) -> Bool) async -> [Element] {
        await withCheckedContinuation { continuation in
            let enough: [Element]? = lock.withLock {
                if isEnough(elements) { return elements }
                waiters.append((isEnough, continuation))
                return nil
            }
            if let enough { continuation.resume(returning: enough) }
        }
    }
}

/// A link over Foundation's WebSocket, and what it reports.
final class Witness: LinkObserver, @unchecked Sendable {
    let reports = Heard<LinkReport>()
    private let loop: EventLoop
    /// The loop's own.
    private var link: (any TransportLink)?
    private var isCalling = false

    init(_ loop: EventLoop) {
        self.loop = loop
    }

    static func open(
        _ request: LinkRequest, on loop: EventLoop,
        _ transport: URLSessionTransport = URLSessionTransport()
    ) -> Witness {
        let witness = Witness(loop)
        loop.post {
            witness.isCalling = true
            witness.link = transport.open(LinkID(3), request, on: loop, observer: witness)
            witness.isCalling = false
        }
        return witness
    }

    func link(_ id: LinkID, reported batch: [LinkReport]) {
        precondition(loop.isCurrent && !isCalling && id == LinkID(3))
        reports.append(batch)
    }

    /// Does something with the link on its loop; no report may come from inside.
    func tell(_ body: @escaping @Sendable (any TransportLink) -> Void) {
        loop.post {
            guard let link = self.link else { return }
            self.isCalling = true
            body(link)
            self.isCalling = false
        }
    }

    /// Who the link is, without keeping it, and lets go of it.
    func release() async -> () -> AnyObject? {
        final class Weak: @unchecked Sendable { weak var object: AnyObject? }
        let held = Weak()
        await withCheckedContinuation { continuation in
            loop.post {
                held.object = self.link
                self.link = nil
                continuation.resume()
            }
        }
        return { held.object }
    }

    func untilOpen() async {
        await reports.wait { reports in reports.contains { $0.isOpened || $0.isLast } }
    }

    /// Everything until the last word, which must be the only one.
    func untilEnd() async -> [LinkReport] {
        await reports.wait { $0.contains(where: \.isLast) }
    }

    var messages: [Message] { reports.all.flatMap(\.messages) }
    var written: [SendID] { reports.all.flatMap(\.written) }
}

extension LinkReport {
    var isOpened: Bool { if case .opened = self { true } else { false } }
    var messages: [Message] { if case .received(let messages) = self { messages } else { [] } }
    var written: [SendID] { if case .wrote(let ids) = self { ids } else { [] } }
    var failure: LinkFailure? {
        if case .closed(.failed(let failure)) = self { failure } else { nil }
    }
    var isLast: Bool {
        switch self {
        case .closed, .refused: true
        case .opened, .received, .progress, .wrote, .answered: false
        }
    }
}

/// A WebSocket server that echoes, unless told otherwise.
final class Server: ServerConnectionObserver, @unchecked Sendable {
    var requested: (ServerConnection, HTTPRequest) -> Void = { connection, _ in connection.accept() }
    var opened: (ServerConnection) -> Void = { _ in }
    var received: (ServerConnection, [Message]) -> Void = { connection, messages in
        for message in messages { connection.send(message) }
    }
    let requests = Heard<HTTPRequest>()
    let heard = Heard<Message>()
    let ends = Heard<LinkEnd>()
    /// The loop's own.
    private var connections: [ServerConnection] = []

    /// Runs `body` with a server on a loop, and a request for it.
    static func run(
        _ configure: (Server) -> Void = { _ in },
        _ body: (Server, EventLoop, LinkRequest) async throws -> Void
    ) async throws {
        let server = Server()
        configure(server)
        let loop = try EventLoop()
        defer { loop.shutDown() }
        var limits = LinkLimits()
        limits.message = MessageLimits(both: 16 << 20)
        let listener = try Listener(loop: loop, limits: limits) { connection in
            server.connections.append(connection)
            return server
        }
        let request = LinkRequest(
            url: "ws://127.0.0.1:\(listener.port)/path?q=1", messageLimits: MessageLimits(both: 8 << 20),
            openDeadline: loop.now.instant.advanced(by: .seconds(30)))
        try await body(server, loop, request)
    }

    func connection(_ connection: ServerConnection, requested request: HTTPRequest) {
        requests.append([request])
        requested(connection, request)
    }

    func connectionOpened(_ connection: ServerConnection) { opened(connection) }

    func connection(_ connection: ServerConnection, received messages: [Message]) {
        heard.append(messages)
        received(connection, messages)
    }

    func connection(_ connection: ServerConnection, closed end: LinkEnd) { ends.append([end]) }
}
