// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

extension NATSCoder {
    /// Says who this client is, in answer to the first INFO; the PONG behind it is the greeting.
    package mutating func introduction(
        _ token: String?, name: String
    ) throws(SenteError) -> Message? {
        self.name = name
        var bytes: [UInt8] = []
        try put(.connect(try options(token)), to: &bytes)
        try put(.ping, to: &bytes)
        owed.append(.greeting)
        return .binary(bytes)
    }

    private func options(_ token: String?) throws(SenteError) -> Value {
        var options: ValueMap = [
            "verbose": false, "pedantic": false, "lang": "swift", "version": "1", "protocol": 1,
            // Without both nobody says that nobody serves.
            "headers": true, "no_responders": true,
        ]
        if let name = settings.name { options["name"] = Value(name) }
        guard let credentials = settings.credentials else { return .map(options) }
        if case .user(let user, let password) = credentials {
            options["user"] = Value(user)
            options["pass"] = Value(password)
            return .map(options)
        }
        guard let token else {
            throw SenteError(
                .providerFailed,
                "`nats.credentials` take a token and `tokenProvider` gave none: give one, or other credentials."
            )
        }
        switch credentials {
        case .token: options["auth_token"] = Value(token)
        case .bearer: options["jwt"] = Value(token)
        case .signed(let sign):
            options["jwt"] = Value(token)
            options["sig"] = Value(try signature(by: sign))
        case .user: break
        }
        return .map(options)
    }

    /// In base64url without padding (RFC 4648 §5).
    private func signature(by sign: NATSSettings.Signer) throws(SenteError) -> String {
        do {
            let text = Base64.text(try sign(Array((info?.nonce ?? "").utf8)))
            return text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        } catch {
            throw SenteError(
                .providerFailed, "What signs for `nats.credentials` threw; the attempt was given up.",
                underlying: String(describing: error))
        }
    }

    // MARK: Operations

    /// Writes what says it; nothing of it is kept if it throws.
    mutating func write(
        _ outbound: Outbound, _ fields: NamedValues, to bytes: inout [UInt8]
    ) throws(SenteError) {
        switch outbound {
        case .subscribe(let name): try subscribe(NATSWish(name: name), &bytes)
        case .unsubscribe(let name): try unsubscribe(NATSWish(name: name), &bytes)
        case .publish(let channel, let data, let excludesSender):
            try Dialect.nats.check(arguments: outbound)
            var fields = fields
            if excludesSender { fields[NATSHeader.sender] = name }
            try publish(data, to: channel, fields, &bytes)
            try fence(.publish(channel: channel), &bytes)
        case .request(let channel, let data, _):
            try Dialect.nats.check(arguments: outbound)
            try request(data, on: channel, fields, &bytes)
        case .jetStream(let word):
            try Dialect.nats.check(arguments: outbound)
            try write(word, fields, to: &bytes)
        case .answer(let id, let data, let isError):
            try publish(data, to: id, isError ? Self.failure(data, fields) : fields, &bytes)
        case .ping(let stamp): try fence(.ping(stamp: stamp), &bytes)
        case .pong: try put(.pong, to: &bytes)
        case .identified(let id, let outbound):
            var fields = fields
            fields[NATSHeader.messageID] = id
            try write(outbound, fields, to: &bytes)
        case .traced(let outbound, let trace):
            var fields = fields
            for field in trace.fields { fields[field.name] = field.text }
            try write(outbound, fields, to: &bytes)
        case .headed(let more, let outbound):
            try write(outbound, NamedValues(fields.pairs + more.pairs), to: &bytes)
        case .event, .listChannels, .listSubscriptions, .flow: try Dialect.nats.check(arguments: outbound)
        }
    }

    private mutating func subscribe(_ wish: NATSWish, _ bytes: inout [UInt8]) throws(SenteError) {
        try NATSSubject.check(wish.subject, for: .subscribing)
        if let group = wish.group { try NATSSubject.check(group: group) }
        let sid = subscriptions.add(wish)
        try put(.subscribe(subject: wish.subject, group: wish.group, sid: sid), to: &bytes)
        try fence(.subscribe(wish, sid: sid), &bytes)
    }

