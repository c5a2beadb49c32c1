// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// A live handle's inbox; it keeps the client, and is closed when the last of its users is gone.
final class InboxHandle: Sendable {
    let client: SenteClient
    let inbox: InboxID
    let mailbox = Mailbox<InboxElement>()
    private let closing: Command

    init(_ client: SenteClient, closing: (InboxID) -> Command) {
        self.client = client
        inbox = client.driver.intake.makeInbox()
        self.closing = closing(inbox)
    }

    deinit {
        close()
    }

    /// Ends the sequence; what was handed over already can still be taken.
    func close() {
        client.driver.intake.post(closing)
    }

    func cursor() -> Cursor<InboxElement> {
        Cursor(mailbox) { [intake = client.driver.intake, inbox] count in
            intake.post([.input(.consumed(inbox, count))])
        }
    }
}
