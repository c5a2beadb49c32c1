// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// What the app asks of a session.
package enum Command: Sendable {
    /// Resolves when open. `limit` ends the waiting, not the connecting.
    case connect(CallID, limit: Duration?)
    /// Resolves when closed.
    case disconnect(CallID)
    case reconnect
    /// Ends an open link as if it were lost (Sente's `chsk-break-connection!`).
    case breakLink
    /// Wishes for a channel and opens a handle's inbox on it. A scoped wish is dropped again by `endScope`.
    case subscribe(CallID, channel: String, InboxID, scoped: Bool, history: ChannelHistory = .all)
    /// Follows a channel through a handle's inbox; `endScope` ends it.
    indirect case follow(CallID, channel: String, InboxID, from: ChannelStart)
    /// Drops the wish whoever made it, and finishes every handle of the channel.
    case unsubscribe(CallID, channel: String)
    /// Wishes for a channel and opens an inbox for its requests, of which `limit` are worked on at once; `endScope` ends both.
    case respond(channel: String, InboxID, limit: Int)
    /// Ends what `respond` began, after its last answer has left.
    case drain(CallID, InboxID)
    /// Resolves when every service has answered what it works on, or at the limit; until `disconnect` no request is taken.
    case drainAll(CallID, limit: Duration)
    /// Closes the inbox, and drops the wish that came with it when nobody else holds it.
    case endScope(InboxID)
    case openInbox(InboxID)
    case listen(InboxID, InboxFilter)
    case unlisten(InboxID, InboxFilter)
    case closeInbox(InboxID)
    /// Answers a request that came through a responder's inbox.
    case answer(
        InboxID, requestID: String, data: Value, isError: Bool, options: SendOptions = SendOptions(),
        trace: TraceContext? = nil)
    /// Sends through the outbox.
    case submit(CallID, Submission)
    /// Sends a durable message that was accepted in an earlier life; nobody waits for it.
    indirect case restore(CallID, Submission)
    /// The app found the answer to an event in another event.
    case settle(CallID, Value)
    /// Fetches what a reference names; it needs no link.
    indirect case fetch(CallID, LargeDataReference)
    case ping(CallID)
    case cancel(CallID)
    indirect case stream(String, StreamCommand)
}

/// A message for the outbox, and what is asked of it.
package struct Submission: Sendable {
    package var outbound: Outbound
    /// That of what it says, as it counts against the outbox.
    package var weight: Int
    package var options: SendOptions
    /// From the call on.
    package var limit: Duration?
    /// From when the message left; before that the outbox's time to live is its only limit.
    package var answerLimit: Duration?
    package var awaited: Awaited
    /// That of a durable message.
    package var id: String?
    /// Of which it is said as a step.
    package var trace: TraceContext?
}

extension Submission {
    package init(
        _ outbound: Outbound, weight: Int? = nil, options: SendOptions = SendOptions(),
        limit: Duration? = nil,
        answerLimit: Duration? = nil, awaits awaited: Awaited, id: String? = nil, trace: TraceContext? = nil
    ) {
        // All at once: an initializer that sets field after field ends with a copy of the whole.
        self.init(
            outbound: outbound, weight: weight ?? outbound.weight, options: options, limit: limit,
            answerLimit: answerLimit, awaited: awaited, id: id, trace: trace)
    }
}

/// What a submitted call waits for.
package enum Awaited: Sendable, Hashable {
    /// The kernel took its last byte.
    case written
    /// The server's reply, as the dialect names it.
    case reply
    /// A `settle` by the app.
    case settlement
}

/// What an inbox wants to hear.
package enum InboxFilter: Hashable, Sendable {
    case channel(WireName)
    case requests(WireName)
    case event(Keyword)
    case allEvents
    /// The pings of the server, as the event `:chsk/ws-ping`.
    case pings
}
