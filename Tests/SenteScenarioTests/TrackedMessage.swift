// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// A message of an app, followed from the call to its end.
///
/// Its number is in its data, so that it is known everywhere.
struct TrackedMessage {
    /// What the server did with it, as the server itself knows.
    enum Treatment: Equatable {
        case published(messageID: String)
        case forwarded(requestID: String, deliveredTo: Int)
        case refused
    }

    let client: Int
    let call: CallID
    let sentAt: Instant
    /// The outbox lets it wait until then.
    let livesUntil: Instant?
    /// The link it was handed to.
    var link: LinkID?
    var reachedServer = 0
    var treatment: Treatment?
    /// The place among everything the server got.
    var arrival: Int?
    var isNotSent = false
}

extension Outbound {
    /// The number of the tracked message that this is.
    var messageNumber: Int? {
        switch self {
        case .publish(_, let data, _), .request(_, let data, _): data["n"]?.integerValue.map { Int($0) }
        case .event(let event, _): event.data["n"]?.integerValue.map { Int($0) }
        case .identified(_, let outbound), .traced(let outbound, _), .headed(_, let outbound):
            outbound.messageNumber
        case .subscribe, .unsubscribe, .answer, .ping, .pong, .listChannels, .listSubscriptions, .flow,
            .jetStream:
            nil
        }
    }

    /// Whether the app's outbox holds such a message.
    var isOfApp: Bool {
        switch self {
        case .publish, .request, .event, .answer, .listChannels, .listSubscriptions, .identified, .traced,
            .headed, .jetStream:
            true
        case .subscribe, .unsubscribe, .ping, .pong, .flow: false
        }
    }
}
