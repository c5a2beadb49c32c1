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

    private let board: StatusBoard

    init(_ board: StatusBoard) {
        self.board = board
    }

    /// Starts with the current status.
    public func makeAsyncIterator() -> Iterator {
        Iterator(Follower(board))
    }

    /// Takes statuses one by one.
    public struct Iterator: AsyncIteratorProtocol {
        /// Taking never fails.
        public typealias Failure = Never

        private let follower: Follower
        private let cursor: Cursor<ConnectionStatus>

        fileprivate init(_ follower: Follower) {
            self.follower = follower
            cursor = Cursor(follower.mailbox)
        }

        /// The next status; nil when the client is gone or the task was cancelled.
        ///
        /// Returns without suspending while statuses wait.
        public mutating func next() async -> ConnectionStatus? {
            await cursor.next(isolation: nil)
        }

        /// The next status, without leaving the caller's actor.
        @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
        public mutating func next(isolation actor: isolated (any Actor)?) async -> ConnectionStatus? {
            await cursor.next(isolation: actor)
        }
    }

    /// Leaves the board's list when its iterator goes.
    fileprivate final class Follower: Sendable {
        let mailbox: Mailbox<ConnectionStatus>
        private let board: StatusBoard
        private let id: UInt64

        init(_ board: StatusBoard) {
            self.board = board
            (id, mailbox) = board.follow()
        }

        deinit {
            board.unfollow(id)
        }
    }
}
