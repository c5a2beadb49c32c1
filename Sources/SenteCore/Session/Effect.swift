// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Something the session wants done.
///
/// Performed in order, after the transition that made it is complete. What is large and rare is `indirect`, for effects are
/// copied with every message.
package enum Effect: Sendable, Equatable {
    indirect case openLink(LinkID, LinkTarget)
    case transmit(LinkID, [Transmission])
    /// Ends the link with a closing handshake.
    case closeLink(LinkID, CloseCode, reason: String)
    /// Ends the link without one; it reports nothing any more.
    case abandonLink(LinkID)
    /// Sends a WebSocket ping; the link answers with `progress` when its pong comes.
    case pingLink(LinkID)
    /// Asks how much of what was sent was lost; `Input.measured` has the answer, where there is one.
    case measureLoss(LinkID)
    case pauseReading(LinkID)
    case resumeReading(LinkID)
    case ask(AskID, Ask)
    case cancelAsk(AskID)
    /// The inbox holds something to take.
    case ready(InboxID)
    /// Nothing will come through this inbox any more.
    case finish(InboxID)
    case resolve(CallID, Result<Answer, SenteError>)
    /// To be done elsewhere than on the loop; `Input.worked` brings what came of it.
    indirect case work(LargeWork)
    /// To be done by the storage; `Input.storageDone` brings what came of it, unless it is called off.
    indirect case storage(StorageID, StorageWork)
    case cancelStorage(StorageID)
    /// The durable message with this id is done: its store may forget it.
    indirect case settled(String, Result<Answer, SenteError>)
    indirect case publish(ConnectionStatus)
    case subscription(channel: String, SubscriptionStatus)
    /// A channel that was lost is about to be confirmed again.
    indirect case gap(channel: String, ChannelGap)
    /// What a stream wants done, but for what it says.
    indirect case stream(StreamTable.Output)
    case record(SessionSignal)
}

/// Where and how to open a link.
package struct LinkTarget: Sendable, Equatable {
    /// What the endpoint provider gave; nil for the configured URL.
    package var endpoint: String?
    package var token: String?
    /// What the parameters provider gave, for the URL's query.
    package var parameters = NamedValues()
    /// When opening must be over.
    package var deadline: Instant

    package init(endpoint: String? = nil, token: String? = nil, deadline: Instant) {
        self.endpoint = endpoint
        self.token = token
        self.deadline = deadline
    }
}

/// A question to the app's providers.
package enum Ask: Sendable, Equatable {
    case endpoint
    case token(AttemptReason)
    case parameters(AttemptReason)
    case delay(ReconnectPolicy.Context)
}

/// Why a provider is asked for what an attempt needs.
public enum AttemptReason: String, Sendable, CaseIterable {
    /// An ordinary attempt.
    case connecting
    /// The server refused what was given last (401 or 403); a cached token will not do.
    case refused
}

/// What a call resolved to.
package enum Answer: Sendable, Equatable {
    case done
    case subscribed(SubscriptionStatus)
    case written
    case published(PublishReceipt)
    case value(Value)
    case channels([ChannelInfo])
    case names([String])
    case roundTrip(Duration)
}

/// A wish as the app sees it.
package struct WishStatus: Sendable, Equatable {
    /// Where it stands among the wishes: those made later have higher ones.
    package var place: UInt64
    package var status: SubscriptionStatus
}

/// Where a wish stands.
package struct SubscriptionStatus: Sendable, Equatable {
    /// The server confirmed it on the current link.
    package var isConfirmed: Bool
    /// The server refused it; not asked again until the app does.
    package var rejection: SenteError?

    package init(isConfirmed: Bool = false, rejection: SenteError? = nil) {
        self.isConfirmed = isConfirmed
        self.rejection = rejection
    }
}
