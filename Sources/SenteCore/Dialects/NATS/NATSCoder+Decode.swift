// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

extension NATSCoder {
    mutating func hear(_ operation: NATSOperation, into inbounds: inout [Inbound]) throws(NATSViolation) {
        switch operation {
        case .info(let info):
            if self.info == nil { inbounds.append(.challenge) }
            self.info = info
            if isGreeted { tellOfOthers(&inbounds) }
        case .pong:
            let wasGreeted = isGreeted
            inbounds.append(try answered())
            if isGreeted, !wasGreeted { tellOfOthers(&inbounds) }
        default: inbounds.append(heard(operation))
        }
    }

    /// What the last INFO says of the other nodes, if that is new.
    private mutating func tellOfOthers(_ inbounds: inout [Inbound]) {
        let endpoints = info?.endpoints ?? []
        if endpoints != told {
            told = endpoints
            inbounds.append(.endpoints(endpoints))
        }
        if info?.isLeaving == true { inbounds.append(.leaving) }
    }

    private mutating func heard(_ operation: NATSOperation) -> Inbound {
        switch operation {
        case .info, .pong: return .noise
        case .message(let message): return heard(message)
        case .oversized(let subject, let size):
            return .undecodable(
                "A message of “\(subject.excerpt())” has \(size) bytes and the limit is \(sizes.incomingMessage): raise "
                    + "`limits.incomingMessage`, or publish less at once; it was skipped.")
        case .ping: return .ping(stamp: nil)
        case .ok: return .noise
        case .fault(let fault): return heard(fault)
        }
    }

    // MARK: Messages

    private func heard(_ message: NATSMessage) -> Inbound {
        guard let sid = message.sid, let place = subscriptions[sid] else { return .noise }
        var head = NATSHead()
        if !message.head.isEmpty {
            guard let read = NATSHead(message.head) else {
                return .undecodable(
                    "A message of “\(message.subject.excerpt())” has headers that are none; it was skipped.")
            }
            head = read
        }
        switch place {
        case .inbox:
            if let answer = streamAnswer(message, head) { return .jetStream(answer) }
            return .reply(.id(.answer, WireName(message.subject)), answer(message, head))
        case .consumer(let number): return handed(message, head, to: number)
        case .wish(let wish) where wish.group == nil:
            // The server's own `no echo` is for all that a connection says.
            guard head.fields.isEmpty || head[NATSHeader.sender] != name else { return .noise }
            return traced(.delivery(delivery(message, head, of: wish)), head)
        case .wish(let wish):
            // Without a place for the answer it is no request.
            guard let reply = message.reply, NATSSubject.isWritable(reply) else { return .noise }
            let data = value(of: message.payload, head)
            return traced(.request(IncomingRequest(id: reply, channel: wish.name, data: data)), head)
        }
    }

    private func delivery(_ message: NATSMessage, _ head: NATSHead, of wish: NATSWish) -> ChannelMessage {
        ChannelMessage(
            channel: wish.subject, data: value(of: message.payload, head),
            subject: WireName(message.subject) == WireName(wish.subject) ? nil : message.subject,
            headers: head.fields)
    }

    /// By its type, else by the configured format; what is none of that is bytes, for others publish what they like.
    func value(of payload: [UInt8], _ head: NATSHead) -> Value {
        guard !payload.isEmpty else { return .null }
        let type = head.fields.isEmpty ? nil : head[NATSHeader.contentType]
        guard let format = type.map(WireFormat.init(contentType:)) ?? format else { return .bytes(payload) }
        return (try? format.decode(payload, limits: sizes.reading)) ?? .bytes(payload)
    }

    func traced(_ inbound: Inbound, _ head: NATSHead) -> Inbound {
        readsTraces ? inbound.traced(by: TraceFields { head[$0].map { .string($0) } }) : inbound
    }

    private func answer(_ message: NATSMessage, _ head: NATSHead) -> Reply {
        if head.status == 503 {
            return .refused(
                SenteError(
                    .noSubscribers, "Nobody serves this channel: the request was delivered to no one.",
                    outcome: .acknowledged))
        }
        let data = value(of: message.payload, head)
        guard !head.fields.isEmpty, let code = head[NATSHeader.errorCode] else { return .answered(data) }
        guard code != NATSHeader.busyCode else {
            return .refused(
                SenteError(
                    .busy, "The service has too many requests under way: try again later.",
                    outcome: .acknowledged, details: data))
        }
        let text = head[NATSHeader.error] ?? ""
        return .refused(
            SenteError(
                .remoteError,
                text.isEmpty
                    ? "The service answered with an error."
                    : "The service answered with an error: \(text.excerpt(200))",
                outcome: .acknowledged,
                details: data.isNull ? RemoteError(code: code, message: text).value : data))
    }

