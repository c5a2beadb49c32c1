// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// A live handle's inbox; it keeps the client, and is closed when the last of its users is gone.
final class InboxHandle: Sendable {
    let client: SenteClient
    let inbox: InboxID
    let mailbox = BoundedMailbox<InboxElement>()
    private let closing: Command

    init(_ client: SenteClient, closing: (InboxID) -> Command) {
        self.client = client
        inbox = client.driver.submissions.makeInbox()
        self.closing = closing(inbox)
    }

    deinit {
        close()
    }

    /// Ends the sequence; what was handed over already can still be taken.
    func close() {
        client.driver.submissions.post(closing)
    }

    /// Takes what `element` finds in that which comes, for as long as it is kept.
    func makeIterator<Element>(
        _ element: @escaping (InboxElement) -> Element?
    ) -> MailboxIterator<Element> {
        let submissions = client.driver.submissions
        return MailboxIterator(
            mailbox, keeping: self, consumed: { [inbox] in submissions.consumed($0, from: inbox) },
            element: element)
    }
}
