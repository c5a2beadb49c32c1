// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// Streams of clients, over their links.
///
/// A client that has a name finds its streams again on any later connection, whether its session goes on or not; the streams of
/// one without a name end with its connection.
extension ServerSession {
    /// Whose streams they are.
    enum StreamOwner: Hashable, Sendable {
        case client(SessionOwner)
        case connection(ConnectionID)
    }

    /// The streams of one client, and the connection that it has now.
    struct ClientStreams: Sendable {
        var registry: StreamRegistry
        var connection: ConnectionID?
    }

    private func streamOwner(of id: ConnectionID) -> StreamOwner? {
        flows[id].map { $0.owner.namesClient ? .client($0.owner) : .connection(id) }
    }

    // MARK: Links

    /// Client and server have agreed over this connection's link.
    mutating func linkStreams(of id: ConnectionID) {
        guard let policy = configuration.flow.streaming, flows[id]?.features?.streaming == true,
            let owner = streamOwner(of: id)
        else { return }
        var streams =
            streams.removeValue(forKey: owner) ?? ClientStreams(registry: StreamRegistry(policy: policy))
        // A newer connection takes them from an older one, which may not know yet that it is over.
        if streams.connection != nil { streams.registry.unlinked(at: now.instant) }
        streams.connection = id
        streams.registry.linked(at: now.instant)
        self.streams[owner] = streams
        performStreams(of: owner)
    }

    /// The connection has lost its link, or is over.
    mutating func unlinkStreams(of id: ConnectionID) {
        guard !streams.isEmpty, let owner = streamOwner(of: id), streams[owner]?.connection == id else {
            return
        }
        let time = now.instant
        streams[owner]?.connection = nil
        streams[owner]?.registry.unlinked(at: time)
        performStreams(of: owner)
        if case .connection = owner { streams[owner] = nil }
    }

    // MARK: What comes

    /// A word about a stream.
    mutating func takeStream(_ word: ServerStreamWord, of stream: String, from id: ConnectionID) {
        guard let owner = streamOwner(of: id), streams[owner]?.connection == id else {
            return breach(id, "streams were not agreed on")
        }
        let time = now.instant
        streams[owner]?.registry.hear(word, of: stream, at: time)
        performStreams(of: owner)
    }

    /// Whether a binary message is a chunk of a stream, which it was taken for then.
    mutating func takeStreamChunk(_ message: Message, from id: ConnectionID) -> Bool {
        guard message.bytes.starts(with: [FlowEnvelope.mark, 3]) else { return false }
        let time = now.instant
        guard let owner = streamOwner(of: id), streams[owner]?.connection == id,
            streams[owner]?.registry.hear(binary: message.bytes, at: time) == true
        else {
            breach(id, "a chunk of a stream is malformed, or was not agreed on")
            return true
        }
        performStreams(of: owner)
        return true
    }

    // MARK: Whoever runs the server

    /// Opens a stream to the client of a connection; false when there are too many, or one of its name.
    package mutating func openStream(
        _ offer: StreamOffer, id: String, to connection: ConnectionID, canGoBack: Bool = false,
        at now: Moment,
        into effects: inout [ServerEffect]
    ) -> Bool {
        step(at: now, into: &effects) { session in
            guard let owner = session.streamOwner(of: session.home(of: connection)) else { return false }
            let time = now.instant
            let isOpen = session.streams[owner]?.registry.open(offer, id: id, canGoBack: canGoBack, at: time)
            session.performStreams(of: owner)
            return isOpen ?? false
        }
    }

    /// Does something with a stream of the client of a connection; nil when there is none.
    package mutating func changeStream<R>(
        _ id: String, of connection: ConnectionID, at now: Moment, into effects: inout [ServerEffect],
        _ body: (inout ServerStream) -> R
    ) -> R? {
        step(at: now, into: &effects) { session in
            guard let owner = session.streamOwner(of: session.home(of: connection)) else { return nil }
            let result = session.streams[owner]?.registry.change(id, at: now.instant, body)
            session.performStreams(of: owner)
            return result ?? nil
        }
    }

    // MARK: What goes

    private mutating func performStreams(of owner: StreamOwner) {
        guard let outputs = streams[owner]?.registry.takeOutputs(), let id = streams[owner]?.connection else {
            return
        }
        for output in outputs {
            guard case .say(let word) = output.event else {
                effects.append(.stream(id, output))
                continue
            }
            if case .control = word {
                send(
                    .flow(.stream(id: output.id, word), callback: flows[id]?.callback ?? .null), to: id,
                    as: .push)
            } else {
                say(.stream(id: output.id, word), to: id)
            }
        }
        awaitRoomForStreams(of: id, owner)
    }

    private mutating func awaitRoomForStreams(of id: ConnectionID, _ owner: StreamOwner) {
        guard let link = connections[id]?.link, flows[id]?.link?.awaitsRoom == false,
            streams[owner]?.registry.hasPart == true
        else { return }
        flows[id]?.link?.awaitsRoom = true
        effects.append(.awaitRoom(link))
    }

    /// A link takes more: the chunk of the stream whose turn it is goes.
    mutating func pourStream(of id: ConnectionID) {
        guard !streams.isEmpty, let link = connections[id]?.link, let owner = streamOwner(of: id) else {
            return
        }
        let time = now.instant
        if let (stream, number, part) = streams[owner]?.registry.takePart(at: time) {
            let message =
                flows[id]?.features?.binary == true
                ? Message.binary(part.binary(number: number))
                : dialect.encode(
                    .flow(.stream(id: stream, .chunk(part)), callback: flows[id]?.callback ?? .null), at: now)
            if let message { effects.append(.send(link, message)) }
        }
        performStreams(of: owner)
    }

    // MARK: Time

    /// When the next stream of any client wants to be woken.
    var streamsDue: Instant? {
        streams.isEmpty ? nil : streams.values.lazy.compactMap(\.registry.deadline).min()
    }

    mutating func expireStreams() {
        let time = now.instant
        for owner in streams.keys where streams[owner]?.registry.deadline.map({ $0 <= time }) == true {
            streams[owner]?.registry.expire(at: time)
            performStreams(of: owner)
            if streams[owner]?.connection == nil, streams[owner]?.registry.isEmpty == true {
                streams[owner] = nil
            }
        }
    }
}
