// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Large values are written and read elsewhere than on the loop, which belongs to all clients.
///
/// What leaves: a message that is being written stands where one in parts would, and what must not overtake it waits. What comes:
/// nobody knows yet what a message that is being read says, so all that its client sent later waits behind it, pings too, for their
/// pong says that all before them has been heard.
extension ServerSession {
    // MARK: Out

    /// Whether a message is worth being written elsewhere, for those who take it in parts; faults want it at once.
    func isLarge(_ value: Value) -> Bool {
        !flows.isEmpty && configuration.flow.chunking != nil && !outbox.isFaulty
            && value.weight >= configuration.largeValue
    }

    /// Whether a connection has a link on which messages go in parts.
    func takesParts(_ id: ConnectionID) -> Bool {
        guard let place = flows.index(forKey: id) else { return false }
        return flows.values[place].link?.features.chunking == true
    }

    /// A large message for one more connection: it is written once for all that compress it alike.
    mutating func write(_ spelled: inout Spelled, to id: ConnectionID, as kind: MessageKind) {
        guard let features = flows[id]?.features else { return }
        let algorithm = features.compression.first
        let number = spelled.works[algorithm] ?? begin(spelled, algorithm)
        spelled.works[algorithm] = number
        writings[number, default: []].append(id)
        let departure = Departure(id, (spelled.said, spelled.value, Message(.binary, [])), as: kind)
        putIntoBulk(departure, .underWay(number), size: spelled.value.weight)
    }

    private mutating func begin(_ spelled: Spelled, _ algorithm: FlowCapabilities.Algorithm?) -> UInt64 {
        lastWork += 1
        let writing = ServerWork.Writing(
            said: spelled.said, value: spelled.value, dialect: dialect, compression: compression(algorithm))
        effects.append(.work(ServerWork(number: lastWork, job: .writing(writing))))
        return lastWork
    }

    /// A message has been written for these connections; where the link has gone since, it was kept.
    private mutating func written(_ number: UInt64, _ written: ServerWork.Written?) {
        var uncounted = written?.folded
        for id in writings.removeValue(forKey: number) ?? [] {
            guard let place = flows.index(forKey: id), let features = flows.values[place].link?.features,
                let said = flows.values[place].link?.said(by: number)
            else { continue }
            if let message = written?.message, message.bytes.count <= features.maximumIncomingBytes ?? .max {
                if let folded = uncounted { note(folded, for: features, of: message.kind) }
                uncounted = nil
                let shape = shape(of: message, written?.folded, for: id, features)
                flows.values[place].link?.written(number, message, shape)
                note(message, said, to: id)
            } else {
                flows.values[place].link?.giveUp(number)
                if written == nil { recordUnwritten(said, to: id) } else { recordTooLarge(said, to: id) }
            }
            awaitRoom(for: id)
        }
    }

    private mutating func shape(
        of message: Message, _ folded: Folded?, for id: ConnectionID, _ features: FlowCapabilities
    ) -> LinkFlow.Shape {
        let isWorthIt = folded?.isWorthIt(features.binary || message.kind == .binary) ?? false
        let folded = isWorthIt ? folded : nil
        let bytes = folded?.compressed ?? message.bytes
        if bytes.count > features.maximumChunkBytes {
            counters.flow.inParts += 1
            return .parts(parts(of: bytes, folded?.algorithm, for: id, features))
        }
        let envelope = folded.flatMap { write(.compressed($0.algorithm, $0.compressed[...]), for: id) }
        return .ready(envelope ?? message)
    }

    // MARK: In

    /// Whether messages of a connection may be more than plain ones.
    func agreesOnMore(_ id: ConnectionID) -> Bool {
        guard let place = flows.index(forKey: id) else { return false }
        return flows.values[place].link != nil
    }

    /// A message came that may be in an envelope.
    mutating func arrived(_ message: Message, from id: ConnectionID) {
        if isEnvelope(message, from: id) {
            if isStreamChunk(message) { return take(.chunk(message), from: id) }
            guard let envelope = FlowEnvelope(message) else { return breach(id, "an envelope is malformed") }
            return take(envelope, from: id)
        }
        // A part that is spelled as a word is a third larger than its bytes, and no work for others.
        if message.bytes.count / 2 >= configuration.largeValue {
            let reading = ServerWork.Reading(
                bytes: message.bytes[...], kind: message.kind, dialect: dialect, isEnveloped: false)
            return take(.large(reading), from: id)
        }
        let said = dialect.decode(message)
        take(
            said == .unreadable
                ? .unreadable(message) : .said(said, bytes: message.bytes.count, isEnveloped: false), from: id
        )
    }

