// SPDX-License-Identifier: Apache-2.0

/// Where a subscription stands.
public enum SubscriptionState: Hashable, Sendable {
    /// The channel is wished for, and the server has not confirmed it on this connection, if there is one.
    case subscribing
    /// The server has confirmed it.
    case subscribed
    /// The server refused it; it is not asked again until `subscribe` is called again.
    case refused(SenteError)
    /// Messages may be missing: told right before `subscribed` when a connection that was lost is made good, and as soon as it
    /// is known in a channel that is followed.
    case gap(ChannelGap)
    /// Nobody wishes for it any more.
    case ended
}

extension SubscriptionStatus {
    package var state: SubscriptionState {
        if let rejection { .refused(rejection) } else if isConfirmed { .subscribed } else { .subscribing }
    }
}
