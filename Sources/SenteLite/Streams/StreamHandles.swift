// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// The handles of a client's streams by their names, on the loop: the driver brings each what is for it.
final class StreamHandles {
    /// What the server offers and nobody takes yet.
    let offers = StreamOffers()
    private var handles: [String: StreamHandle] = [:]
    private let submissions: SubmissionQueue

    init(_ submissions: SubmissionQueue) {
        self.submissions = submissions
    }

    /// The client is gone.
    deinit {
        for handle in handles.values { handle.end(.failure(.clientIsGone)) }
        offers.finish()
    }

    /// Whether it is in; there is one handle for a stream.
    func add(_ handle: StreamHandle) -> Bool {
        guard handles[handle.id] == nil else {
            handle.end(
                .failure(
                    SenteError(
                        .invalidArgument,
                        "This client has the stream already: go on with that, or end it first.")
                ))
            return false
        }
        handles[handle.id] = handle
        return true
    }

    func perform(_ output: StreamTable.Output) {
        if case .offered(let opening) = output.effect { return offer(output.id, opening) }
        guard let handle = handles[output.id] else { return }
        handle.perform(output.effect)
        guard case .ended = output.effect else { return }
        handles[output.id] = nil
        offers.remove(handle)
    }

    private func offer(_ id: String, _ opening: StreamOpening) {
        guard opening.kind != .bidirectional else {
            let fault = StreamFault(.refused, "A client opens streams that go both ways.")
            return submissions.post(.stream(id, .abandon(fault)))
        }
        let handle = StreamHandle(id, opening, submissions)
        handle.startsLater { _, how in
            .input(.command(.stream(id, .accept(isSeekable: false, startsOver: how.startsOver))))
        }
        handles[id] = handle
        offers.add(handle)
    }
}
