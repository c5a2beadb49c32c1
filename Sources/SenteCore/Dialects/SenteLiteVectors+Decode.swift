// SPDX-License-Identifier: Apache-2.0

package import SenteWire

extension SenteLiteVectors {
    package func read(_ value: Value, isCallback: (String) -> Bool) -> [Inbound] {
        guard let items = value.arrayValue else {
            return [.undecodable("The server sent a message that is no vector; it was skipped.")]
        }
        guard let first = items.first else { return [.noise] }
        if items.count == 2, case .string(let callback) = items[1] {
            // `[:my-app/said "text"]` is an event, unless this client gave that text for an answer.
            if first.keywordValue == nil || isCallback(callback) {
                return [Self.answer(callback, first)]
            }
        }
        // Several at once, as Sente pushes them.
        if items.contains(where: { $0.arrayValue != nil }), first.keywordValue == nil {
            return items.map(heard)
        }
        return [heard(value)]
    }

    private func heard(_ vector: Value) -> Inbound {
        let inbound = Self.event(vector)
        guard readsTraces else { return inbound }
        let isWrapped = vector[0]?.keywordValue == VectorWord.received
        return traced(inbound, by: MapFrame(isWrapped ? vector[1]?[1] : vector[1]))
    }

    private static func answer(_ callback: String, _ data: Value) -> Inbound {
        .reply(.id(.event, WireName(callback)), .answered(data))
    }

    private static func event(_ value: Value, isWrapped: Bool = false) -> Inbound {
        do throws(UnreadableError) {
            let event = try Event(vector: value)
            switch event.id {
            case VectorWord.channelMessage: return delivery(event.data)
            case VectorWord.subscribed: return acknowledgement(event.data)
            case VectorWord.echo: return echo(event)
            case VectorWord.ping: return .ping(stamp: nil)
            case VectorWord.pong: return .pong(stamp: nil)
            case VectorWord.handshake: return .handshake(event.data, named: true)
            case VectorWord.reply: return reply(event.data)
            case VectorWord.received where !isWrapped: return unwrapped(event.data)
            default:
                if let frame = FlowFrame(event) { return .flow(frame) }
                return event.requestID.map { .answering(.requestID($0), event) } ?? .event(event)
            }
        } catch {
            return error.inbound
        }
    }

    // MARK: Channels

    private static func delivery(_ data: Value) -> Inbound {
        guard let frame = MapFrame(data), let channel = channel(named: frame[.channel]) else {
            return .undecodable(
                "The server delivered a message whose `channel-id` names no channel; it was skipped.")
        }
        return .delivery(
            ChannelMessage(channel: channel, data: frame[.data] ?? .null, sender: frame.text(.from)))
    }

    /// The answer to a subscribe and to an unsubscribe, or the end of a subscription.
    private static func acknowledgement(_ data: Value) -> Inbound {
        guard let frame = MapFrame(data), let channel = channel(named: frame[.channel]) else {
            return .undecodable(
                "The server answered for a `channel-id` that names no channel; it was skipped.")
        }
        // Null stands for a channel the server does not know: nothing is subscribed there either.
        let reply = Reply.either(
            subscribe: frame.isTrue(.success)
                ? .subscribed(retained: []) : .refused(rejection("subscription", channel, frame)),
            unsubscribe: frame[.success] == false
                ? .refused(rejection("unsubscription", channel, frame)) : .unsubscribed)
        return .reply(.next(.subscription, channel: WireName(channel)), reply)
    }

    private static func rejection(_ deed: String, _ channel: String, _ frame: MapFrame) -> SenteError {
        let advice =
            switch frame.text(.error) {
            case "channel-not-found"?:
                "The channel does not exist (channel-not-found): have the server create it."
            case "max-subscribers-reached"?:
                "The channel is full (max-subscribers-reached): try again later."
            case "max-subscriptions-per-conn"?:
                "This connection has as many as it may (max-subscriptions-per-conn): end another one first."
            case let reason?: "Its reason is “\(reason.excerpt())”."
            case nil: "It gave no reason."
            }
        return SenteError(
            .rejected, "The server refused the \(deed) of “\(channel.excerpt())”. \(advice)",
            outcome: .acknowledged, details: frame.only(.error, .reason, "message"))
    }

    // MARK: Replies

    /// What comes back of an event that the server does nothing with (`:sente-lite/echo`).
    private static func echo(_ event: Event) -> Inbound {
        let frame = MapFrame(event.data)
        guard let id = frame?[.originalID]?.keywordValue else { return .event(event) }
        switch id {
        case VectorWord.ping: return .pong(stamp: nil)
        case VectorWord.pong: return .pongAcknowledged
        default: return .answering(.echo(id, data: frame?[.originalData] ?? .null), event)
        }
    }

    /// `[:chsk/reply {:cb-uuid "…" :data …}]`, as sente-lite's library writes it.
    private static func reply(_ data: Value) -> Inbound {
        guard let frame = MapFrame(data), case .string(let callback)? = frame[.callback] else {
            return .undecodable("The server sent a reply without `cb-uuid`; it was skipped.")
        }
        return answer(callback, frame[.data] ?? .null)
    }

    /// `[:chsk/recv [id data]]`, an event wrapped (`:wrap-recv-evs?`), or `[:chsk/recv ["id" data]]`, a reply.
    private static func unwrapped(_ data: Value) -> Inbound {
        if let items = data.arrayValue, items.count == 2, case .string(let callback) = items[0] {
            return answer(callback, items[1])
        }
        return event(data, isWrapped: true)
    }
}