    /// A message came in an envelope.
    mutating func take(_ reading: ServerWork.Reading, from id: ConnectionID) {
        guard reading.likelySize < configuration.largeValue else { return take(.large(reading), from: id) }
        take(reading.read, isEnveloped: true, from: id)
    }

    private mutating func take(_ read: ServerWork.Read, isEnveloped: Bool, from id: ConnectionID) {
        switch read {
        case .said(let said, let bytes, let wasCompressed):
            if wasCompressed { counters.flow.unfolded += 1 }
            take(.said(said, bytes: bytes, isEnveloped: isEnveloped), from: id)
        case .unreadable(let message): take(.unreadable(message), from: id)
        case .tooBig: endTooBig(id)
        }
    }

    /// What came is heard, unless it has to wait for what came before it.
    private mutating func take(_ arrival: HeldArrivals.Arrival, from id: ConnectionID) {
        guard let place = flows.index(forKey: id), flows.values[place].link?.arrivals.reading != nil,
            !arrival.isAhead
        else { return hear(arrival, from: id) }
        flows.values[place].link?.arrivals.append(arrival)
        guard let link = connections[id]?.link, flows.values[place].link?.arrivals.isFull == true,
            flows.values[place].link?.arrivals.isPaused == false
        else { return }
        flows.values[place].link?.arrivals.isPaused = true
        effects.append(.pauseReading(link))
    }

    private mutating func hear(_ arrival: HeldArrivals.Arrival, from id: ConnectionID) {
        switch arrival {
        case .said(let said, let bytes, let isEnveloped):
            interpret(said, bytes, isUnfolded: isEnveloped, from: id)
        case .unreadable(let message): refuseUnreadable(message, from: id)
        case .large(let reading):
            guard let link = connections[id]?.link else { return }
            lastWork += 1
            flows[id]?.link?.arrivals.begin(lastWork, reading)
            effects.append(.work(ServerWork(number: lastWork, job: .reading(link, reading))))
        case .chunk(let message): takeStreamChunk(message, from: id)
        case .ended: lose(id)
        }
    }

    /// What came behind the message that has been read is heard, up to the next that is large.
    private mutating func hearHeld(from id: ConnectionID, on link: ConnectionID) {
        while speaker(on: link) == id, let arrival = flows[id]?.link?.arrivals.next() {
            hear(arrival, from: id)
        }
        guard speaker(on: link) == id, let place = flows.index(forKey: id),
            flows.values[place].link?.arrivals.isPaused == true,
            flows.values[place].link?.arrivals.isFull == false
        else { return }
        flows.values[place].link?.arrivals.isPaused = false
        effects.append(.resumeReading(link))
    }

    /// Whether the end of a link waits until what came before it has been heard.
    mutating func holdsEnd(of id: ConnectionID) -> Bool {
        guard !flows.isEmpty, let place = flows.index(forKey: id),
            flows.values[place].link?.arrivals.reading != nil
        else { return false }
        flows.values[place].link?.arrivals.append(.ended)
        return true
    }

    // MARK: Back

    /// What was written or read is there; the link it was for may be gone.
    mutating func worked(_ done: ServerWork.Done) {
        switch done.outcome {
        case .written(let message): written(done.number, message)
        case .read(let link, let read):
            guard let id = speaker(on: link), let place = flows.index(forKey: id),
                let isEnveloped = flows.values[place].link?.arrivals.end(done.number)
            else { return }
            take(read, isEnveloped: isEnveloped, from: id)
            hearHeld(from: id, on: link)
        }
    }
}

extension HeldArrivals.Arrival {
    /// Whether it is heard before what came earlier: it says only what the client has, or completes a message that waits then.
    fileprivate var isAhead: Bool {
        switch self {
        case .said(.flow(.acknowledgement, _), _, _): true
        case .said(.flow(.envelope, _), _, let isEnveloped): !isEnveloped
        default: false
        }
    }
}
