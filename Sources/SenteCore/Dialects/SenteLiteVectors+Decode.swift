// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

extension SenteLiteVectors {
    package mutating func decode(_ message: Message, isPending: (Correlation) -> Bool) -> [Inbound] {
        do throws(Unreadable) {
            return read(try format.value(of: message, limits: sizes), isPending)
        } catch {
            return [error.inbound]
        }
    }

    private mutating func read(_ value: Value, _ isPending: (Correlation) -> Bool) -> [Inbound] {
        guard let items = value.arrayValue else {
            return [.undecodable("The server sent a message that is no vector; it was skipped.")]
        }
        guard let first = items.first else { return [.noise] }
        if items.count == 2, case .string(let callback) = items[1] {
            // `[:my-app/said "text"]` is an event, unless somebody waits for an answer of that name.
            if first.keywordValue == nil || isPending(.id(.event, WireName(callback))) {
                return [answer(callback, first)]
            }
        }
        // Several at once, as Sente pushes them.
        if items.contains(where: { $0.arrayValue != nil }), first.keywordValue == nil {
            return items.flatMap { event($0, isPending) }
        }
        return event(value, isPending)
    }

    private mutating func answer(_ callback: String, _ data: Value) -> Inbound {
        owed.answered(WireName(callback))
        return .reply(.id(.event, WireName(callback)), .answered(data))
    }

    private mutating func event(
        _ value: Value, isWrapped: Bool = false, _ isPending: (Correlation) -> Bool
    ) -> [Inbound] {
        do throws(Unreadable) {
            let event = try Event(vector: value)
            switch event.id {
            case VectorWord.channelMessage: return [Self.delivery(event.data)]
            case VectorWord.subscribed: return [acknowledgement(event.data)]
            case VectorWord.echo: return echo(event, isPending)
            case VectorWord.ping: return [.ping(stamp: nil)]
            case VectorWord.pong: return [.pong(stamp: owed.pong(isPending))]
            case VectorWord.handshake: return [.handshake(event.data, named: true)]
            case VectorWord.reply: return [reply(event.data)]
            case VectorWord.received where !isWrapped: return unwrapped(event.data, isPending)
            default: return answering(owed.answered(by: event), event, isPending)
            }
        } catch {
            return [error.inbound]
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
    private mutating func acknowledgement(_ data: Value) -> Inbound {
        guard let frame = MapFrame(data), let channel = Self.channel(named: frame[.channel]) else {
            return .undecodable(
                "The server answered for a `channel-id` that names no channel; it was skipped.")
        }
        let isSuccess = frame.isTrue(.success)
        switch owed.acknowledged(WireName(channel)) {
        case .subscribe?:
            let reply =
                isSuccess
                ? Reply.subscribed(retained: []) : .refused(Self.rejection("subscription", channel, frame))
            return .reply(.next(.subscribe, channel: WireName(channel)), reply)
        case .unsubscribe?:
            // Null stands for a channel the server does not know: nothing is subscribed there either.
            let isRefused = frame[.success] == false
            let reply =
                isRefused ? Reply.refused(Self.rejection("unsubscription", channel, frame)) : .unsubscribed
            return .reply(.next(.unsubscribe, channel: WireName(channel)), reply)
        case nil:
            return isSuccess
                ? .noise : .subscriptionLost(channel: channel, Self.rejection("subscription", channel, frame))
        }
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
    private mutating func echo(_ event: Event, _ isPending: (Correlation) -> Bool) -> [Inbound] {
        let frame = MapFrame(event.data)
        guard let id = frame?[.originalID]?.keywordValue else { return [.event(event)] }
        switch id {
        case VectorWord.ping: return [.pong(stamp: owed.pong(isPending))]
        case VectorWord.pong: return [.noise]
        default: break
        }
        let original = Event(id: id, data: frame?[.originalData] ?? .null)
        return answering(owed.echoed(original), event, isPending)
    }

    /// An event that answers another is both: an answer to who waits, and an event for who listens.
    private func answering(
        _ callback: WireName?, _ event: Event, _ isPending: (Correlation) -> Bool
    ) -> [Inbound] {
        guard let callback, isPending(.id(.event, callback)) else { return [.event(event)] }
        return [.reply(.id(.event, callback), .answered(event.data)), .event(event)]
    }

    /// `[:chsk/reply {:cb-uuid "…" :data …}]`, as sente-lite's library writes it.
    private mutating func reply(_ data: Value) -> Inbound {
        guard let frame = MapFrame(data), case .string(let callback)? = frame[.callback] else {
            return .undecodable("The server sent a reply without `cb-uuid`; it was skipped.")
        }
        return answer(callback, frame[.data] ?? .null)
    }

    /// `[:chsk/recv [id data]]`, an event wrapped (`:wrap-recv-evs?`), or `[:chsk/recv ["id" data]]`, a reply.
    private mutating func unwrapped(_ data: Value, _ isPending: (Correlation) -> Bool) -> [Inbound] {
        if let items = data.arrayValue, items.count == 2, case .string(let callback) = items[0] {
            return [answer(callback, items[1])]
        }
        return event(data, isWrapped: true, isPending)
    }
}
