// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteSocket
package import SenteTransport
package import SenteWire

/// A link and nothing above it: it sees every frame, and answers none unless told to.
package final class WireClient: LinkObserver, @unchecked Sendable {
    package let messages = Collector<Value>()
    package let ends = Collector<LinkReport>()
    private let loop: EventLoop
    private let format: WireFormat
    /// The loop's own.
    private var link: (any TransportLink)?

    package init(port: Int, _ target: String = "/", _ format: WireFormat = .json, on loop: EventLoop) {
        self.loop = loop
        self.format = format
        let request = LinkRequest(
            url: "ws://127.0.0.1:\(port)\(target)", openDeadline: loop.now.instant.advanced(by: .seconds(60)))
        loop.post { self.link = SocketTransport().open(LinkID(1), request, on: loop, observer: self) }
    }

    package func send(_ value: Value) throws {
        let message = Message(format.isBinary ? .binary : .text, try format.encode(value))
        loop.post { self.link?.send([Transmission(SendID(1), message)]) }
    }

    package func abandon() {
        loop.post { self.link?.abandon() }
    }

    /// The first frame of this type.
    package func first(_ type: String) async throws -> Value {
        try await messages.first("a frame of type \(type)") { $0["type"] == .string(type) }
    }

    package func link(_ id: LinkID, reported reports: [LinkReport]) {
        for report in reports {
            switch report {
            case .received(let batch):
                messages.append(
                    contentsOf: batch.map { (try? format.decode($0.bytes)) ?? .string($0.string) })
            case .closed, .refused: ends.append(report)
            case .opened, .progress, .wrote, .answered: break
            }
        }
    }
}
