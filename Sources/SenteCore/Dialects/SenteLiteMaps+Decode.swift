// SPDX-License-Identifier: Apache-2.0

package import SenteWire

extension SenteLiteMaps {
    /// The order decides what a peer can forge.
    ///
    /// What others publish arrives in one of two shapes, and flat ones hold fields of the publisher's choice,
    /// `type` among them; only the server can leave out the two it forces in.
    package func read(_ value: Value, isCallback: (String) -> Bool) -> [Inbound] {
        guard let frame = MapFrame(value) else {
            return [.event(Event(id: Self.untyped, data: value))]
        }
        let inbounds = Self.read(frame)
        return readsTraces ? inbounds.map { traced($0, by: Self.traced(frame, $0)) } : inbounds
    }

    /// Where the trace of what was read stands: a request that comes in an envelope has its own.
    private static func traced(_ frame: MapFrame, _ inbound: Inbound) -> MapFrame? {
        if case .request = inbound, !frame.isRequest { MapFrame(frame[.data]) } else { frame }
    }

    private static func read(_ frame: MapFrame) -> [Inbound] {
        let type = frame.text(.type)
        if type == MapFrameType.channelMessage.rawValue {
            return [enveloped(frame)]
        }
        if frame.has(.channel), frame.has(.broadcastTime) {
            return [flat(frame)]
        }
        guard let known = type.flatMap({ MapFrameType($0) }) else {
            let event = event(frame)
            return [
                type.flatMap { FlowFrame(type: $0, frame.map, event: event) }.map(Inbound.flow)
                    ?? .event(event)
            ]
        }
        return read(known, frame)
    }

    private static func read(_ type: MapFrameType, _ frame: MapFrame) -> [Inbound] {
        switch type {
        case .welcome:
            let name = frame.text("conn-id") ?? ""
            var identity = Identity(connectionID: name, serverTime: frame.integer("server-time"))
            identity.capabilities = frame["capabilities"]
            return [.greeting(identity)]
        case .ping: return [.ping(stamp: frame.integer(.timestamp))]
        case .pong: return [.pong(stamp: frame.integer(.originalTimestamp))]
        case .echo: return [echo(frame)]
        case .subscriptionResult: return subscriptionResult(frame)
        case .unsubscriptionResult: return [unsubscriptionResult(frame)]
        case .publishResult: return [publishResult(frame)]
        case .rpcRequestResult: return [requestResult(frame)]
        case .rpcRequest: return [directRequest(frame)]
        case .rpcResponse: return [response(frame)]
        case .pongAck: return [.pongAcknowledged]
        case .rpcResponseResult: return [.noise]
        case .channelList: return [.reply(.next(.channels, channel: nil), .channels(channels(frame)))]
        case .subscriptionList:
            let names = frame["subscriptions"]?.arrayValue?.compactMap(MapFrame.text) ?? []
            return [.reply(.next(.subscriptions, channel: nil), .subscriptions(names))]
        case .error: return [error(frame)]
        case .channelMessage, .subscribe, .unsubscribe, .publish, .listChannels, .getSubscriptions:
            return [.event(event(frame))]
        }
    }
}

// MARK: - Deliveries and requests

extension SenteLiteMaps {
    private static let namelessChannel = Inbound.undecodable(
        "The server delivered a message whose `channel-id` is no text; it was skipped.")

    /// The envelope: `{"type":"channel-message","channel-id":…,"data":…,"broadcast-time":…}`.
    private static func enveloped(_ frame: MapFrame) -> Inbound {
        guard let channel = frame.text(.channel) else { return namelessChannel }
        let data = frame[.data] ?? .null
        if let inner = MapFrame(data), let request = request(inner, in: channel) { return .request(request) }
        return .delivery(
            ChannelMessage(
                channel: channel, data: data, id: frame.text(.messageID),
                sender: frame.text(.sender), time: frame.integer(.broadcastTime)))
    }

    /// No envelope: `{…data,"channel-id":…,"broadcast-time":…}`, where every other field is the publisher's.
    private static func flat(_ frame: MapFrame) -> Inbound {
        guard let channel = frame.text(.channel) else { return namelessChannel }
        if let request = request(frame, in: channel) { return .request(request) }
        return .delivery(
            ChannelMessage(
                channel: channel, data: frame.without(.channel, .broadcastTime),
                time: frame.integer(.broadcastTime)))
    }

