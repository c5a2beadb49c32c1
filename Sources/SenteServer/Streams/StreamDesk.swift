// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Performs what the streams of a session want, with sources and sinks.
///
/// Whoever runs the server decides of each stream that a client asks for who takes it (`choose`); what the session wants of
/// streams then comes here (`perform`), and what follows goes to the session at once. Sources and sinks are all that touches
/// the world. They are called between two messages of clients, so each call must be short: a chunk of a file is.
package struct StreamDesk: Sendable {
    /// Decides who takes a stream; what it throws is what the client is told.
    package typealias Choice = @Sendable (StreamRequest) throws(StreamRefusal) -> StreamEnds

    /// One stream of many to which the same bytes go.
    package struct BroadcastName: Hashable, Sendable {
        fileprivate let number: Int
    }

    private struct Entry {
        var ends: StreamEnds
        var chunkSize: Int
        /// The sink has all, and keeps it whatever becomes of the stream.
        var isKept = false
        var hearing: (broadcast: BroadcastName, listener: BroadcastStream.Listener)?
        var retry: DeadlineQueue<Waiting>.Ticket?
    }

    private struct Broadcast {
        var stream: BroadcastStream
        var source: any StreamSource
        let offer: StreamOffer
        var listeners: [BroadcastStream.Listener: StreamName] = [:]
        var retry: DeadlineQueue<Waiting>.Ticket?
    }

    private enum Waiting {
        case stream(StreamName)
        case broadcast(BroadcastName)
    }

    private let choose: Choice?
    private var entries: [StreamName: Entry] = [:]
    private var broadcasts: [BroadcastName: Broadcast] = [:]
    private var lastBroadcast = 0
    private var retries = DeadlineQueue<Waiting>()

    package init(_ choose: Choice? = nil) {
        self.choose = choose
    }

    package var streamCount: Int { entries.count }
    package var broadcastCount: Int { broadcasts.count }
    /// When a source is asked again.
    package var deadline: Instant? { retries.earliest }

    // MARK: What the session wants

    package mutating func perform(
        _ event: ServerStream.Event, of name: StreamName, on connection: ConnectionID,
        in session: inout ServerSession, at now: Moment, into effects: inout [ServerEffect]
    ) {
        switch event {
        case .offered(let offer):
            let request = StreamRequest(
                connection: connection, uid: session.uid(of: connection), offer: offer)
            decide(request, name, &session, now, &effects)
        case .wants: supply(name, &session, now, &effects)
        case .hasParts: drain(name, &session, now, &effects)
        case .control(let data):
            guard let answer = entries[name]?.ends.answerControl?(data) else { return }
            change(name, &session, now, &effects) { $0.control(answer, at: now.instant) }
        case .over(let outcome): close(name, outcome)
        case .say, .accepted: break
        }
    }

    private mutating func decide(
        _ request: StreamRequest, _ name: StreamName, _ session: inout ServerSession, _ now: Moment,
        _ effects: inout [ServerEffect]
    ) {
        do throws(StreamRefusal) {
            let ends = try choose?(request) ?? StreamEnds()
            guard ends.source != nil || !request.offer.serverSends,
                ends.sink != nil || !request.offer.serverReceives
            else { throw StreamRefusal("the server takes no such stream") }
            entries[name] = Entry(ends: ends, chunkSize: request.offer.chunkSize)
            change(name, &session, now, &effects) { $0.accept(at: now.instant) }
        } catch {
            fail(name, error, &session, now, &effects)
        }
    }

    /// Whoever served it is told by its end.
    private func fail(
        _ name: StreamName, _ refusal: StreamRefusal, _ session: inout ServerSession, _ now: Moment,
        _ effects: inout [ServerEffect]
    ) {
        change(name, &session, now, &effects) { $0.fail(refusal.code, refusal.message, at: now.instant) }
    }

    @discardableResult
    private func change<R>(
        _ name: StreamName, _ session: inout ServerSession, _ now: Moment, _ effects: inout [ServerEffect],
        _ body: (inout ServerStream) -> R
    ) -> R? {
        session.changeStream(name, at: now, into: &effects, body)
    }

    private mutating func close(_ name: StreamName, _ outcome: ServerStream.Outcome) {
        guard var entry = entries.removeValue(forKey: name) else { return }
        if let retry = entry.retry { retries.remove(retry) }
        if !entry.isKept { entry.ends.sink?.abandon() }
        if let (broadcast, listener) = entry.hearing { leave(broadcast, listener) }
        entry.ends.onEnd?(outcome)
    }

    // MARK: Bytes that go

    private mutating func supply(
        _ name: StreamName, _ session: inout ServerSession, _ now: Moment, _ effects: inout [ServerEffect]
    ) {
        guard let chunkSize = entries[name]?.chunkSize,
            let place = change(name, &session, now, &effects, { $0.wantedPlace }) ?? nil
        else { return }
        if let (broadcast, listener) = entries[name]?.hearing {
            guard let actions = broadcasts[broadcast]?.stream.wanted(by: listener) else { return }
            follow(actions, of: broadcast, &session, now, &effects)
            return pull(broadcast, &session, now, &effects)
        }
        do throws(StreamRefusal) {
            switch try entries[name]?.ends.source?.bytes(at: place, most: chunkSize) {
            case .bytes(let bytes)?:
                change(name, &session, now, &effects) { $0.give(bytes, at: place, now: now.instant) }
            case .later(let pause)?:
                if let retry = entries[name]?.retry { retries.remove(retry) }
                entries[name]?.retry = pause.map {
                    retries.add(.stream(name), due: now.instant.advanced(by: $0))
                }
            case .end?: change(name, &session, now, &effects) { $0.end(at: place, now: now.instant) }
            case nil: break
            }
        } catch {
            fail(name, error, &session, now, &effects)
        }
        // What was taken out of a stream may make room for what comes on it.
        if entries[name]?.ends.sink != nil { drain(name, &session, now, &effects) }
    }

    // MARK: Bytes that come

    private mutating func drain(
        _ name: StreamName, _ session: inout ServerSession, _ now: Moment, _ effects: inout [ServerEffect]
    ) {
        guard entries[name]?.isKept == false else { return }
        var hasTaken = false
        do throws(StreamRefusal) {
            while entries[name]?.ends.sink?.takesMore == true,
                let bytes = change(name, &session, now, &effects, { $0.take(at: now.instant) }) ?? nil
            {
                try entries[name]?.ends.sink?.take(bytes)
                hasTaken = true
            }
            if change(name, &session, now, &effects, { $0.isTaken }) == true,
                let receipt = try entries[name]?.ends.sink?.finish()
            {
                entries[name]?.isKept = true
                hasTaken = true
                change(name, &session, now, &effects) { $0.confirm(receipt, at: now.instant) }
            }
        } catch {
            return fail(name, error, &session, now, &effects)
        }
        if hasTaken, entries[name]?.ends.source != nil { supply(name, &session, now, &effects) }
    }

    // MARK: Whoever runs the server

    /// Opens a stream to each of those that are meant, with ends of its own; those that could be opened.
    package mutating func open(
        _ offer: StreamOffer, to audience: StreamAudience, in session: inout ServerSession, at now: Moment,
        into effects: inout [ServerEffect], _ makeEnds: () -> StreamEnds
    ) -> [StreamName] {
        session.connections(of: audience).compactMap { connection in
            let ends = makeEnds()
            let name = session.openStream(
                offer, to: connection, canGoBack: ends.source?.canGoBack ?? false, at: now, into: &effects)
            guard let name else { return nil }
            entries[name] = Entry(ends: ends, chunkSize: offer.chunkSize)
            return name
        }
    }

    /// A source or a sink has or takes more.
    package mutating func wake(
        _ name: StreamName, in session: inout ServerSession, at now: Moment,
        into effects: inout [ServerEffect]
    ) {
        drain(name, &session, now, &effects)
        supply(name, &session, now, &effects)
    }

    /// The same for all there are.
    package mutating func wakeAll(
        in session: inout ServerSession, at now: Moment, into effects: inout [ServerEffect]
    ) {
        for name in Array(entries.keys) { wake(name, in: &session, at: now, into: &effects) }
    }

    /// Some sources said that they would have more by now.
    package mutating func expire(
        in session: inout ServerSession, at now: Moment, into effects: inout [ServerEffect]
    ) {
        while let waiting = retries.take(by: now.instant) {
            switch waiting {
            case .stream(let name):
                entries[name]?.retry = nil
                supply(name, &session, now, &effects)
            case .broadcast(let name):
                broadcasts[name]?.retry = nil
                pull(name, &session, now, &effects)
            }
        }
    }
}

