// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// A word that client and server say about their messages, of either.
///
/// `flow-…` in the dialect of maps, `:flow/…` in the others.
package enum FlowWord: Hashable, Sendable {
    /// A client's first word: what it can, and the session it comes back to.
    case handshake(FlowOffer)
    /// The answer to it.
    case agreement(FlowAgreement)
    /// So many counted messages have come since the session began.
    case acknowledgement(received: Int)
    /// The message in parts of this number has been heard, or given up.
    case chunkAcknowledgement(number: UInt64)
    /// The session is to be forgotten.
    case end
    /// Counts as a message, and means nothing.
    case skip
    /// Messages together, each as it would be alone.
    case batch([Value])
    /// A message in another shape.
    case envelope(FlowEnvelope)
    /// About a stream.
    case stream(id: String, ServerStreamWord)
    /// One that is none, or lacks what belongs to it.
    case wrong(String)

    /// The name behind the prefix.
    var name: String {
        switch self {
        case .handshake: "handshake"
        case .agreement: "handshake-ack"
        case .acknowledgement: "ack"
        case .chunkAcknowledgement: "chunk-ack"
        case .end: "end"
        case .skip: "skip"
        case .batch: "batch"
        case .envelope(let envelope): envelope.name
        case .stream(_, let word): word.name
        case .wrong(let name): name
        }
    }

    /// Whether both ends count it as a message.
    var isCounted: Bool {
        switch self {
        case .skip, .stream(_, .control): true
        default: false
        }
    }

    /// A client's word.
    init(named name: String, _ fields: ValueMap) {
        switch name {
        case "handshake": self = FlowOffer(fields).map { .handshake($0) } ?? .wrong(name)
        case "ack":
            self = fields.count(named: "received").map { .acknowledgement(received: $0) } ?? .wrong(name)
        case "chunk-ack":
            let number = fields.value(named: "message-id")?.integerValue.flatMap { UInt64(exactly: $0) }
            self = number.map { .chunkAcknowledgement(number: $0) } ?? .wrong(name)
        case "end": self = .end
        case "skip": self = .skip
        case "batch":
            self = fields.value(named: "messages")?.arrayValue.map { .batch($0) } ?? .wrong(name)
        case _ where name.hasPrefix("stream-"):
            self =
                ServerStreamWord.read(named: name, fields).map { .stream(id: $0.id, $0.word) } ?? .wrong(name)
        default: self = FlowEnvelope(named: name, fields).map { .envelope($0) } ?? .wrong(name)
        }
    }

    /// Adds the fields of a server's word to a map, under names that `key` makes; `greeting` is what a new greeting would say.
    func adding(
        to map: ValueMap, _ key: (String) -> Value, writesBytes: Bool,
        greeting: (FlowAgreement) -> KeyValuePairs<String, Value>
    ) -> ValueMap {
        var map = map
        switch self {
        case .agreement(let agreement):
            map[key("features")] = agreement.features.value(key)
            guard let session = agreement.session else { break }
            map[key("session")] = .string(session.id.description)
            map[key("resumed")] = .bool(session.isResumed)
            map[key("received")] = Value(session.received)
            guard session.isResumed else { break }
            map[key("sent")] = Value(session.sent)
            map[key("missed")] = Value(session.missed)
            for (name, value) in greeting(agreement) { map[key(name)] = value }
        case .acknowledgement(let received): map[key("received")] = Value(received)
        case .chunkAcknowledgement(let number):
            map[key("message-id")] = .integer(Int64(clamping: number))
        case .batch(let values): map[key("messages")] = .vector(values)
        case .envelope(let envelope): envelope.add(to: &map, key, writesBytes: writesBytes)
        case .stream(let id, let word):
            for (name, value) in word.fields(of: id, key, writesBytes: writesBytes) { map[name] = value }
        case .handshake, .end, .skip, .wrong: break
        }
        return map
    }
}

/// A client's handshake.
package struct FlowOffer: Hashable, Sendable {
    /// A session to come back to.
    package struct Resume: Hashable, Sendable {
        var session: String
        /// The server's messages that the client has.
        var received: Int
        /// Its own that it has sent.
        var sent: Int
        /// Grows with each try; an earlier one may come later.
        var attempt: Int
    }

    var capabilities: FlowCapabilities
    /// The capabilities whose values were wrong.
    var wrong: [String] = []
    var resume: Resume?

    init?(_ fields: ValueMap) {
        guard let said = fields.value(named: "capabilities")?.mapValue else { return nil }
        capabilities = FlowCapabilities(said, wrong: &wrong)
        guard let value = fields.value(named: "resume"), !value.isNull else { return }
        guard let map = value.mapValue, let session = map.value(named: "session")?.stringValue,
            let received = map.count(named: "received"), let sent = map.count(named: "sent"),
            let attempt = map.count(named: "attempt")
        else { return nil }
        resume = Resume(session: session, received: received, sent: sent, attempt: attempt)
    }
}

/// The server's answer to a handshake.
package struct FlowAgreement: Hashable, Sendable {
    /// The session, where one was agreed on.
    package struct Session: Hashable, Sendable {
        var id: UniqueID
        var isResumed = false
        /// The client's messages that the server has.
        var received = 0
        /// Its own that it has sent or kept.
        var sent = 0
        /// Of those, how many the client lacks and the server has let go.
        var missed = 0
    }

    var features: FlowCapabilities
    var session: Session?
    /// The conn-id.
    var name: String
    var uid: Value
}
