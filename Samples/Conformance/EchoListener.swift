// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTransport

/// Large enough for every case: 9.* sends messages of 16 MiB.
let messageLimits = MessageLimits(both: 64 << 20)

/// Sends every message back.
final class EchoListener: ServerConnectionObserver {
    static func start(port: UInt16, compression: CompressionPolicy?) throws(LinkFailure) -> Listener {
        var limits = LinkLimits()
        limits.message = messageLimits
        return try Listener(loop: .shared(), port: port, limits: limits, compression: compression) { _ in
            EchoListener()
        }
    }

    func connection(_ connection: ServerConnection, requested request: HTTPRequest) {
        if !connection.accept() { connection.respond(status: 400) }
    }

    func connectionOpened(_ connection: ServerConnection) {}

    func connection(_ connection: ServerConnection, received messages: [Message]) {
        for message in messages { connection.send(message) }
    }

    func connection(_ connection: ServerConnection, closed end: LinkEnd) {}
}
