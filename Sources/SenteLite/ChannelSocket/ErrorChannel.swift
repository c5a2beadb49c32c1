// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// Every error of a channel socket that no call is told, with where and when, and what was done about it.
///
/// Any number may listen, as a sequence or with a closure; the last 100 are kept. A listener that does not keep up
/// loses the oldest, and the next report says how many. `ChannelSocketOptions.errorPolicy` decides what is done. It
/// does not keep the client, and ends with it.
public struct ErrorChannel: AsyncSequence, Sendable {
    /// What it yields.
    public typealias Element = ErrorReport
    /// The sequence never fails.
    public typealias Failure = Never

    private let store: ErrorStore

    init(_ store: ErrorStore) {
        self.store = store
    }

    /// The last 100 reports, oldest first.
    public var recent: [ErrorReport] { store.recent }

    /// Reports an error of the app's own.
    ///
    /// The policy decides at once, on the caller's thread.
    public func report(
        _ error: any Error, operation: ErrorContext.Operation = .app, event: Event? = nil
    ) {
        store.report(error, operation, event: event)
    }

    /// Runs `body` for each report from now on, in order, with the client's other closures.
    @discardableResult
    public func onError(_ body: @escaping @Sendable (ErrorReport) -> Void) -> Registration {
        store.listen(body)
    }

    /// Starts to listen.
    public func makeAsyncIterator() -> Iterator {
        let (queue, place) = store.follow()
        return Iterator(cursor: queue.cursor(), place: place)
    }

    /// Takes reports one by one.
    public struct Iterator: AsyncIteratorProtocol {
        /// Taking never fails.
        public typealias Failure = Never

        fileprivate let cursor: Cursor<ErrorReport>
        fileprivate let place: Place

        /// The next report; nil when the client is gone or the task was cancelled.
        public mutating func next() async -> ErrorReport? {
            await cursor.next(isolation: nil)
        }

        /// The next report, without leaving the caller's actor.
        @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
        public mutating func next(isolation actor: isolated (any Actor)?) async -> ErrorReport? {
            await cursor.next(isolation: actor)
        }
    }
}