    /// A request looks the same wherever it stands; nil when this is none, or one that nobody could answer.
    private static func request(_ frame: MapFrame, in channel: String) -> IncomingRequest? {
        guard frame.isRequest, let id = frame.text(.requestID) else { return nil }
        return IncomingRequest(
            id: id, channel: channel, data: frame[.data] ?? .null,
            sender: frame.text(.sender),
            createdAt: frame.integer(.createdAt), limit: frame.integer(.limit))
    }

    private static func directRequest(_ frame: MapFrame) -> Inbound {
        guard let channel = frame.text(.channel), let request = request(frame, in: channel) else {
            return .undecodable(
                "The server passed on a request without `request-id` or `channel-id`; it was skipped.")
        }
        return .request(request)
    }

    /// What a server kept: `{…data,"channel-id":…,"published-at":…,"message-id":…}`, flat in every version.
    private static func retained(_ frame: MapFrame, in channel: String) -> ChannelMessage {
        ChannelMessage(
            channel: channel, data: frame.without(.channel, .publishedAt, .messageID),
            id: frame.text(.messageID), time: frame.integer(.publishedAt), isRetained: true)
    }
}

// MARK: - Replies

extension SenteLiteMaps {
    private static func subscriptionResult(_ frame: MapFrame) -> [Inbound] {
        let channel = frame.text(.channel)
        let slot = Correlation.next(.subscribe, channel: channel.map { WireName($0) })
        guard frame.isTrue(.success) else {
            return [.reply(slot, .refused(rejection("subscription", frame)))]
        }
        var messages: [ChannelMessage] = []
        var others: [Inbound] = []
        for item in frame["retained-messages"]?.arrayValue ?? [] {
            // The channel of the reply counts: what an item says of itself may be the publisher's.
            guard let item = MapFrame(item), let channel = channel ?? item.text(.channel) else {
                others.append(
                    .undecodable(
                        "The server kept a message that is no map, or has no `channel-id`; it was skipped.")
                )
                continue
            }
            if var request = request(item, in: channel) {
                request.isRetained = true
                others.append(.request(request))
            } else {
                messages.append(retained(item, in: channel))
            }
        }
        return [.reply(slot, .subscribed(retained: messages))] + others
    }

    /// Null stands for a channel the server does not know: nothing is subscribed there either.
    private static func unsubscriptionResult(_ frame: MapFrame) -> Inbound {
        let slot = Correlation.next(.unsubscribe, channel: frame.name(.channel))
        guard frame[.success]?.boolValue == false else { return .reply(slot, .unsubscribed) }
        return .reply(slot, .refused(rejection("unsubscription", frame)))
    }

    private static func publishResult(_ frame: MapFrame) -> Inbound {
        let slot = Correlation.next(.publish, channel: frame.name(.channel))
        guard frame.isTrue(.success) else {
            return .reply(slot, .refused(rejection("publish", frame)))
        }
        return .reply(
            slot,
            .published(
                PublishReceipt(
                    outcome: .acknowledged, messageID: frame.text(.messageID),
                    deliveredTo: frame.count(.deliveredTo))))
    }

    private static func requestResult(_ frame: MapFrame) -> Inbound {
        let slot = Correlation.next(.request, channel: frame.name(.channel))
        guard let delivery = MapFrame(frame["delivery"]), delivery.isTrue(.success) else {
            return .reply(slot, .refused(rejection("request", MapFrame(frame["delivery"]) ?? frame)))
        }
        guard let id = frame.text(.requestID) else {
            return .reply(
                slot,
                .refused(
                    SenteError(
                        .noReply,
                        "The server took the request and gave it no id, so its answer cannot be told apart.",
                        outcome: .unknown)))
        }
        return .reply(slot, .forwarded(requestID: id, deliveredTo: delivery.count(.deliveredTo)))
    }