    private mutating func unsubscribe(_ wish: NATSWish, _ bytes: inout [UInt8]) throws(SenteError) {
        let sid = subscriptions.remove(wish)
        if let sid { try put(.unsubscribe(sid: sid), to: &bytes) }
        try fence(.unsubscribe(wish, sid: sid), &bytes)
    }

    private mutating func request(
        _ data: Value, on channel: String, _ fields: NamedValues, _ bytes: inout [UInt8]
    ) throws(SenteError) {
        let id = "\(inbox).\(requests + 1)"
        var operations: [UInt8] = []
        try publish(data, to: channel, reply: id, fields, &operations)
        try openInbox(&bytes)
        requests += 1
        bytes += operations
        try fence(.request(channel: channel, id: id), &bytes)
    }

    func publish(
        _ data: Value, to subject: String, reply: String? = nil, _ fields: NamedValues, _ bytes: inout [UInt8]
    ) throws(SenteError) {
        let (payload, type) = try payload(data)
        var fields = fields
        // Who sends bytes knows best what they are.
        if let type, NATSHead(fields)[NATSHeader.contentType] == nil { fields[NATSHeader.contentType] = type }
        let head = try NATSHead(fields).encoded()
        let size = head.count + payload.count
        let limit = info?.maximumPayload ?? NATSServerInfo.defaultPayload
        guard size <= limit else {
            throw SenteError(
                .messageTooLarge,
                "The message has \(size) bytes and this server takes \(limit): send less at once, or raise its `max_payload`.",
                outcome: .notSent)
        }
        try put(.publish(subject: subject, reply: reply, head: head, payload: payload), to: &bytes)
    }

    /// The bytes, and what they are if not JSON, which needs no saying; bytes go as they are, and null as nothing.
    private func payload(_ data: Value) throws(SenteError) -> ([UInt8], type: String?) {
        switch data {
        case .null: ([], nil)
        case .bytes(let bytes): (bytes, WireFormat.bytesType)
        default:
            (try format.message(of: data, limits: sizes).bytes, format == .json ? nil : format.contentType)
        }
    }

    /// What marks an answer as an error; the whole of it is the payload.
    private static func failure(_ data: Value, _ fields: NamedValues) -> NamedValues {
        var fields = fields
        let isBusy = MapFrame(data)?.text("reason") == "busy"
        fields[NATSHeader.errorCode] = isBusy ? NATSHeader.busyCode : NATSHeader.failureCode
        // One line of plain text.
        fields[NATSHeader.error] = (RemoteError(data)?.description ?? "error").excerpt(200)
        return fields
    }

    /// Where answers come, from the first question on.
    mutating func openInbox(_ bytes: inout [UInt8]) throws(SenteError) {
        guard subscriptions.inbox == nil else { return }
        try put(.subscribe(subject: "\(inbox).*", sid: subscriptions.addInbox()), to: &bytes)
    }

    mutating func fence(_ owed: NATSOwed, _ bytes: inout [UInt8]) throws(SenteError) {
        try put(.ping, to: &bytes)
        self.owed.append(owed)
    }

    func put(_ command: NATSCommand, to bytes: inout [UInt8]) throws(SenteError) {
        do throws(WireError) {
            try command.write(to: &bytes)
        } catch {
            throw SenteError(.unencodable, "The message cannot be written: \(error)", outcome: .notSent)
        }
    }
}

/// The headers that this client writes and acts upon.
enum NATSHeader {
    static let contentType = "Content-Type"
    /// Whose message it is, where that is to be left out.
    static let sender = "Sente-Sender"
    /// By what a stream takes a message that comes twice for what it is.
    static let messageID = "Nats-Msg-Id"
    /// What must be the stream's last sequence, and its last of the subject (ADR-7).
    static let expectedSequence = "Nats-Expected-Last-Sequence"
    /// What a consumer says with a sign of life: its last sequence, and the subject that it waits to have answered.
    static let lastConsumer = "Nats-Last-Consumer"
    static let stalled = "Nats-Consumer-Stalled"
    static let expectedSubjectSequence = "Nats-Expected-Last-Subject-Sequence"
    /// A service's error: a number, and a text (ADR-32).
    static let errorCode = "Nats-Service-Error-Code"
    static let error = "Nats-Service-Error"
    /// The code of a service that has too much to do, HTTP's (RFC 6585 §4).
    static let busyCode = "429"
    static let failureCode = "500"
}
