// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

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
        var observers = Roster<@Sendable (State, State) -> Void>()
    }

    private let content: LockedValue<Content>
    private let followers: Broadcast<State>

    init(_ value: State) {
        content = LockedValue(Content(value: value))
        followers = Broadcast(BoundedQueue(latest: StatusBoard.bound), current: value)
    }

    /// What it is now.
    public var value: State { content.withLock { $0.value } }

    /// Runs `body` at each change, in order, with the client's other closures.
    @discardableResult
    public func onChange(_ body: @escaping @Sendable (_ old: State, _ new: State) -> Void) -> Registration {
        let number = content.withLock { $0.observers.add(body) }
        return Registration { [weak self] in self?.content.withLock { $0.observers.remove(number) } }
    }

    /// Takes values one by one.
    public typealias Iterator = MailboxIterator<State>

    /// Starts with the current value.
    public func makeAsyncIterator() -> Iterator {
        followers.makeIterator()
    }

    // MARK: What the hub does

    /// From now on reads give `value`.
    func set(_ value: State) {
        content.withLock { $0.value = value }
    }

    /// Tells of a change that `set` made.
    func tell(_ old: State, _ new: State) {
        for observer in content.withLock({ $0.observers.members }) { observer(old, new) }
        followers.send([new])
    }

    func finish() {
        content.withLock { $0.observers = Roster() }
        followers.finish()
    }
}
