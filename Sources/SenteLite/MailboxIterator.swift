// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// Takes the elements of one of this package's sequences one by one, as they come.
public struct MailboxIterator<Element: Sendable>: AsyncIteratorProtocol {
    /// Taking never fails.
    public typealias Failure = Never

    private let source: any ElementSource<Element>
    /// What is there without asking the mailbox: a closure, for it is specialised, and what stands behind a protocol is not.
    private let inHand: () -> Element?

    /// Everything that comes to a mailbox; `keeping` lives as long as the iterator.
    init(_ mailbox: BoundedMailbox<Element>, keeping owner: AnyObject? = nil) {
        self.init(mailbox, keeping: owner) { $0 }
    }

    /// What `element` finds in that which comes to a mailbox.
    ///
    /// `consumed` hears how many of it were handed out, once a batch.
    init<Stored: Sendable>(
        _ mailbox: BoundedMailbox<Stored>, keeping owner: AnyObject? = nil,
        consumed: ((Int) -> Void)? = nil, element: @escaping (Stored) -> Element?
    ) {
        let source = MailboxSource(mailbox, owner, consumed, element)
        self.source = source
        inHand = { source.inHand() }
    }

    /// The next element; nil when the sequence is over or the task was cancelled.
    ///
    /// Returns without suspending while elements wait.
    public mutating func next() async -> Element? {
        if let element = inHand() { return element }
        return await source.next(isolation: nil)
    }

    /// The next element, without leaving the caller's actor.
    @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
    public mutating func next(isolation actor: isolated (any Actor)?) async -> Element? {
        if let element = inHand() { return element }
        return await source.next(isolation: actor)
    }
}

private protocol ElementSource<Element>: AnyObject {
    associatedtype Element

    func next(isolation: isolated (any Actor)?) async -> Element?
}

/// One consumer's batch of a mailbox, handed out without a lock.
///
/// What it has not handed out when it goes returns to the mailbox, so that leaving a loop loses nothing.
private final class MailboxSource<Stored: Sendable, Element>: ElementSource {
    private let mailbox: BoundedMailbox<Stored>
    private let owner: AnyObject?
    private let consumed: ((Int) -> Void)?
    private let element: (Stored) -> Element?
    /// The next one last, so that it is moved out and not copied.
    private var batch: [Stored] = []
    private var handedOut = 0

    init(
        _ mailbox: BoundedMailbox<Stored>, _ owner: AnyObject?, _ consumed: ((Int) -> Void)?,
        _ element: @escaping (Stored) -> Element?
    ) {
        self.mailbox = mailbox
        self.owner = owner
        self.consumed = consumed
        self.element = element
    }

    deinit {
        guard !batch.isEmpty else { return }
        mailbox.giveBack(batch.reversed())
        if handedOut > 0 { consumed?(handedOut) }
    }

    func inHand() -> Element? {
        while let stored = batch.popLast() {
            handedOut += 1
            // Said with the last element, not after it: the next batch is on its way meanwhile.
            if batch.isEmpty { consumed?(handedOut) }
            if let element = element(stored) { return element }
        }
        return nil
    }

    func next(isolation: isolated (any Actor)?) async -> Element? {
        while true {
            if let element = inHand() { return element }
            batch = await mailbox.take(isolation: isolation)
            batch.reverse()
            handedOut = 0
            if batch.isEmpty { return nil }
        }
    }
}