// MARK: Broadcasts

extension StreamDesk {
    /// Begins a broadcast of what a source gives to the subscribers of a channel, those that are there and those that come.
    ///
    /// The source is asked as long as somebody listens, and never for bytes it has given.
    package mutating func beginBroadcast(
        of source: any StreamSource, on channel: String, metadata: Value = .null,
        _ stream: BroadcastStream = BroadcastStream(), in session: inout ServerSession, at now: Moment,
        into effects: inout [ServerEffect]
    ) -> BroadcastName {
        lastBroadcast += 1
        let name = BroadcastName(number: lastBroadcast)
        // Who comes later has not the whole; each chunk has a checksum instead.
        let offer = StreamOffer(
            .broadcast, channel: channel, chunkSize: stream.chunkSize, metadata: metadata, isChecked: false,
            checksChunks: true)
        broadcasts[name] = Broadcast(stream: stream, source: source, offer: offer)
        session.follow(channel)
        join(name, .subscribers(channel), in: &session, at: now, into: &effects)
        return name
    }

    /// Somebody has subscribed to a channel, or no longer is: the broadcasts on it are for subscribers.
    package mutating func note(
        _ connection: ConnectionID, isSubscribed: Bool, to channel: Value, in session: inout ServerSession,
        at now: Moment, into effects: inout [ServerEffect]
    ) {
        for (name, broadcast) in broadcasts where broadcast.offer.channel == channel.stringValue {
            if isSubscribed {
                join(name, .connection(connection), in: &session, at: now, into: &effects)
            } else {
                for stream in broadcast.listeners.values where session.isStream(stream, of: connection) {
                    change(stream, &session, now, &effects) { $0.cancel("unsubscribed", at: now.instant) }
                }
            }
        }
    }

