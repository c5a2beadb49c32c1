// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Streams of clients, over their links.
///
/// A client that has a name finds its streams again on any later connection, whether its session goes on or not; the streams of
/// one without a name end with its connection.
extension ServerSession {
    typealias StreamOwner = StreamName.Owner

    /// The streams of one client, and the connection that it has, or had last.
    struct ClientStreams: Sendable {
        var registry: StreamRegistry
        var connection: ConnectionID
        var isLinked = false
        /// What it kept when its link was lost.
        var parkedBytes = 0
    }

    /// How many streams there are, and of how many clients something is known.
    package var streamCount: Int { streams.values.reduce(0) { $0 + $1.registry.count } }
    package var streamClients: Int { streams.count }

    private func streamOwner(of id: ConnectionID) -> StreamOwner? {
        flows[id].map { $0.owner.namesClient ? .client($0.owner) : .connection(id) }
    }

    /// Whose streams go over the link of a connection now.
    private func streamOwner(linkedBy id: ConnectionID) -> StreamOwner? {
        guard !streams.isEmpty, let owner = streamOwner(of: id), let client = streams[owner],
            client.isLinked, client.connection == id
        else { return nil }
        return owner
    }

    // MARK: Links

    /// Client and server have agreed over this connection's link.
    mutating func linkStreams(of id: ConnectionID) {
        guard let policy = configuration.flow.streaming, flows[id]?.features?.streaming == true,
            let owner = streamOwner(of: id)
        else { return }
        let known = takeParkedStreams(of: owner)
        var client =
            known ?? ClientStreams(registry: StreamRegistry(policy: policy, digests: digests), connection: id)
        // A newer connection takes them from an older one, which may not know yet that it is over.
        if client.isLinked { client.registry.unlinked(at: now.instant) }
        client.connection = id
        client.isLinked = true
        client.registry.linked(at: now.instant)
        streams[owner] = client
        performStreams(of: owner)
        if known == nil { effects.append(.agreedOnStreams(id)) }
    }

    /// The connection has lost its link, or is over.
    mutating func unlinkStreams(of id: ConnectionID) {
        guard let owner = streamOwner(linkedBy: id) else { return }
        let time = now.instant
        streams[owner]?.isLinked = false
        streams[owner]?.registry.unlinked(at: time)
        performStreams(of: owner)
        if case .connection = owner { return dropStreams(of: owner) }
        guard let registry = streams[owner]?.registry, !registry.isEmpty else {
            return dropStreams(of: owner)
        }
        streams[owner]?.parkedBytes = registry.keptBytes
        streamBytesParked += registry.keptBytes
        streamsParked.insert(owner)
        guard let policy = configuration.flow.streaming else { return }
        while streamsParked.count > policy.parkedClients || streamBytesParked > policy.parkedBytes,
            let longest = streamsParked.first(where: { _ in true })
        {
            dropStreams(of: longest)
        }
    }

    /// Nobody will come back for them, or there is no room.
    private mutating func dropStreams(of owner: StreamOwner) {
        let time = now.instant
        streams[owner]?.registry.cancelAll(at: time)
        performStreams(of: owner)
        _ = takeParkedStreams(of: owner)
    }

    private mutating func takeParkedStreams(of owner: StreamOwner) -> ClientStreams? {
        guard var client = streams.removeValue(forKey: owner) else { return nil }
        if streamsParked.remove(owner) { streamBytesParked -= client.parkedBytes }
        client.parkedBytes = 0
        return client
    }

    // MARK: What comes

    /// A word about a stream.
    mutating func takeStream(_ word: ServerStreamWord, of stream: String, from id: ConnectionID) {
        guard let owner = streamOwner(linkedBy: id) else { return breach(id, "streams were not agreed on") }
        let time = now.instant
        if case .chunk(let part) = word { counters.streams.received.add(part.bytes.count) }
        streams[owner]?.registry.hear(word, of: stream, at: time)
        performStreams(of: owner)
    }

    /// Whether an envelope is a chunk of a stream.
    func isStreamChunk(_ message: Message) -> Bool { message.bytes.starts(with: [FlowEnvelope.mark, 3]) }

    mutating func takeStreamChunk(_ message: Message, from id: ConnectionID) {
        let time = now.instant
        guard let owner = streamOwner(linkedBy: id),
            let count = streams[owner]?.registry.hear(binary: message.bytes, at: time)
        else { return breach(id, "a chunk of a stream is malformed, or was not agreed on") }
        counters.streams.received.add(count)
        performStreams(of: owner)
    }

    // MARK: Whoever runs the server

    /// Opens a stream to the client of a connection; nil when it has agreed on none, or has too many.
    package mutating func openStream(
        _ offer: StreamOffer, id: String? = nil, to connection: ConnectionID, canGoBack: Bool = false,
        at now: Moment, into effects: inout [ServerEffect]
    ) -> StreamName? {
        step(at: now, into: &effects) { session in
            guard let owner = session.streamOwner(linkedBy: session.home(of: connection)) else {
                return nil
            }
            let id = id ?? session.newStreamID()
            let isOpen = session.streams[owner]?.registry
                .open(offer, id: id, canGoBack: canGoBack, at: now.instant)
            session.performStreams(of: owner)
            return isOpen == true ? StreamName(owner, id) : nil
        }
    }

