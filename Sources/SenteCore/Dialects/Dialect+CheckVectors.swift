// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// What the vector dialects cannot say, and what their servers would drop without a word.
extension Dialect {
    static func checkLiteVectors(_ outbound: Outbound) throws(SenteError) {
        if let channel = outbound.channel { try check(channel: channel) }
        switch outbound {
        // The server throws on other data, and then delivers nothing (sente_lite/server.cljc, channels/publish!).
        case .publish(_, let data, _): try check(data: data)
        case .event(let event, _):
            try check(eventID: event.id)
            guard !VectorWord.actedUpon.contains(event.id) else { throw reserved(event.id) }
        case .request, .answer:
            throw unsupported(
                "Servers of the dialect senteLiteVectors carry no requests: use send(_:timeout:), "
                    + "or send(_:timeout:reply:) where the answer is another event.")
        case .listChannels, .listSubscriptions:
            throw unsupported(
                "Servers of the dialect senteLiteVectors do not tell their channels: `subscriptions` has this "
                    + "client's own.")
        case .jetStream: throw senteLiteVectors.streamless
        case .subscribe, .unsubscribe, .ping, .pong, .flow, .identified, .traced, .headed: break
        }
    }

    static func checkSente(_ outbound: Outbound) throws(SenteError) {
        switch outbound {
        case .event(let event, _): try check(eventID: event.id)
        case .subscribe, .unsubscribe, .publish, .listChannels, .listSubscriptions:
            throw unsupported(
                "Sente has no channels: send an event (send(_:)), and let the server push to whom it concerns; "
                    + "events and on(_:) hear what it pushes.")
        case .request, .answer:
            throw unsupported(
                "Sente has no requests between clients: use send(_:timeout:), which the server answers.")
        case .jetStream: throw sente.streamless
        case .ping, .pong, .flow, .identified, .traced, .headed: break
        }
    }

    /// Servers drop anything but a namespaced keyword (sente.cljc, `validate-event`).
    private static func check(eventID id: Keyword) throws(SenteError) {
        guard !id.text.isEmpty else {
            throw invalid("The event's `id` is empty: give it a name, as in :my-app/hello.")
        }
        guard id.isValid else {
            throw invalid(
                "The event's `id` “\(id.text.excerpt())” is no keyword: use letters, digits and -, as in :my-app/hello."
            )
        }
        guard let namespace = id.namespace else {
            throw invalid(
                "The event's `id` :\(id.text.excerpt()) has no namespace, and the server would drop it: write it "
                    + "as in :my-app/\(id.name.excerpt()).")
        }
        guard namespace != VectorWord.namespace else { throw reserved(id) }
    }

    private static func reserved(_ id: Keyword) -> SenteError {
        invalid(
            "The event's `id` :\(id.text.excerpt()) is a word of the protocol: use the client's own call, or another id."
        )
    }

    private static func unsupported(_ message: String) -> SenteError {
        SenteError(.unsupported, message, outcome: .notSent)
    }
}
