// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTransport

/// Carries what connections report to the run they belong to.
final class ServerObserver: ServerConnectionObserver {
    let run: LoopBound<ServerRun>

    init(_ run: LoopBound<ServerRun>) {
        self.run = run
    }

    func connection(_ connection: ServerConnection, requested request: HTTPRequest) {
        run.content.requested(request, by: connection)
    }

    func connectionOpened(_ connection: ServerConnection) {
        run.content.opened(connection)
    }

    func connection(_ connection: ServerConnection, received messages: [Message]) {
        run.content.received(messages, by: connection)
    }

    func connectionWrote(_ connection: ServerConnection) {
        run.content.wrote(connection)
    }

    func connection(_ connection: ServerConnection, closed end: LinkEnd) {
        run.content.closed(connection, end)
    }
}
