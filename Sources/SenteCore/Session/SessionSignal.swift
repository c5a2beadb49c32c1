// SPDX-License-Identifier: Apache-2.0

/// One piece of telemetry of a session, as data.
package enum SessionSignal: Hashable, Sendable {
    /// A link is being opened.
    case attemptStarted
    /// The server greeted; `timeToOpen` runs from the start of the attempt.
    case opened(timeToOpen: Duration, isReconnect: Bool)
    /// An attempt failed or a link is over; without an error when this client ended it.
    case linkEnded(SenteError?)
    /// Whole messages came, as many of them large.
    case received(messages: Int, bytes: Int, large: Int)
    /// Whole messages were handed to the link.
    case transmitted(messages: Int, bytes: Int, large: Int)
    /// A message left the outbox without being sent.
    case dropped(reason: SenteError.Code)
    /// An error was told to a call or a listener.
    case failed(SenteError.Code)
    /// Inboxes lost that many messages.
    case missed(Int)
    /// A ping found its pong.
    case roundTrip(Duration)
    /// A message could not be understood; the text says why.
    case undecodable(String)
    /// The server reported an error that belongs to no call.
    case serverError(String)
}
