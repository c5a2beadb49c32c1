// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// One piece of telemetry of a session, as data.
package enum SessionSignal: Hashable, Sendable {
    /// A link is being opened.
    case attemptStarted
    /// The server greeted; `timeToOpen` runs from the start of the attempt, `connection` is its name for the connection.
    case opened(timeToOpen: Duration, isReconnect: Bool, connection: String? = nil)
    /// An attempt failed or a link is over; without an error when this client ended it.
    case linkEnded(SenteError?)
    /// The session of the last link went on: so many messages came and went again, so many went as words that only count, and so
    /// many the server had let go.
    case resumed(replayedIn: Int, replayedOut: Int, skipped: Int, missed: Int)
    /// The session of the last link is gone.
    case sessionLost
    /// How messages travelled, otherwise than plain.
    case flow(FlowSignal)
    /// Something was stored or fetched, or could not be.
    indirect case largeData(LargeDataSignal)
    /// Whole messages came, as many of them large.
    case received(messages: Int, bytes: Int, large: Int)
    /// Whole messages were handed to the link.
    case transmitted(messages: Int, bytes: Int, large: Int)
    /// A message left the outbox without being sent.
    case dropped(reason: SenteError.Code)
    /// An error was told to a call or a listener.
    case failed(SenteError.Code)
    /// A call was refused on its caller's thread.
    case refused(SenteError.Code)
    /// Inboxes lost that many messages.
    case missed(Int)
    /// The server named a request and said to how many it was delivered; `remaining` is how long it is still waited for.
    indirect case requestSent(
        id: String, channel: String, deliveredTo: Int?, remaining: Duration?, TraceContext? = nil)
    /// A request that has a name ended, so long after it left: answered, or with an error that says why not.
    indirect case requestEnded(id: String, Duration, SenteError.Code? = nil, TraceContext? = nil)
    /// An answer to a request of another was handed to the link.
    case responseSent(requestID: String, isError: Bool, TraceContext? = nil)
    /// A ping found its pong.
    case roundTrip(Duration)
    /// A message could not be understood; the text says why.
    case undecodable(String, UndecodableReason = .shape)
    /// The server reported an error that belongs to no call.
    case serverError(String)
    /// A handler of `respond` threw what its requester must not see; the requester was given the id.
    case responderFailed(channel: String, id: String, text: String)
    /// The store of durable messages could not do its work; the text says why.
    case storeFailed(String)
    /// Something came that was understood, and went to nobody.
    case ignored(IgnoredReason)
}

/// Why something that was understood went to nobody.
package enum IgnoredReason: String, Hashable, Sendable, CaseIterable {
    /// A reply to what this client said, which nobody awaits any more: it came too late, or for the second time.
    case lateReply
    /// A request, or a message that the server kept, which had come before.
    case repeated
    /// A request for which it was too late when it could be handed out.
    case overdueRequest
    /// A request for a channel that this client does not serve.
    case unservedRequest
    /// A ping of a server that reads none of the answers.
    case surplusPing
    /// A message or an event that no handle listened to, or that came when nothing is handed out.
    case unheard
    /// A `traceparent` of a message that is none; the message went on without it.
    case malformedTrace
}

/// How messages travelled, otherwise than plain.
package enum FlowSignal: Hashable, Sendable {
    /// So many went as one.
    case batched(messages: Int, reason: FlushReason)
    /// Messages left that may wait for company; the oldest of them had waited so long.
    case lingered(Duration)
    /// What came of compressing one, and how long that took.
    case compressed(Packing.Compressed, Duration)
    /// So many parts went.
    case partsSent(Int)
    /// The last part of a message went.
    case chunked
    /// What is kept of the server's messages in parts.
    case partsHeld(Reassembly.Holding)
    /// Messages of the server in parts were given up.
    case partsLost(Reassembly.Losses)
    indirect case stream(StreamSignal)
}
