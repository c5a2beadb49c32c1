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

    private let client: SenteClient

    init(_ client: SenteClient) {
        self.client = client
    }

    /// Starts to listen.
    public func makeAsyncIterator() -> Iterator {
        let handle = InboxHandle(client) { .closeInbox($0) }
        client.driver.intake.post([
            .receiver(handle.inbox, handle.mailbox),
            .input(.command(.openInbox(handle.inbox))),
            .input(.command(.listen(handle.inbox, .allEvents))),
        ])
        return Iterator(handle: handle, cursor: handle.cursor())
    }

    /// Takes events one by one.
    public struct Iterator: AsyncIteratorProtocol {
        /// Taking never fails.
        public typealias Failure = Never

        fileprivate let handle: InboxHandle
        fileprivate let cursor: Cursor<InboxElement>

        /// The next event; nil when the task was cancelled.
        ///
        /// Returns without suspending while events wait.
        public mutating func next() async -> Event? {
            await cursor.nextEvent(isolation: nil)
        }

        /// The next event, without leaving the caller's actor.
        @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
        public mutating func next(isolation actor: isolated (any Actor)?) async -> Event? {
            await cursor.nextEvent(isolation: actor)
        }
    }
}

extension Cursor<InboxElement> {
    fileprivate func nextEvent(isolation: isolated (any Actor)?) async -> Event? {
        while let element = await next(isolation: isolation) {
            if case .event(let event, _) = element { return event }
        }
        return nil
    }
}
