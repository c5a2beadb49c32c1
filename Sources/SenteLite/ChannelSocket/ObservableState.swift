// SPDX-License-Identifier: Apache-2.0

/// A value that changes: what it is now, and each change from now on; Sente's watchable atom.
///
/// As a sequence it gives the current value first and then every new one, to any number of consumers; one that does not
/// keep up misses the oldest, 256 wait for it. It does not keep the client, and ends with it.
public final class ObservableState<State: Sendable>: AsyncSequence, Sendable {
    /// What it yields.
    public typealias Element = State
    /// The sequence never fails.
    public typealias Failure = Never

    private struct Content {
        var value: State
        var observers: [(id: UInt64, body: @Sendable (State, State) -> Void)] = []
        var followers: [UInt64: Mailbox<State>] = [:]
        var last: UInt64 = 0
        var isFinished = false
    }

    /// How many values wait for one consumer before the oldest go.
    private static var bound: Int { 256 }

    private let content: Guarded<Content>

    init(_ value: State) {
        content = Guarded(Content(value: value))
    }

    /// What it is now.
    public var value: State { content.withLock { $0.value } }

    /// Runs `body` at each change, in order, with the client's other closures.
    @discardableResult
    public func onChange(_ body: @escaping @Sendable (_ old: State, _ new: State) -> Void) -> Registration {
        let id = content.withLock { content in
            content.last += 1
            content.observers.append((content.last, body))
            return content.last
        }
        return Registration { [weak self] in
            self?.content.withLock { $0.observers.removeAll { $0.id == id } }
        }
    }

    /// Starts with the current value.
    public func makeAsyncIterator() -> Iterator {
        let mailbox = Mailbox<State>(bound: Self.bound)
        let id = content.withLock { content in
            content.last += 1
            mailbox.put([content.value])
            if content.isFinished { mailbox.finish() } else { content.followers[content.last] = mailbox }
            return content.last
        }
        return Iterator(
            cursor: Cursor(mailbox),
            place: Place { [weak self] in self?.content.withLock { $0.followers[id] = nil } })
    }

    /// Takes values one by one.
    public struct Iterator: AsyncIteratorProtocol {
        /// Taking never fails.
        public typealias Failure = Never

        fileprivate let cursor: Cursor<State>
        fileprivate let place: Place

        /// The next value; nil when the client is gone or the task was cancelled.
        public mutating func next() async -> State? {
            await cursor.next(isolation: nil)
        }

        /// The next value, without leaving the caller's actor.
        @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
        public mutating func next(isolation actor: isolated (any Actor)?) async -> State? {
            await cursor.next(isolation: actor)
        }
    }

    // MARK: What the hub does

    /// From now on reads give `value`.
    func set(_ value: State) {
        content.withLock { $0.value = value }
    }

    /// Tells of a change that `set` made.
    func tell(_ old: State, _ new: State) {
        let (observers, followers) = content.withLock { ($0.observers, Array($0.followers.values)) }
        for observer in observers { observer.body(old, new) }
        for follower in followers { follower.put([new]) }
    }

    func finish() {
        let followers = content.withLock { content in
            content.isFinished = true
            content.observers = []
            defer { content.followers = [:] }
            return Array(content.followers.values)
        }
        for follower in followers { follower.finish() }
    }
}

/// An iterator's place among the consumers, given up when the iterator goes.
final class Place: Sendable {
    private let leave: @Sendable () -> Void

    init(_ leave: @escaping @Sendable () -> Void) {
        self.leave = leave
    }

    deinit {
        leave()
    }
}
