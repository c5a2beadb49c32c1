// SPDX-License-Identifier: Apache-2.0

import SenteCore

extension ReceiveChannel: AsyncSequence {
    /// What it yields.
    public typealias Element = EventMessage
    /// The sequence never fails.
    public typealias Failure = Never

    /// Starts to listen.
    public func makeAsyncIterator() -> Iterator {
        let inbox = socket.hub.configuration.inbox
        let listener = SequenceListener(
            FollowerQueue(maximumCount: inbox.maximumMessages, maximumBytes: inbox.maximumBytes))
        let id = socket.hub.add(listener)
        // The place keeps the socket, and with it what comes.
        let place = Place { [socket] in if let id { socket.hub.removeListener(id) } }
        return Iterator(cursor: listener.queue.cursor(), place: place)
    }

    /// Takes messages one by one.
    public struct Iterator: AsyncIteratorProtocol {
        /// Taking never fails.
        public typealias Failure = Never

        fileprivate let cursor: Cursor<EventMessage>
        fileprivate let place: Place

        /// The next message; nil when the task was cancelled.
        ///
        /// Returns without suspending while messages wait.
        public mutating func next() async -> EventMessage? {
            await cursor.next(isolation: nil)
        }

        /// The next message, without leaving the caller's actor.
        @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
        public mutating func next(isolation actor: isolated (any Actor)?) async -> EventMessage? {
            await cursor.next(isolation: actor)
        }
    }
}

/// A loop over a receive channel.
private final class SequenceListener: ReceiveHub.Listener {
    let queue: FollowerQueue<EventMessage>

    init(_ queue: FollowerQueue<EventMessage>) {
        self.queue = queue
    }

    func put(_ message: EventMessage, size: Int) {
        queue.put(message, size: size)
    }

    func finish() {
        queue.finish()
    }
}
