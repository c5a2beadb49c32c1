// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTransport

/// Sockets that keep what goes and comes, message by message, and in how many wake-ups it came.
///
/// Everything but `take` happens on the loop.
final class CountingTransport: Transport, @unchecked Sendable {
    struct Record: Sendable {
        var sent: [Message] = []
        var received: [Message] = []
        var wakeUps = 0
    }

    private let loop: EventLoop
    private var record = Record()
    /// The latest one.
    private var link: CountedLink?

    init(on loop: EventLoop) {
        self.loop = loop
    }

    /// What happened since this was asked last.
    func take() async -> Record {
        await withCheckedContinuation { continuation in
            loop.post {
                continuation.resume(returning: self.record)
                self.record = Record()
            }
        }
    }

    /// Ends the latest link as a pulled cable does: nothing more leaves it, and no close frame.
    func cut() {
        loop.post { self.link?.cut() }
    }

    func open(
        _ id: LinkID, _ request: LinkRequest, on host: any Host, observer: any LinkObserver
    ) -> any TransportLink {
        let inner = SocketTransport().open(id, request, on: host, observer: Ear(self, observer))
        let link = CountedLink(id, inner, observer, self)
        self.link = link
        return link
    }

    private final class Ear: LinkObserver, @unchecked Sendable {
        private let transport: CountingTransport
        private let observer: any LinkObserver

        init(_ transport: CountingTransport, _ observer: any LinkObserver) {
            self.transport = transport
            self.observer = observer
        }

        func link(_ id: LinkID, reported reports: [LinkReport]) {
            var messages: [Message] = []
            for case .received(let some) in reports { messages += some }
            transport.record.received += messages
            if !messages.isEmpty { transport.record.wakeUps += 1 }
            observer.link(id, reported: reports)
        }
    }

    private final class CountedLink: TransportLink {
        private let id: LinkID
        private let link: any TransportLink
        private let observer: any LinkObserver
        private let transport: CountingTransport

        init(
            _ id: LinkID, _ link: any TransportLink, _ observer: any LinkObserver,
            _ transport: CountingTransport
        ) {
            self.id = id
            self.link = link
            self.observer = observer
            self.transport = transport
        }

        func cut() {
            link.abandon()
            let end = LinkFailure(.lost, "The link was cut.")
            observer.link(id, reported: [.closed(.failed(end))])
        }

        func send(_ messages: [Transmission]) {
            transport.record.sent += messages.map(\.message)
            link.send(messages)
        }

        func close(_ code: CloseCode, reason: String) { link.close(code, reason: reason) }
        func abandon() { link.abandon() }
        func ping() { link.ping() }
        func pauseReading() { link.pauseReading() }
        func resumeReading() { link.resumeReading() }
    }
}
