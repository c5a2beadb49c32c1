// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

/// Whoever follows a client's signals; the driver makes them as long as there is somebody.
struct SignalHub: Sendable {
    /// How many signals wait for one consumer before the oldest go.
    static let bound = 1_024

    private typealias Broadcasts = [(level: ClientSignal.Level, signals: Broadcast<ClientSignal>)]

    /// One for each level from which on somebody listens, least first; most clients have none.
    private let broadcasts = LockedValue<(all: Broadcasts, isFinished: Bool)>(([], false))
    private let submissions: SubmissionQueue

    init(_ submissions: SubmissionQueue) {
        self.submissions = submissions
    }

    /// The least level that somebody follows; nil: nobody does.
    var minimum: ClientSignal.Level? {
        broadcasts.withLock { $0.all }.first { $0.signals.isFollowed }?.level
    }

    func send(_ signals: [ClientSignal]) {
        for (level, broadcast) in broadcasts.withLock({ $0.all }) where broadcast.isFollowed {
            broadcast.send(signals.filter { $0.level >= level })
        }
    }

    /// Follows what comes from a level on; the driver hears of it before anything that is posted afterwards.
    func makeIterator(minimum: ClientSignal.Level = .trace) -> MailboxIterator<ClientSignal> {
        defer { submissions.watch() }
        return broadcasts.withLock { broadcasts in
            let place = broadcasts.all.firstIndex { $0.level >= minimum } ?? broadcasts.all.endIndex
            if place == broadcasts.all.endIndex || broadcasts.all[place].level != minimum {
                let new = Broadcast<ClientSignal>(BoundedQueue(latest: SignalHub.bound))
                if broadcasts.isFinished { new.finish() }
                broadcasts.all.insert((minimum, new), at: place)
            }
            return broadcasts.all[place].signals
        }.makeIterator()
    }

    /// Nothing comes any more.
    func finish() {
        let all = broadcasts.withLock { broadcasts in
            broadcasts.isFinished = true
            return broadcasts.all
        }
        for (_, broadcast) in all { broadcast.finish() }
    }
}
