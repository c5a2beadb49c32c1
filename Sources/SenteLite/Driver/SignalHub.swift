// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

/// Whoever follows a client's signals; the driver makes them as long as there is somebody.
final class SignalHub: Sendable {
    /// How many signals wait for one consumer before the oldest go.
    static let bound = 1_024

    private let signals = Broadcast<ClientSignal>(BoundedQueue(latest: SignalHub.bound))
    private let submissions: SubmissionQueue

    init(_ submissions: SubmissionQueue) {
        self.submissions = submissions
    }

    var isFollowed: Bool { signals.isFollowed }

    func send(_ signals: [ClientSignal]) {
        self.signals.send(signals)
    }

    /// Follows what comes; the driver hears of it before anything that is posted afterwards.
    func makeIterator() -> MailboxIterator<ClientSignal> {
        defer { submissions.watch() }
        return signals.makeIterator()
    }

    /// Nothing comes any more.
    func finish() {
        signals.finish()
    }
}