    /// Lets others hear a broadcast too, from its next chunk on; how many could be told.
    ///
    /// A client that came back on another connection may hear it still.
    @discardableResult
    package mutating func join(
        _ broadcast: BroadcastName, _ audience: StreamAudience, in session: inout ServerSession,
        at now: Moment, into effects: inout [ServerEffect]
    ) -> Int {
        var count = 0
        for connection in session.connections(of: audience) {
            let hears = broadcasts[broadcast]?.listeners.values.contains { name in
                session.isStream(name, of: connection)
            }
            guard hears == false, broadcasts[broadcast]?.stream.isFinished == false else { continue }
            guard var offer = broadcasts[broadcast]?.offer,
                let (listener, first) = broadcasts[broadcast]?.stream.join()
            else { break }
            offer.first = first
            guard let name = session.openStream(offer, to: connection, at: now, into: &effects) else {
                broadcasts[broadcast]?.stream.leave(listener)
                continue
            }
            broadcasts[broadcast]?.listeners[listener] = name
            entries[name] = Entry(ends: StreamEnds(), chunkSize: offer.chunkSize)
            entries[name]?.hearing = (broadcast, listener)
            count += 1
        }
        return count
    }

    /// The source of a broadcast has more.
    package mutating func wake(
        _ broadcast: BroadcastName, in session: inout ServerSession, at now: Moment,
        into effects: inout [ServerEffect]
    ) {
        pull(broadcast, &session, now, &effects)
    }

    /// Ends a broadcast for all who hear it.
    package mutating func cancel(
        _ broadcast: BroadcastName, in session: inout ServerSession, at now: Moment,
        into effects: inout [ServerEffect]
    ) {
        guard let ended = broadcasts.removeValue(forKey: broadcast) else { return }
        if let retry = ended.retry { retries.remove(retry) }
        for name in ended.listeners.values {
            change(name, &session, now, &effects) { $0.cancel("the broadcast is over", at: now.instant) }
        }
    }

    private mutating func leave(_ broadcast: BroadcastName, _ listener: BroadcastStream.Listener) {
        broadcasts[broadcast]?.stream.leave(listener)
        broadcasts[broadcast]?.listeners[listener] = nil
        guard let left = broadcasts[broadcast], left.stream.isFinished, left.listeners.isEmpty else { return }
        broadcasts[broadcast] = nil
    }

    private mutating func pull(
        _ name: BroadcastName, _ session: inout ServerSession, _ now: Moment,
        _ effects: inout [ServerEffect]
    ) {
        // Where nobody listens, nothing is asked for.
        while let broadcast = broadcasts[name], broadcast.stream.count > 0, broadcast.stream.wantsBytes {
            let end = broadcast.stream.end.bytes
            do throws(StreamRefusal) {
                switch try broadcasts[name]?.source.bytes(at: end, most: broadcast.offer.chunkSize) {
                case .bytes(let bytes)?:
                    follow(broadcasts[name]?.stream.write(bytes) ?? [], of: name, &session, now, &effects)
                case .later(let pause)?:
                    if let retry = broadcast.retry { retries.remove(retry) }
                    broadcasts[name]?.retry = pause.map {
                        retries.add(.broadcast(name), due: now.instant.advanced(by: $0))
                    }
                    return
                case .end?:
                    follow(broadcasts[name]?.stream.finish() ?? [], of: name, &session, now, &effects)
                    return
                case nil: return
                }
            } catch {
                for listener in broadcast.listeners.values { fail(listener, error, &session, now, &effects) }
                broadcasts[name] = nil
            }
        }
    }

    private mutating func follow(
        _ actions: [BroadcastStream.Action], of broadcast: BroadcastName, _ session: inout ServerSession,
        _ now: Moment, _ effects: inout [ServerEffect]
    ) {
        let listeners = broadcasts[broadcast]?.listeners ?? [:]
        for action in actions {
            switch action {
            case .give(let listener, let bytes, let place):
                guard let name = listeners[listener] else { continue }
                change(name, &session, now, &effects) { $0.give(bytes, at: place, now: now.instant) }
            case .skip(let listener, let place):
                guard let name = listeners[listener] else { continue }
                change(name, &session, now, &effects) { $0.skip(to: place, at: now.instant) }
            case .end(let listener, let place):
                guard let name = listeners[listener] else { continue }
                change(name, &session, now, &effects) { $0.end(at: place, now: now.instant) }
            case .drop(let listener):
                guard let name = listeners[listener] else { continue }
                fail(
                    name, StreamRefusal("more came than was taken", code: "too-slow"), &session, now, &effects
                )
            }
        }
    }
}
