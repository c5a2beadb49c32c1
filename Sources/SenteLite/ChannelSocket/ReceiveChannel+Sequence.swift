// SPDX-License-Identifier: Apache-2.0

import SenteCore

extension ReceiveChannel: AsyncSequence {
    /// What it yields.
    public typealias Element = EventMessage
    /// The sequence never fails.
    public typealias Failure = Never

    /// Takes messages one by one.
    public typealias Iterator = MailboxIterator<EventMessage>

    /// Starts to listen.
    public func makeAsyncIterator() -> Iterator {
        let inbox = socket.hub.configuration.inbox
        let mailbox = BoundedMailbox<EventMessage>(
            bounded: BoundedQueue(maximumCount: inbox.maximumMessages, maximumBytes: inbox.maximumBytes))
        let number = socket.hub.add(mailbox)
        // The place keeps the socket, and with it what comes.
        let place = CancelOnDeinit { [socket] in if let number { socket.hub.removeListener(number) } }
        return mailbox.makeIterator(keeping: place)
    }
}

extension BoundedMailbox<EventMessage>: ReceiveHub.Listener {}
