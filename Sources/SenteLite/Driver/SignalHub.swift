// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

/// Whoever follows a client's signals; the driver makes them as long as there is somebody.
final class SignalHub: Sendable {
    /// How many signals wait for one consumer before the oldest go.
    static let bound = 1_024

    /// One for each level, least first, for those who want nothing below it.
    private let broadcasts: [(level: ClientSignal.Level, signals: Broadcast<ClientSignal>)] =
        ClientSignal.Level.allCases.map { ($0, Broadcast(BoundedQueue(latest: SignalHub.bound))) }
    private let submissions: SubmissionQueue

    init(_ submissions: SubmissionQueue) {
        self.submissions = submissions
    }

    /// The least level that somebody follows; nil: nobody does.
    var minimum: ClientSignal.Level? { broadcasts.first { $0.signals.isFollowed }?.level }

    func send(_ signals: [ClientSignal]) {
        for (level, broadcast) in broadcasts where broadcast.isFollowed {
            broadcast.send(signals.filter { $0.level >= level })
        }
    }

    /// Follows what comes from a level on; the driver hears of it before anything that is posted afterwards.
    func makeIterator(minimum: ClientSignal.Level = .trace) -> MailboxIterator<ClientSignal> {
        defer { submissions.watch() }
        let place = broadcasts.firstIndex { $0.level == minimum } ?? 0
        return broadcasts[place].signals.makeIterator()
    }

    /// Nothing comes any more.
    func finish() {
        for (_, broadcast) in broadcasts { broadcast.finish() }
    }
}
