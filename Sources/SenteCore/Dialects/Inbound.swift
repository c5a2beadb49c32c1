// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// What a server can say, after a dialect has read it.
package enum Inbound: Hashable, Sendable {
    /// The server's first word.
    indirect case greeting(Identity)
    /// The server wants to know who this client is before it greets.
    case challenge
    /// The server does not take this client, as HTTP would say it.
    indirect case refused(Refusal)
    /// A message of a channel, live.
    case delivery(ChannelMessage)
    /// An answer to something this client said.
    case reply(Correlation, Reply)
    /// Somebody asks this client, as a service.
    indirect case request(IncomingRequest)
    /// The server ended a subscription that nothing this client said ends.
    case subscriptionLost(channel: String, SenteError)
    case ping(stamp: Int64?)
    /// `stamp` is the one of the ping it answers.
    case pong(stamp: Int64?)
    /// The server reports an error that names no call.
    case failure(SenteError, Event)
    /// An application event.
    case event(Event)
    /// An application event by which the server may answer one of ours.
    case answering(Correlation, Event)
    /// The server took our pong (`pong-ack`), or sends it back.
    case pongAcknowledged
    /// A word of the streams of NATS.
    indirect case jetStream(JetStreamInbound)
    /// A word of flow, where that holds.
    indirect case flow(FlowFrame)
    /// Where else clients may go, as `host:port`, in place of what was said before.
    indirect case endpoints([String])
    /// The server is about to stop, and wants its clients to go elsewhere.
    case leaving
    /// Understood, and of no consequence.
    case noise
    /// Not understood; the text says why. The link goes on.
    case undecodable(String, UndecodableReason = .shape)
    /// The same with a `traceparent` that says nothing.
    indirect case mistraced(Inbound)
    /// It unfolds to more than may come; the text says so. The link ends.
    case tooLarge(String)
    /// The server broke its protocol; the text says how. The link ends.
    case violation(String)
}

extension Inbound {
    /// Whether a session that survives its links counts the message it came in.
    var isCounted: Bool {
        switch self {
        case .greeting, .challenge, .refused, .endpoints, .leaving, .ping, .pong, .pongAcknowledged: false
        case .flow(let frame): frame.word?.isCounted ?? false
        case .mistraced(let inbound): inbound.isCounted
        case .delivery, .reply, .request, .subscriptionLost, .failure, .event, .answering, .noise,
            .undecodable, .tooLarge, .violation, .jetStream:
            true
        }
    }

    /// Whether it is a word of flow that is no message: such a word comes alone.
    var isUncountedWord: Bool {
        if case .flow = self { !isCounted } else { false }
    }

    /// Why it ends the link, if it does.
    var fault: (reason: String, code: CloseCode)? {
        switch self {
        case .tooLarge(let reason): (reason, .messageTooBig)
        case .violation(let reason): (reason, .protocolError)
        default: nil
        }
    }

    /// Whether the bytes of its message are at fault.
    var isUnreadable: Bool {
        if case .undecodable(_, .format) = self { true } else { false }
    }
}

/// How a reply finds the call that caused it.
package enum Correlation: Hashable, Sendable {
    /// By an identifier.
    case id(ReplyKind, WireName)
    /// The oldest unanswered one of this kind and channel on the link.
    case next(ReplyKind, channel: WireName?)
    /// By the `request-id` that the data of an event and of its answer have in common.
    case requestID(Value)
    /// The oldest unanswered event with this id and data; with nil, whatever its data.
    indirect case echo(Keyword, data: Value?)
}

extension Correlation {
    /// Whether only the order tells it.
    var isNext: Bool {
        if case .next = self { true } else { false }
    }

    /// The text or data alone: to hash the kinds too would cost more than to compare the few that share a text.
    package func hash(into hasher: inout Hasher) {
        switch self {
        case .id(_, let name), .next(_, channel: let name?): hasher.combine(name)
        case .next(let kind, channel: nil): hasher.combine(kind)
        case .requestID(let value): hasher.combine(value)
        case .echo(let id, let data):
            hasher.combine(id)
            hasher.combine(data)
        }
    }
}

// Without raw values, which would be hashed in its place.
package enum ReplyKind: Hashable, Sendable, CaseIterable {
    case subscribe, unsubscribe, publish
    /// Where one word acknowledges subscribing and unsubscribing.
    case subscription
    /// The server took an RPC request and names its id.
    case request
    /// The service's answer to an RPC request.
    case answer
    case channels, subscriptions
    /// The server's answer to an application event.
    case event
}

package enum Reply: Hashable, Sendable {
    case subscribed(retained: [ChannelMessage])
    case unsubscribed
    case published(PublishReceipt)
    /// The request has this id and went to that many services; nil when the server does not say.
    case forwarded(requestID: String, deliveredTo: Int?)
    case answered(Value)
    case channels([ChannelInfo])
    case subscriptions([String])
    /// The server said no to whatever this answers.
    case refused(SenteError)
    /// What it means depends on what it answers.
    indirect case either(subscribe: Reply, unsubscribe: Reply)
}

/// A request of another client, for this one to answer.
package struct IncomingRequest: Hashable, Sendable {
    package var id: String
    package var channel: String
    package var data: Value
    package var sender: String?
    /// By the server's clock, in milliseconds since 1970.
    package var createdAt: Int64?
    /// Milliseconds the requester waits.
    package var limit: Int64?
    /// Whether the server kept it and handed it over at the subscription.
    package var isRetained: Bool
    package var trace: TraceContext?

    package init(
        id: String, channel: String, data: Value, sender: String? = nil, createdAt: Int64? = nil,
        limit: Int64? = nil, isRetained: Bool = false, trace: TraceContext? = nil
    ) {
        self.id = id
        self.channel = channel
        self.data = data
        self.sender = sender
        self.createdAt = createdAt
        self.limit = limit
        self.isRetained = isRetained
        self.trace = trace
    }
}
