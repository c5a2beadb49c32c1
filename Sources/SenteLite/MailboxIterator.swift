// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// Takes the elements of one of this package's sequences one by one, as they come.
public struct MailboxIterator<Element: Sendable>: AsyncIteratorProtocol {
    /// Taking never fails.
    public typealias Failure = Never

    // Whoever loops inlines what is done for each element: a generic call from another module costs more than a message.
    @usableFromInline let batch: MailboxBatch<Element>

    init(_ batch: MailboxBatch<Element>) {
        self.batch = batch
    }

    /// The next element; nil when the sequence is over or the task was cancelled.
    ///
    /// Returns without suspending while elements wait.
    @inlinable
    public mutating func next() async -> Element? {
        if let element = batch.inHand() { return element }
        return await batch.next(isolation: nil)
    }

    /// The next element, without leaving the caller's actor.
    @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
    @inlinable
    public mutating func next(isolation actor: isolated (any Actor)?) async -> Element? {
        if let element = batch.inHand() { return element }
        return await batch.next(isolation: actor)
    }
}

/// One consumer's batch of a mailbox, handed out without a lock.
///
/// What it has not handed out when it goes returns to the mailbox, so that leaving a loop loses nothing.
@usableFromInline
final class MailboxBatch<Element: Sendable> {
    @usableFromInline typealias Refill = @Sendable (isolated (any Actor)?) async -> [Element]

    /// The next one last, so that it is moved out and not copied.
    @usableFromInline var elements: [Element] = []
    @usableFromInline var handedOut = 0
    /// Gives the next batch, in reverse.
    @usableFromInline let refill: Refill
    @usableFromInline let consumed: (@Sendable (Int) -> Void)?
    private let giveBack: ([Element]) -> Void
    private let owner: AnyObject?

    init(
        keeping owner: AnyObject?, consumed: (@Sendable (Int) -> Void)?,
        giveBack: @escaping ([Element]) -> Void,
        refill: @escaping Refill
    ) {
        self.owner = owner
        self.consumed = consumed
        self.giveBack = giveBack
        self.refill = refill
    }

    deinit {
        guard !elements.isEmpty else { return }
        giveBack(elements.reversed())
        if handedOut > 0 { consumed?(handedOut) }
    }

    /// What is there without asking the mailbox; an asynchronous call for each element would cost more than the rest.
    @inlinable
    func inHand() -> Element? {
        guard let element = elements.popLast() else { return nil }
        handedOut += 1
        // Said with the last element, not after it: the next batch is on its way meanwhile.
        if elements.isEmpty { consumed?(handedOut) }
        return element
    }

    @usableFromInline
    func next(isolation: isolated (any Actor)?) async -> Element? {
        elements = await refill(isolation)
        handedOut = 0
        return inHand()
    }
}

extension BoundedMailbox {
    /// Takes everything that comes; `keeping` lives as long as the iterator.
    package func makeIterator(keeping owner: AnyObject) -> MailboxIterator<Element> {
        MailboxIterator(
            MailboxBatch(keeping: owner, consumed: nil, giveBack: giveBack) { [self] isolation in
                await take(isolation: isolation).reversed()
            })
    }
}
