// SPDX-License-Identifier: Apache-2.0

/// Why the server did not do what it was asked, spelled as on the wire.
package enum RejectionReason: String, Hashable, Sendable {
    case channelNotFound = "channel-not-found"
    case subscribersReached = "max-subscribers-reached"
    case subscriptionsReached = "max-subscriptions-per-conn"
    case channelsReached = "max-channels-reached"
    case nameTooLong = "channel-id-too-long"
    case dataUnfit = "data-not-an-object"
    case requestNotFound = "request-not-found"
    case requestTimedOut = "rpc-timeout"
    case requestsReached = "max-pending-requests-reached"
    case unreadable = "invalid-message"
    case floodUnfit = "invalid-flood"

    /// For people.
    package var sentence: String {
        switch self {
        case .channelNotFound:
            "The channel does not exist. Subscribe to create it, or create it on the server."
        case .subscribersReached: "The channel has as many subscribers as it allows. Try again later."
        case .subscriptionsReached: "This connection has as many subscriptions as the server allows."
        case .channelsReached: "The server has as many channels as it allows."
        case .nameTooLong: "The channel-id is longer than the server allows."
        case .dataUnfit: "The data of a message must be an object or absent."
        case .requestNotFound: "No request with this request-id is waiting for an answer."
        case .requestTimedOut: "Nobody answered the request within its time limit."
        case .requestsReached: "Too many requests are waiting for their answers. Try again later."
        case .unreadable: "Failed to process message: it is not JSON, or null."
        case .floodUnfit: "A flood needs a count from 0 and data that is an object or absent."
        }
    }
}