    /// One that no client has seen before, of this server or of an earlier start of it.
    private mutating func newStreamID() -> String {
        UniqueID(high: generator.next(), low: generator.next()).description
    }

    /// Does something with a stream; nil when there is none.
    package mutating func changeStream<R>(
        _ name: StreamName, at now: Moment, into effects: inout [ServerEffect],
        _ body: (inout ServerStream) -> R
    ) -> R? {
        step(at: now, into: &effects) { session in
            let result = session.streams[name.owner]?.registry.change(name.id, at: now.instant, body)
            session.performStreams(of: name.owner)
            return result ?? nil
        }
    }

    /// The connections of those that are meant, which have links and have agreed on streams.
    package func connections(of audience: StreamAudience) -> [ConnectionID] {
        let all: [ConnectionID] =
            switch audience {
            case .everyone: Array(connectionIDs)
            case .connection(let id): [home(of: id)]
            case .user(let uid): connectionIDs.filter { connections[$0]?.uid == uid }
            case .subscribers(let channel): channels.subscribers(of: .string(channel)).map(Array.init) ?? []
            }
        return all.filter { streamOwner(linkedBy: $0) != nil }
    }

    /// Whether a stream is of the client of this connection.
    package func isStream(_ name: StreamName, of id: ConnectionID) -> Bool {
        streamOwner(linkedBy: home(of: id)) == name.owner
    }

    /// Tells of those who subscribe to a channel from now on, and who no longer are.
    package mutating func follow(_ channel: String) { followedChannels.insert(.string(channel)) }

    /// The user of a connection.
    package func uid(of id: ConnectionID) -> Value { connections[home(of: id)]?.uid ?? .null }

    // MARK: What goes

    private mutating func performStreams(of owner: StreamOwner) {
        guard let outputs = streams[owner]?.registry.takeOutputs(), let id = streams[owner]?.connection else {
            return
        }
        for output in outputs {
            guard case .say(let word) = output.event else {
                note(output, of: owner, on: id)
                effects.append(.stream(id, StreamName(owner, output.id), output.event))
                continue
            }
            let said = FlowWord.stream(id: output.id, word)
            if said.isCounted {
                send(.flow(said, callback: flows[id]?.callback ?? .null), to: id, as: .push)
            } else {
                say(said, to: id)
            }
        }
        awaitRoomForStreams(of: id, owner)
    }

    /// Counts and tells what became of a stream.
    private mutating func note(_ output: StreamRegistry.Output, of owner: StreamOwner, on id: ConnectionID) {
        switch output.event {
        case .accepted:
            counters.streams.started += 1
            guard let offer = streams[owner]?.registry[output.id]?.offer else { return }
            record(.streamStarted) {
                [
                    "conn-id": $0.field(id), "stream-id": .string(output.id),
                    "stream-type": .string(offer.kind.rawValue),
                    "channel-id": offer.channel.map { .string($0) },
                    "total-size": offer.totalSize.map { .integer(Int64(clamping: $0)) },
                ]
            }
        case .over(.completed):
            counters.streams.completed += 1
            record(.streamComplete) { ["conn-id": $0.field(id), "stream-id": .string(output.id)] }
        case .over(.failed(let code, let message)):
            counters.streams.failed += 1
            recordFailure(of: output.id, code, message, on: id)
        case .over(.cancelled(let reason)):
            counters.streams.cancelled += 1
            recordFailure(of: output.id, "cancelled", reason, on: id)
        default: break
        }
    }

    private mutating func recordFailure(
        of stream: String, _ code: String, _ message: String?, on id: ConnectionID
    ) {
        record(.streamFailed) {
            [
                "conn-id": $0.field(id), "stream-id": .string(stream), "error-code": .string(code),
                "message": message.map { .string($0) },
            ]
        }
    }

    private mutating func awaitRoomForStreams(of id: ConnectionID, _ owner: StreamOwner) {
        guard let link = links[id], flows[id]?.link?.awaitsRoom == false,
            streams[owner]?.registry.hasPart == true
        else { return }
        flows[id]?.link?.awaitsRoom = true
        effects.append(.awaitRoom(link))
    }

    /// A link takes more: the chunk of the stream whose turn it is goes.
    mutating func pourStream(of id: ConnectionID) {
        guard let link = links[id], let owner = streamOwner(linkedBy: id) else { return }
        let time = now.instant
        if let (stream, number, part) = streams[owner]?.registry.takePart(at: time) {
            let message =
                flows[id]?.features?.binary == true
                ? Message.binary(part.binary(number: number))
                : dialect.encode(
                    .flow(.stream(id: stream, .chunk(part)), callback: flows[id]?.callback ?? .null), at: now)
            counters.streams.sent.add(part.bytes.count)
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
            if streams[owner]?.isLinked == false, streams[owner]?.registry.isEmpty == true {
                dropStreams(of: owner)
            }
        }
    }
}
