// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// The statuses of a client, as a sequence for any number of consumers.
///
/// Each iterator gets the current status first and then every change, in order. One that does not keep up
/// misses the oldest: 256 wait for it. The sequence does not keep the client, and ends with it; a loop ends
/// when its task is cancelled.
public struct States: AsyncSequence, Sendable {
    /// What it yields.
    public typealias Element = ConnectionStatus
    /// The sequence never fails.
    public typealias Failure = Never

    private let start: @Sendable () -> Iterator

    /// What `start` begins with is the current status.
    package init(_ start: @escaping @Sendable () -> Iterator) {
        self.start = start
    }

    /// Takes statuses one by one.
    public typealias Iterator = MailboxIterator<ConnectionStatus>

    /// Starts with the current status.
    public func makeAsyncIterator() -> Iterator {
        start()
    }
}
