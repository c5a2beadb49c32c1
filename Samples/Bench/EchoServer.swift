// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTransport

/// Echoes, or on `/flood` sends what the first message asks for.
final class EchoServer: ServerConnectionObserver, @unchecked Sendable {
    private var floods = false

    func connection(_ connection: ServerConnection, requested request: HTTPRequest) {
        floods = request.path == "/flood"
        connection.accept()
    }

    func connectionOpened(_ connection: ServerConnection) {}

    func connection(_ connection: ServerConnection, received messages: [Message]) {
        for message in messages {
            guard floods else {
                connection.send(message)
                continue
            }
            let numbers = message.string.split(separator: " ").compactMap { Int($0) }
            guard numbers.count == 2 else { return }
            let answer = Message.binary([UInt8](repeating: 0x61, count: numbers[0]))
            for _ in 0..<numbers[1] { connection.send(answer) }
        }
    }

    func connection(_ connection: ServerConnection, closed end: LinkEnd) {}
}
