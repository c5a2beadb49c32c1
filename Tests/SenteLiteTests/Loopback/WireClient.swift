// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTransport
import SenteWire

/// A link and nothing above it: it sees every frame, and answers none unless told to.
final class WireClient: LinkObserver, @unchecked Sendable {
    let messages = Journal<Value>()
    let ends = Journal<LinkReport>()
    private let loop: EventLoop
    /// The loop's own.
    private var link: (any TransportLink)?

    init(port: Int, on loop: EventLoop) {
        self.loop = loop
        let request = LinkRequest(
            url: "ws://127.0.0.1:\(port)/", openDeadline: loop.now.instant.advanced(by: .seconds(60)))
        loop.post { self.link = SocketTransport().open(LinkID(1), request, on: loop, observer: self) }
    }

    func send(_ value: Value) throws {
        let message = Message(.text, try WireFormat.json.encode(value))
        loop.post { self.link?.send([(SendID(1), message)]) }
    }

    func abandon() {
        loop.post { self.link?.abandon() }
    }

    /// The first frame of this type.
    func first(_ type: String) async throws -> Value {
        try await messages.first("a frame of type \(type)") { $0["type"] == .string(type) }
    }

    func link(_ id: LinkID, reported reports: [LinkReport]) {
        for report in reports {
            switch report {
            case .received(let batch):
                messages.append(contentsOf: batch.map { (try? WireFormat.json.decode($0.bytes)) ?? .null })
            case .closed, .refused: ends.append(report)
            case .opened, .progress, .wrote, .answered: break
            }
        }
    }
}
