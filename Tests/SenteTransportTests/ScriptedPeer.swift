// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTransport

/// What a client's link reports, for tests to wait for; and the link itself, used on its loop.
final class LinkWitness: LinkObserver, @unchecked Sendable {
    let reports = Collector<LinkReport>()
    let batches = Collector<[LinkReport]>()
    let loop: EventLoop
    private var link: (any TransportLink)?
    private var inCall = false

    init(_ loop: EventLoop) {
        self.loop = loop
    }

    static func open(
        _ request: LinkRequest, on loop: EventLoop, transport: any Transport = SocketTransport()
    ) -> LinkWitness {
        let witness = LinkWitness(loop)
        loop.post {
            witness.call {
                witness.link = transport.open(LinkID(7), request, on: loop, observer: witness)
            }
        }
        return witness
    }

    /// Does something with the link on its loop; no report may come from inside.
    func onLoop(_ body: @escaping @Sendable (any TransportLink) -> Void) {
        loop.post {
            guard let link = self.link else { return }
            self.call { body(link) }
        }
    }

    private func call(_ body: () -> Void) {
        inCall = true
        body()
        inCall = false
    }

    func link(_ id: LinkID, reported batch: [LinkReport]) {
        precondition(loop.isCurrent && !inCall && id == LinkID(7))
        batches.append(batch)
        reports.append(contentsOf: batch)
    }

    /// Everything reported until the link's last report.
    func untilEnd() async -> [LinkReport] {
        await reports.wait { $0.contains(where: \.isLast) }
    }

    func untilOpen() async {
        _ = await reports.wait { $0.contains { $0.isOpened || $0.isLast } }
    }
}

extension LinkReport {
    var isLast: Bool {
        switch self {
        case .closed, .refused: true
        default: false
        }
    }

    var isOpened: Bool {
        if case .opened = self { true } else { false }
    }

    var messages: [Message] {
        if case .received(let messages) = self { messages } else { [] }
    }

    var writes: [SendID] {
        if case .wrote(let ids) = self { ids } else { [] }
    }

    var failure: LinkFailure? {
        if case .closed(.failed(let failure)) = self { failure } else { nil }
    }
}

/// A server that does what closures say.
///
/// Everything runs on its loop.
final class ScriptedServer: ServerConnectionObserver, @unchecked Sendable {
    var requested: (ServerConnection, HTTPRequest) -> Void = { connection, _ in connection.accept() }
    var opened: (ServerConnection) -> Void = { _ in }
    var received: (ServerConnection, [Message]) -> Void = { connection, messages in
        for message in messages { connection.send(message) }
    }
    let ends = Collector<LinkEnd>()
    let connections = Collector<ServerConnection>()

    /// Listens on `loop` with a server that echoes unless `configure` says otherwise.
    static func listen(
        on loop: EventLoop, limits: LinkLimits = LinkLimits(), compression: CompressionPolicy? = nil,
        tls: ServerTLS? = nil,
        _ configure: (ScriptedServer) -> Void = { _ in }
    ) throws -> (ScriptedServer, Listener) {
        let server = ScriptedServer()
        configure(server)
        let listener = try Listener(loop: loop, limits: limits, compression: compression, tls: tls) {
            connection in
            server.connections.append(connection)
            return server
        }
        return (server, listener)
    }

    func connection(_ connection: ServerConnection, requested request: HTTPRequest) {
        requested(connection, request)
    }

    func connectionOpened(_ connection: ServerConnection) {
        opened(connection)
    }

    func connection(_ connection: ServerConnection, received messages: [Message]) {
        received(connection, messages)
    }

    func connection(_ connection: ServerConnection, closed end: LinkEnd) {
        ends.append(end)
    }
}

extension EventLoop {
    /// A request to a port of this machine, with generous time.
    func request(_ port: UInt16, host: String = "127.0.0.1", opening: Duration = .seconds(20)) -> LinkRequest
    {
        LinkRequest(
            url: "ws://\(host):\(port)/", messageLimits: MessageLimits(both: 8 << 20),
            openDeadline: now.instant.advanced(by: opening))
    }
}
