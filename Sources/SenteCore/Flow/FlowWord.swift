// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// The words by which two ends speak of flow: `"flow-ack"` in maps, `:flow/ack` in vectors.
package enum FlowWord: String, Hashable, Sendable, CaseIterable {
    case handshake
    case handshakeAck = "handshake-ack"
    case ack, end, skip
    case batch, compressed
    case chunkStart = "chunk-start"
    case chunk
    case chunkEnd = "chunk-end"
    case chunkAbort = "chunk-abort"
    case chunkAck = "chunk-ack"
    case streamInit = "stream-init"
    case streamAccept = "stream-accept"
    case streamChunk = "stream-chunk"
    case streamCredits = "stream-credits"
    case streamRewind = "stream-rewind"
    case streamPause = "stream-pause"
    case streamResume = "stream-resume"
    case streamComplete = "stream-complete"
    case streamControl = "stream-control"
    case streamError = "stream-error"
    case streamCancel = "stream-cancel"
    case streamEnd = "stream-end"

    /// The namespace of the vector dialects, and before a hyphen the prefix in maps.
    static let namespace = "flow"

    private static let prefix = namespace + "-"

    /// As the `type` of a map.
    var type: String { Self.prefix + rawValue }

    /// As the id of an event.
    var id: Keyword { Keyword(Self.namespace + "/" + rawValue) }

    /// Whether it is about a stream.
    var isStream: Bool { rawValue.hasPrefix("stream-") }

    /// Whether a session that survives its links counts it as a message.
    var isCounted: Bool { self == .skip || self == .streamControl }

    /// Whether a type is one of flow's, known or not.
    static func owns(type: String) -> Bool { type.hasPrefix(prefix) }
}

/// A word of flow as it came: not looked at unless the link has agreed.
package struct FlowFrame: Hashable, Sendable {
    /// Nil for one that this client does not know.
    package var word: FlowWord?
    /// Its fields, by text or keywords.
    package var fields: ValueMap
    /// What it is where flow does not hold: an event like any other.
    package var event: Event

    package init(word: FlowWord?, fields: ValueMap, event: Event) {
        self.word = word
        self.fields = fields
        self.event = event
    }

    /// The word that a map is by its `type`.
    init?(type: String, _ fields: ValueMap, event: @autoclosure () -> Event) {
        guard FlowWord.owns(type: type) else { return nil }
        self.init(
            word: FlowWord(rawValue: String(type.dropFirst(FlowWord.namespace.count + 1))), fields: fields,
            event: event())
    }

    /// The word that an event is by its id.
    init?(_ event: Event) {
        guard event.id.namespace == FlowWord.namespace else { return nil }
        self.init(
            word: FlowWord(rawValue: event.id.name), fields: event.data.mapValue ?? ValueMap(),
            event: event)
    }
}

extension FlowFrame {
    /// On Sente a push would reach every connection of the user, so what a server says to one is a reply to its handshake: the first
    /// the answer itself, later ones `[:flow/… {…}]`.
    init?(_ inbound: Inbound, answering callback: String) {
        guard case .reply(.id(.event, let name), .answered(let said)) = inbound, name.text == callback else {
            return nil
        }
        if let fields = said.mapValue {
            self.init(
                word: .handshakeAck, fields: fields,
                event: Event(id: FlowWord.handshakeAck.id, data: said))
            return
        }
        guard let event = try? Event(vector: said) else { return nil }
        self.init(event)
    }
}

/// What a client says of flow.
package enum FlowOutbound: Hashable, Sendable {
    /// The first message after the greeting; `callback` names the answer on Sente.
    case handshake(offered: FlowFeatures, resume: ResumeRequest?, callback: String)
    /// So many counted messages of the server have come since the session began.
    case ack(received: UInt64)
    /// The message in parts of this number has been heard, or given up.
    case chunkAck(UInt64)
    /// The session is not to be kept.
    case end
    /// Stands for a counted message that has nothing to say any more.
    case skip
    /// Messages that leave together, each as it would be alone.
    case batch([Value])
    /// A message, or a part of one, in another shape.
    case envelope(Envelope, writesBytes: Bool)
    /// About the stream of a name.
    case stream(String, StreamWord)
    case streamChunk(String, StreamChunk, writesBytes: Bool)

    package var word: FlowWord {
        switch self {
        case .handshake: .handshake
        case .ack: .ack
        case .chunkAck: .chunkAck
        case .end: .end
        case .skip: .skip
        case .batch: .batch
        case .envelope(let envelope, _): envelope.word
        case .stream(_, let word): word.word
        case .streamChunk: .streamChunk
        }
    }

    /// What of it counts against the outbox beside the word itself.
    var weight: Int {
        if case .stream(let id, .control(let data)) = self { id.utf8.count + data.weight } else { 0 }
    }

    /// The names of its fields, as `name` has them, and what they hold, in turns.
    func fields(_ name: (String) -> Value) -> [Value] {
        switch self {
        case .handshake(let offered, let resume, _):
            [name("capabilities"), offered.wire(name)]
                + (resume.map { [name("resume"), $0.wire(name)] } ?? [])
        case .ack(let received): [name("received"), Value(clamping: received)]
        case .chunkAck(let number): [name("message-id"), Value(clamping: number)]
        case .end, .skip: []
        case .batch(let messages): [name("messages"), .vector(messages)]
        case .envelope(let envelope, let writesBytes):
            envelope.fields(writesBytes: writesBytes).flatMap { [name($0.name), $0.value] }
        case .stream(let id, let word): word.fields(of: id, name).flatMap { [$0.key, $0.value] }
        case .streamChunk(let id, let chunk, let writesBytes):
            chunk.fields(of: id, writesBytes: writesBytes, name).flatMap { [$0.key, $0.value] }
        }
    }
}

extension FlowOutbound {
    /// By what Sente's servers answer it.
    var callback: String? {
        if case .handshake(_, _, let callback) = self { callback } else { nil }
    }
}

extension Event {
    /// A word of flow as the vector dialects say it.
    init(_ word: FlowOutbound) {
        let fields = word.fields { .keyword(Keyword($0)) }
        self.init(id: word.word.id, data: fields.isEmpty ? .null : .map(ValueMap(fewDistinct: fields)))
    }
}

/// The session that a client wants to go on with, and how far it is.
package struct ResumeRequest: Hashable, Sendable {
    package var session: String
    /// How many counted messages came.
    package var received: UInt64
    /// How many went.
    package var sent: UInt64
    /// The number of the link; a server closes one whose number is not greater than the last.
    package var attempt: UInt64

    fileprivate func wire(_ name: (String) -> Value) -> Value {
        .map([
            name("session"): .string(session), name("received"): Value(clamping: received),
            name("sent"): Value(clamping: sent), name("attempt"): Value(clamping: attempt),
        ])
    }
}

extension Value {
    /// A count as formats can hold it.
    init(clamping count: UInt64) {
        self = .integer(Int64(clamping: count))
    }
}
