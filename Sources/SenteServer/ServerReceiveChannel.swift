// SPDX-License-Identifier: Apache-2.0

import SenteTransport
package import SenteWire

/// Everything that comes to a server of events, Sente's `ch-recv`: the clients' events, and its own.
///
/// Its own are `:chsk/connected` and `:chsk/disconnected` for each connection; `:chsk/uidport-open` and
/// `:chsk/uidport-close` with the user as data, for each user's first and last; `:chsk/ws-ping` and `:chsk/ws-pong` from
/// clients; and `:chsk/bad-event` with what came instead of one.
package final class ServerReceiveChannel: Sendable {
    /// Ends what it was given for.
    package final class Listening: Sendable {
        private let end: @Sendable (Listening) -> Void

        fileprivate init(_ end: @escaping @Sendable (Listening) -> Void) {
            self.end = end
        }

        package func cancel() { end(self) }
    }

    /// Lives on the loop.
    private final class Listeners {
        typealias Body = @Sendable (ServerEventMessage) -> Void
        /// By the id of the events, nil standing for every event; in the order of adding.
        var rows: [Keyword?: [(listening: Listening, body: Body)]] = [:]
    }

    private let listeners: LoopBound<Listeners>

    init(on loop: EventLoop) {
        listeners = LoopBound(Listeners(), on: loop)
    }

    /// Runs `body` on the loop for each event of an id, or for each event: it must not block.
    @discardableResult
    package func on(
        _ id: Keyword? = nil, _ body: @escaping @Sendable (ServerEventMessage) -> Void
    ) -> Listening {
        let listening = Listening { [weak self] listening in
            guard let listeners = self?.listeners else { return }
            listeners.loop.post { listeners.content.rows[id]?.removeAll { $0.listening === listening } }
        }
        listeners.loop.post { [listeners] in listeners.content.rows[id, default: []].append((listening, body))
        }
        return listening
    }

    /// The events from now on; of those that nobody takes the last thousand are kept, as in Sente.
    package var messages: AsyncStream<ServerEventMessage> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1_000)) { continuation in
            let listening = on { continuation.yield($0) }
            continuation.onTermination = { _ in listening.cancel() }
        }
    }

    /// Hands the event to those who listen for its id, then to those who listen for every event; on the loop.
    func put(_ message: ServerEventMessage) {
        for id in [message.id, nil] as [Keyword?] {
            for row in listeners.content.rows[id] ?? [] { row.body(message) }
        }
    }
}
