// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteSocket
package import SenteTransport

/// A WebSocket server that echoes, or does what its closures say; all of it on its loop.
package final class EchoServer: ServerConnectionObserver, @unchecked Sendable {
    package var requested: (ServerConnection, HTTPRequest) -> Void = { connection, _ in connection.accept() }
    package var opened: (ServerConnection) -> Void = { _ in }
    package var received: (ServerConnection, [Message]) -> Void = { connection, messages in
        for message in messages { connection.send(message) }
    }
    package var wrote: (ServerConnection) -> Void = { _ in }
    package let connections = Collector<ServerConnection>()
    package let requests = Collector<HTTPRequest>()
    package let messages = Collector<Message>()
    package let ends = Collector<LinkEnd>()

    package init() {}

    package static func listen(
        on loop: EventLoop, limits: LinkLimits = LinkLimits(), compression: CompressionPolicy? = nil,
        tls: ServerTLS? = nil,
        _ configure: (EchoServer) -> Void = { _ in }
    ) throws -> (EchoServer, Listener) {
        let server = EchoServer()
        configure(server)
        let listener = try Listener(loop: loop, limits: limits, compression: compression, tls: tls) {
            connection in
            server.connections.append(connection)
            return server
        }
        return (server, listener)
    }

    package func connection(_ connection: ServerConnection, requested request: HTTPRequest) {
        requests.append(request)
        requested(connection, request)
    }

    package func connectionOpened(_ connection: ServerConnection) { opened(connection) }

    package func connection(_ connection: ServerConnection, received messages: [Message]) {
        self.messages.append(contentsOf: messages)
        received(connection, messages)
    }

    package func connectionWrote(_ connection: ServerConnection) { wrote(connection) }

    package func connection(_ connection: ServerConnection, closed end: LinkEnd) { ends.append(end) }
}
