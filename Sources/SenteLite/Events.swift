// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// Every application event, as a sequence for any number of consumers.
///
/// Each iterator has an inbox of its own (`Configuration.inbox`), which hears what comes once it is made. The
/// sequence goes on over reconnects; a loop ends when its task is cancelled. It keeps its client.
public struct Events: AsyncSequence, Sendable {
    /// What it yields.
    public typealias Element = Event
    /// The sequence never fails.
    public typealias Failure = Never

    private let start: @Sendable () -> Iterator

    package init(_ start: @escaping @Sendable () -> Iterator) {
        self.start = start
    }

    init(_ client: SenteClient) {
        self.init { Self.listen(to: client) }
    }

    /// Takes events one by one.
    public typealias Iterator = MailboxIterator<Event>

    /// Starts to listen.
    public func makeAsyncIterator() -> Iterator {
        start()
    }

    private static func listen(to client: SenteClient) -> Iterator {
        let handle = InboxHandle(client) { .closeInbox($0) }
        client.driver.submissions.post([
            .receiver(handle.inbox, handle.mailbox),
            .input(.command(.openInbox(handle.inbox))),
            .input(.command(.listen(handle.inbox, .allEvents))),
        ])
        return handle.makeIterator {
            if case .event(let event, _) = $0 { event } else { nil }
        } wrap: {
            .event($0, missed: 0)
        }
    }
}
