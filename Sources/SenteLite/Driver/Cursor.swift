// SPDX-License-Identifier: Apache-2.0

/// One consumer's place in a mailbox: it holds a batch and hands out its elements without a lock.
///
/// What it has not handed out when it goes returns to the mailbox, so that leaving a loop loses nothing.
final class Cursor<Element: Sendable> {
    private let mailbox: Mailbox<Element>
    private let consumed: (Int) -> Void
    private var batch: [Element] = []
    private var position = 0

    /// `consumed` is told how many elements were handed out, once a batch.
    init(_ mailbox: Mailbox<Element>, consumed: @escaping (Int) -> Void = { _ in }) {
        self.mailbox = mailbox
        self.consumed = consumed
    }

    deinit {
        guard position < batch.count else { return }
        mailbox.giveBack(batch[position...])
        if position > 0 { consumed(position) }
    }

    func next(isolation: isolated (any Actor)?) async -> Element? {
        if batch.isEmpty { batch = await mailbox.take(isolation: isolation) }
        guard position < batch.count else { return nil }
        let element = batch[position]
        position += 1
        if position == batch.count {
            // Said with the last element, not after it: the next batch is on its way meanwhile.
            consumed(position)
            batch = []
            position = 0
        }
        return element
    }
}