    // MARK: Answers

    /// The server is done with what stood before the oldest PING.
    private mutating func answered() throws(NATSViolation) -> Inbound {
        guard let owed = owed.popFirst() else { throw NATSViolation("it sent a PONG that answers nothing") }
        let error = refusal.take()
        let refusal = error.map(Reply.refused)
        switch owed {
        case .greeting:
            isGreeted = true
            return .greeting(
                Identity(connectionID: info?.clientID.map(String.init), handshakeData: info?.value))
        case .ping(let stamp): return .pong(stamp: stamp)
        case .subscribe(let wish, let sid):
            if refusal != nil { subscriptions.ended(sid) }
            return .reply(
                .next(.subscribe, channel: WireName(wish.name)), refusal ?? .subscribed(retained: []))
        case .unsubscribe(let wish, let sid):
            if let sid { subscriptions.ended(sid) }
            return .reply(.next(.unsubscribe, channel: WireName(wish.name)), .unsubscribed)
        case .publish(let channel):
            return .reply(
                .next(.publish, channel: WireName(channel)),
                refusal ?? .published(PublishReceipt(acknowledgement: .accepted)))
        case .request(let channel, let id):
            return .reply(
                .next(.request, channel: WireName(channel)),
                refusal ?? .forwarded(requestID: id, deliveredTo: nil))
        case .store(_, let token):
            return error.map { .jetStream(.stored(token: token, .refused($0))) } ?? .noise
        case .ask(_, let token):
            return error.map { .jetStream(.answered(token: token, .refused($0))) } ?? .noise
        }
    }

    // MARK: Faults

    private mutating func heard(_ fault: NATSFault) -> Inbound {
        switch fault {
        case .credentials(let text) where !isGreeted:
            return .refused(Refusal(status: 401, body: Array(text.utf8)))
        case .full(let text): return .refused(Refusal(status: 503, body: Array(text.utf8)))
        case .publishForbidden(let subject):
            guard owed.first?.publishes(to: subject) == true else {
                return complaint("It forbids to publish to “\(subject.excerpt())”")
            }
            return refuse(
                "This user may not publish to “\(subject.excerpt())”: ask for the permission, or use another channel."
            )
        case .subscriptionForbidden(let subject, let group, let sid): return forbidden(subject, group, sid)
        case .refused(let text):
            guard owed.first?.subscribes == true else { return complaint(text) }
            return refuse("The server refused it: \(text.excerpt(200)).")
        case .credentials(let text), .fatal(let text): return complaint(text)
        }
    }

    private mutating func forbidden(_ subject: String, _ group: String?, _ sid: UInt64?) -> Inbound {
        let why =
            "This user may not subscribe to “\(subject.excerpt())”\(group.map { " in the group “\($0.excerpt())”" } ?? ""): "
            + "ask for the permission, or use another channel."
        let isOfInbox = subject.utf8.starts(with: inbox.utf8)
        switch owed.first {
        case .subscribe(let wish, let number)? where sid.map { $0 == number } ?? (wish.subject == subject):
            return refuse(why)
        case .request? where isOfInbox, .store? where isOfInbox, .ask? where isOfInbox:
            if let number = subscriptions.inbox { subscriptions.ended(number) }
            return refuse(
                "This user may not hear answers (\(inbox).*): ask for the permission to subscribe to it.")
        default:
            guard let sid, case .wish(let wish)? = subscriptions[sid] else { return complaint(why) }
            subscriptions.ended(sid)
            return .subscriptionLost(
                channel: wish.name, SenteError(.rejected, why, outcome: .acknowledged))
        }
    }

    /// It belongs to what the next PONG answers.
    private mutating func refuse(_ why: String) -> Inbound {
        refusal = SenteError(.rejected, why, outcome: .acknowledged)
        return .noise
    }

    /// It belongs to no call; the server may end the link for it.
    private func complaint(_ text: String) -> Inbound {
        .failure(
            SenteError(.serverError, "The server complains: \(text.excerpt(200))."),
            Event(id: "nats/error", data: .string(text)))
    }
}

extension NATSOwed {
    fileprivate func publishes(to subject: String) -> Bool {
        switch self {
        case .publish(let channel), .request(let channel, _), .store(let channel, _), .ask(let channel, _):
            channel == subject
        case .greeting, .ping, .subscribe, .unsubscribe: false
        }
    }

    /// Whether a subscription stands before its PING.
    fileprivate var subscribes: Bool {
        switch self {
        case .subscribe, .request, .store, .ask: true
        case .greeting, .ping, .unsubscribe, .publish: false
        }
    }
}
