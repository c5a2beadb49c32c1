// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// What NATS cannot say, and what would say something else there.
extension Dialect {
    static func checkNATS(_ outbound: Outbound) throws(SenteError) {
        switch outbound {
        case .subscribe(let channel), .unsubscribe(let channel):
            try NATSSubject.check(channel, for: .subscribing)
        case .publish(let channel, _, _), .request(let channel, _, _):
            try NATSSubject.check(channel, for: .publishing)
        case .jetStream(let word): try check(word)
        case .event:
            throw unsupportedByNATS(
                "NATS has no server-side application to send events to: use publish(_:to:), or request(_:on:)."
            )
        case .listChannels, .listSubscriptions:
            throw unsupportedByNATS(
                "NATS tells nobody its channels: `subscriptions` has this client's own.")
        case .flow: throw unsupportedByNATS("NATS has no such operation.")
        case .answer, .ping, .pong, .identified, .traced, .headed: break
        }
    }

    private static func check(_ word: JetStreamOutbound) throws(SenteError) {
        switch word {
        case .store(let channel, _, let stored, _):
            try NATSSubject.check(channel, for: .publishing)
            guard let id = stored.messageID else { return }
            guard !id.isEmpty, id.utf8.count <= 1_024 else {
                throw invalid(
                    "`messageID` has \(id.utf8.count) bytes: give 1 to 1,024, or nil for one that the client makes."
                )
            }
            _ = try NATSHead([NATSHeader.messageID: id]).encoded()
        case .ask, .listen, .unlisten, .flow: break
        }
    }

    private static func unsupportedByNATS(_ message: String) -> SenteError {
        SenteError(.unsupported, message, outcome: .notSent)
    }
}