    private static func response(_ frame: MapFrame) -> Inbound {
        guard let id = frame.name(.requestID) else {
            return .undecodable("The server passed on an answer without `request-id`; it was skipped.")
        }
        let data = frame[.data] ?? .null
        // Anything but null and false says that it went wrong, as in Clojure.
        guard let error = MapField.isError.lazy.compactMap({ frame[$0] }).first(where: { $0 != false }) else {
            return .reply(.id(.answer, id), .answered(data))
        }
        let details = [data, error].first { !$0.isNull && $0 != true } ?? frame.only(.reason)
        return .reply(.id(.answer, id), .refused(remoteError(frame, details: details)))
    }

    private static func channels(_ frame: MapFrame) -> [ChannelInfo] {
        (frame["channels"]?.mapValue ?? ValueMap()).compactMap { key, value in
            guard let name = MapFrame.text(key) else { return nil }
            let fields = MapFrame(value) ?? MapFrame(ValueMap())
            let settings = MapFrame(fields["config"]) ?? MapFrame(ValueMap())
            var info = ChannelInfo(name: name)
            info.subscriberCount = fields.count("subscriber-count")
            info.messageCount = fields.count("message-count")
            info.createdAt = fields.integer(.createdAt)
            info.maximumSubscribers = settings.count("max-subscribers")
            info.messageRetention = settings.count("message-retention")
            info.requestLimitMilliseconds = settings.count("rpc-timeout-ms")
            return info
        }
    }
}

// MARK: - Errors, echoes, events

extension SenteLiteMaps {
    private static func rejection(_ deed: String, _ frame: MapFrame) -> SenteError {
        let channel = frame.text(.channel).map { " of “\($0.excerpt())”" } ?? ""
        return SenteError(
            .rejected, "The server refused the \(deed)\(channel). \(advice(frame.text(.reason)))",
            outcome: .acknowledged, details: frame.only(.reason, "message", "current", "max"))
    }

    private static func advice(_ reason: String?) -> String {
        switch reason {
        case nil: "It gave no reason; most often the channel does not exist. Subscribing creates it."
        case "channel-not-found":
            "The channel does not exist (channel-not-found): subscribe first, or have the server create it."
        case "max-subscribers-reached": "The channel is full (max-subscribers-reached): try again later."
        case let reason?: "Its reason is “\(reason.excerpt())”."
        }
    }

    /// What a service, or the server in its place, said instead of an answer.
    private static func remoteError(_ frame: MapFrame, details: Value?) -> SenteError {
        let inner = details.flatMap { MapFrame($0) }
        let reason = frame.text(.reason) ?? inner?.text(.reason)
        switch reason {
        case "rpc-timeout":
            return SenteError(
                .timedOut, "The service did not answer within the time limit of the request (rpc-timeout).",
                outcome: .unknown, details: details)
        case "busy":
            return SenteError(
                .busy, "The service has too many requests under way: try again later.",
                outcome: .acknowledged,
                details: details)
        default:
            let text =
                frame.text("message") ?? inner?.text("message") ?? details.flatMap(MapFrame.text) ?? reason
            return SenteError(
                .remoteError,
                "The service answered with an error\(text.map { ": \($0.excerpt(200))" } ?? ".")",
                outcome: .acknowledged, details: details)
        }
    }

    private static func error(_ frame: MapFrame) -> Inbound {
        let details = frame.without(.type)
        if let id = frame.name(.requestID) {
            return .reply(.id(.answer, id), .refused(remoteError(frame, details: details)))
        }
        let text =
            frame.text("message") ?? frame.text(.reason) ?? "it gave neither message nor reason"
        let error = SenteError(
            .serverError, "The server reports an error: \(text.excerpt(200))", details: details)
        return .failure(error, event(frame))
    }

    /// Servers send back what they do not know: some a ping, some a pong.
    private static func echo(_ frame: MapFrame) -> Inbound {
        let original = MapFrame(frame[.original])
        switch original?.type {
        case .ping?: return .pong(stamp: original?.integer(.timestamp))
        case .pong?: return .pongAcknowledged
        default: return .event(event(frame))
        }
    }

    /// A `type` that is no text names nothing, and stays a field like any other.
    private static func event(_ frame: MapFrame) -> Event {
        switch frame[.type] {
        case .string(let name)?:
            Event(id: Keyword(namespace: nil, name: name), data: frame.without(.type))
        case .keyword(let name)?: Event(id: name, data: frame.without(.type))
        default: Event(id: untyped, data: .map(frame.map))
        }
    }
}
