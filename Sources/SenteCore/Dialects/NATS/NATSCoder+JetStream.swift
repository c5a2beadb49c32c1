// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What is said to streams, and where their answers come.
extension NATSCoder {
    mutating func write(
        _ word: JetStreamOutbound, _ fields: NamedValues, to bytes: inout [UInt8]
    ) throws(SenteError) {
        switch word {
        case .store(let channel, let data, let stored, let token):
            var fields = fields
            fields[NATSHeader.messageID] = stored.messageID
            fields[NATSHeader.expectedSequence] = stored.expectedLastSequence.map(String.init)
            fields[NATSHeader.expectedSubjectSequence] = stored.expectedLastChannelSequence.map(String.init)
            var operation: [UInt8] = []
            try publish(data, to: channel, reply: storedInbox + String(token), fields, &operation)
            try openInbox(&bytes)
            bytes += operation
            try fence(.store(channel: channel, token: token), &bytes)
        case .ask(let request, let token):
            let (subject, body) = spelled(request)
            var operation: [UInt8] = []
            try put(
                .publish(subject: subject, reply: askedInbox + String(token), payload: json(body)),
                to: &operation)
            try openInbox(&bytes)
            bytes += operation
            try fence(.ask(subject: subject, token: token), &bytes)
        case .listen(let number):
            try put(
                .subscribe(subject: deliverySubject(number), sid: subscriptions.addConsumer(number)),
                to: &bytes)
        case .unlisten(let number):
            guard let sid = subscriptions.removeConsumer(number) else { return try put(.pong, to: &bytes) }
            try put(.unsubscribe(sid: sid), to: &bytes)
        case .flow(let subject): try put(.publish(subject: subject, payload: []), to: &bytes)
        }
    }

    private func json(_ body: Value) throws(SenteError) -> [UInt8] {
        guard !body.isNull else { return [] }
        return try WireFormat.json.message(of: body, limits: sizes).bytes
    }

    /// Where a question goes, and what it says (nats-server, jetstream_api.go).
    private func spelled(_ request: JetStreamRequest) -> (subject: String, body: Value) {
        let api = settings.domain.map { "$JS.\($0).API" } ?? "$JS.API"
        return switch request {
        case .names(let channel): ("\(api).STREAM.NAMES", ["subject": Value(channel)])
        case .info(let stream): ("\(api).STREAM.INFO.\(stream)", .null)
        case .consumer(let stream, let channel, let start, let number):
            (
                "\(api).CONSUMER.CREATE.\(stream)",
                [
                    "stream_name": Value(stream),
                    "config": .map(consumer(of: channel, from: start, number)),
                ]
            )
        }
    }

    /// Ephemeral, in memory and of one node, for it is made anew wherever it is lost; times are in nanoseconds.
    private func consumer(of channel: String, from start: ConsumerStart, _ number: UInt64) -> ValueMap {
        var config: ValueMap = [
            "deliver_subject": Value(deliverySubject(number)), "filter_subject": Value(channel),
            "ack_policy": "none", "max_deliver": 1, "flow_control": true, "mem_storage": true,
            "num_replicas": 1,
            "idle_heartbeat": Value(ChannelFollower.heartbeat.wholeMilliseconds * 1_000_000),
            "inactive_threshold": 10_000_000_000,
        ]
        switch start {
        case .new: config["deliver_policy"] = "new"
        case .lastOfEach: config["deliver_policy"] = "last_per_subject"
        case .sequence(let first):
            config["deliver_policy"] = "by_start_sequence"
            config["opt_start_seq"] = Value(Int64(clamping: first))
        case .time(let time):
            config["deliver_policy"] = "by_start_time"
            config["opt_start_time"] = Value(Timestamp(milliseconds: time).description)
        }
        return config
    }

    // MARK: What comes

    /// What came in the inbox, if it answers one of these.
    func streamAnswer(_ message: NATSMessage, _ head: NATSHead) -> JetStreamInbound? {
        if let token = token(of: message.subject, behind: storedInbox) {
            return .stored(token: token, StoredAnswer(message.payload, head))
        }
        if let token = token(of: message.subject, behind: askedInbox) {
            return .answered(token: token, JetStreamAnswer(message.payload, head))
        }
        return nil
    }

    private func token(of subject: String, behind place: String) -> UInt64? {
        guard subject.utf8.starts(with: place.utf8) else { return nil }
        return UInt64(Substring(subject.utf8.dropFirst(place.utf8.count)))
    }

    /// What a consumer handed over, or said.
    func handed(_ message: NATSMessage, _ head: NATSHead, to number: UInt64) -> Inbound {
        switch head.status {
        case nil:
            guard let place = message.reply.flatMap(ConsumerPlace.init) else {
                return .undecodable(
                    "A message of “\(message.subject.excerpt())” does not say where in its stream it stands; it was skipped."
                )
            }
            let data = value(of: message.payload, head)
            let delivery = ChannelMessage(
                channel: message.subject, data: data, id: "\(place.stream):\(place.sequence)",
                time: place.time,
                headers: head.fields)
            return traced(.jetStream(.delivery(number, delivery, place)), head)
        case 100?:
            if let reply = message.reply.flatMap(Self.flowSubject) {
                return .jetStream(.flowControl(number, reply: reply))
            }
            return .jetStream(
                .heartbeat(
                    number,
                    ConsumerHeartbeat(
                        lastDelivery: head[NATSHeader.lastConsumer].flatMap { UInt64($0) },
                        stalled: head[NATSHeader.stalled].flatMap(Self.flowSubject))))
        case _?: return .jetStream(.interrupted(number))
        }
    }

    /// A subject that a consumer waits to have answered; no other one is said anything to.
    private static func flowSubject(_ subject: String) -> String? {
        subject.utf8.starts(with: "$JS.FC.".utf8) && NATSSubject.isWritable(subject) ? subject : nil
    }

    /// Requests are numbered without a letter.
    private var storedInbox: String { "\(inbox).s" }
    private var askedInbox: String { "\(inbox).a" }

    /// One part more than what the inbox itself hears.
    private func deliverySubject(_ number: UInt64) -> String { "\(inbox).f.\(number)" }
}
