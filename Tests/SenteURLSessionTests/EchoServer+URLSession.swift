// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport
import SenteURLSession
import Testing

extension LinkRecorder {
    /// Opens a link over Foundation's WebSocket.
    static func open(_ request: LinkRequest, on loop: EventLoop) -> LinkRecorder {
        open(request, on: loop, transport: URLSessionTransport())
    }
}

extension EchoServer {
    /// Runs `body` with a server on a loop, and a request for it.
    static func run(
        _ configure: (EchoServer) -> Void = { _ in },
        _ body: (EchoServer, EventLoop, LinkRequest) async throws -> Void
    ) async throws {
        let loop = try EventLoop()
        defer { loop.shutDown() }
        var limits = LinkLimits()
        limits.message = MessageLimits(both: 16 << 20)
        let (server, listener) = try EchoServer.listen(on: loop, limits: limits, configure)
        let request = LinkRequest(
            url: "ws://127.0.0.1:\(listener.port)/path?q=1", messageLimits: MessageLimits(both: 8 << 20),
            openDeadline: loop.now.instant.advanced(by: .seconds(30)))
        try await body(server, loop, request)
    }
}
