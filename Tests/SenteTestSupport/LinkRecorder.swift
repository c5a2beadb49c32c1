// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteTransport

/// Collects what a client's link reports; and does things with the link, on its loop.
package final class LinkRecorder: LinkObserver, @unchecked Sendable {
    package let reports = Collector<LinkReport>()
    package let batches = Collector<[LinkReport]>()
    package let loop: EventLoop
    /// The loop's own.
    private var link: (any TransportLink)?
    private var isCalling = false

    private init(_ loop: EventLoop) {
        self.loop = loop
    }

    package static func open(
        _ request: LinkRequest, on loop: EventLoop, transport: any Transport = SocketTransport()
    ) -> LinkRecorder {
        let recorder = LinkRecorder(loop)
        loop.post {
            recorder.call {
                recorder.link = transport.open(LinkID(7), request, on: loop, observer: recorder)
            }
        }
        return recorder
    }

    /// Does something with the link on its loop; no report may come from inside.
    package func onLoop(_ body: @escaping @Sendable (any TransportLink) -> Void) {
        loop.post {
            guard let link = self.link else { return }
            self.call { body(link) }
        }
    }

    private func call(_ body: () -> Void) {
        isCalling = true
        body()
        isCalling = false
    }

    package func link(_ id: LinkID, reported batch: [LinkReport]) {
        precondition(loop.isCurrent && !isCalling && id == LinkID(7))
        batches.append(batch)
        reports.append(contentsOf: batch)
    }

    /// Everything reported until the link's last report.
    package func untilEnd() async -> [LinkReport] {
        await reports.wait { $0.contains(where: \.isLast) }
    }

    package func untilOpen() async {
        await reports.wait { $0.contains { $0.isOpened || $0.isLast } }
    }

    package var messages: [Message] { reports.elements.flatMap(\.messages) }
    package var writes: [SendID] { reports.elements.flatMap(\.writes) }

    /// Lets go of the link; what is returned says who it was while somebody still has it.
    package func release() async -> () -> AnyObject? {
        final class Weak: @unchecked Sendable { weak var object: AnyObject? }
        let held = Weak()
        await withCheckedContinuation { continuation in
            loop.post {
                held.object = self.link
                self.link = nil
                continuation.resume()
            }
        }
        return { held.object }
    }
}

extension LinkReport {
    package var isOpened: Bool { if case .opened = self { true } else { false } }
    package var messages: [Message] { if case .received(let messages) = self { messages } else { [] } }
    package var writes: [SendID] { if case .wrote(let ids) = self { ids } else { [] } }

    package var failure: LinkFailure? {
        if case .closed(.failed(let failure)) = self { failure } else { nil }
    }
}
