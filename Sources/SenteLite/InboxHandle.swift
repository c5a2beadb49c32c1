// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// A live handle's inbox; it keeps the client, and is closed when the last of its users is gone.
final class InboxHandle: Sendable {
    let client: SenteClient
    let inbox: InboxID
    let mailbox = BoundedMailbox<InboxElement>()
    /// The name of a wish that is this handle's alone.
    let wish: String?
    private let closing: Command

    init(_ client: SenteClient, following channel: String? = nil, closing: (InboxID) -> Command) {
        self.client = client
        let inbox = client.driver.submissions.makeInbox()
        self.inbox = inbox
        wish = channel.map { Followers.wish($0, inbox) }
        self.closing = closing(inbox)
    }

    deinit {
        close()
    }

    /// Ends the sequence; what was handed over already can still be taken.
    func close() {
        client.driver.submissions.post(closing)
    }

    /// Takes what `unwrap` finds in that which comes, for as long as it is kept; `wrap` is for what is given back.
    func makeIterator<Element>(
        unwrap: @escaping @Sendable (consuming InboxElement) -> Element?,
        wrap: @escaping @Sendable (Element) -> InboxElement
    ) -> MailboxIterator<Element> {
        let (mailbox, inbox, submissions) = (mailbox, inbox, client.driver.submissions)
        let consumed = { @Sendable count in submissions.consumed(count, from: inbox) }
        return MailboxIterator(
            MailboxBatch(
                keeping: self, consumed: consumed, giveBack: { mailbox.giveBack($0.map(wrap)) },
                refill: { isolation in
                    while true {
                        var stored = await mailbox.take(isolation: isolation)
                        let count = stored.count
                        var elements: [Element] = []
                        elements.reserveCapacity(count)
                        // In reverse, as a batch wants them; each is moved and not copied.
                        while let element = stored.popLast() {
                            if let element = unwrap(consume element) { elements.append(element) }
                        }
                        if elements.count < count { consumed(count - elements.count) }
                        if !elements.isEmpty || count == 0 { return elements }
                    }
                }))
    }
}
