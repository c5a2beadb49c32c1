// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Large values are written and read elsewhere than on the loop, which belongs to all clients.
///
/// What leaves: a message that is being written stands where one in parts would, and what must not overtake it waits. What comes:
/// `HeldArrivals` says what waits behind a message that is being read.
extension ServerSession {
    // MARK: Out

    /// Whether a message is worth being written elsewhere, for those who take it in parts; faults want it at once.
    func isLarge(_ value: Value) -> Bool {
        !flows.isEmpty && configuration.flow.chunking != nil && !outbox.isFaulty
            && value.weight >= configuration.largeValue
    }

    /// Whether messages to a connection go in parts, or will, for one that waits for a link.
    func takesParts(_ id: ConnectionID) -> Bool {
        guard let place = flows.index(forKey: id) else { return false }
        return flows.values[place].features?.chunking == true
    }

    /// A large message for one more connection: it is written once for all that compress it alike.
    mutating func write(_ spelled: inout Spelled, to id: ConnectionID, as kind: MessageKind) {
        guard let features = flows[id]?.features else { return }
        let algorithm = features.compression.first
        let underWay = spelled.works[algorithm].flatMap { writings[$0] == nil ? nil : $0 }
        let number =
            underWay
            ?? begin(
                spelled.message.map { .written($0) } ?? .spelled(spelled.value), spelled.said, algorithm)
        spelled.works[algorithm] = number
        let departure = Departure(id, (spelled.said, spelled.value, Message(.binary, [])), as: kind)
        if flows[id]?.link == nil { return keep(departure, underWay: number, size: spelled.value.weight) }
        writings[number]?.ids.append(id)
        putIntoBulk(departure, .underWay(number), size: spelled.value.weight)
    }

    /// Keeps a message that is being written for a client that has no link.
    mutating func keep(_ departure: Departure, underWay number: UInt64, size: Int) {
        guard departure.said.isCounted else { return }
        writings[number]?.ids.append(departure.id)
        keep(.underWay(number, size: size), isAnswer: departure.kind != .push, for: departure.id)
    }

    private mutating func begin(
        _ content: ServerWork.Writing.Content, _ said: ServerMessage, _ algorithm: FlowCapabilities.Algorithm?
    ) -> UInt64 {
        lastWork += 1
        writings[lastWork] = (said, [])
        let writing = ServerWork.Writing(
            content: content, said: said, dialect: dialect, compression: compression(algorithm))
        effects.append(.work(ServerWork(number: lastWork, job: .writing(writing))))
        return lastWork
    }

    /// A message of before goes to a client that lacks it, alone, and before all that is new; it is numbered already.
    mutating func sendAgain(_ kept: SessionBuffer.Kept, to id: ConnectionID) {
        guard let place = flows.index(forKey: id), let features = flows.values[place].link?.features else {
            return
        }
        switch kept.content {
        case .underWay(let number, let size): putAgain(kept, .underWay(number), size: size, to: id)
        case .written(let message):
            counters.sent.add(message)
            let size = message.bytes.count
            let algorithm = features.compression.first
            if features.chunking, size >= configuration.largeValue, compression(algorithm) != nil {
                let number = begin(.written(message), .batch([]), algorithm)
                writings[number]?.ids.append(id)
                return putAgain(kept, .underWay(number), size: size, to: id)
            }
            let folded = fold(message, for: features)
            if features.chunking, folded.bytes.count > features.maximumChunkBytes {
                let parts = parts(of: folded.bytes, folded.algorithm, for: id, features)
                counters.flow.inParts += 1
                return putAgain(kept, .parts(parts), size: size, to: id)
            }
            if flows.values[place].link?.bulk.isEmpty == false {
                return putAgain(kept, .whole, size: size, to: id)
            }
            post(message, to: id)
        }
    }

    private mutating func putAgain(
        _ kept: SessionBuffer.Kept, _ shape: LinkFlow.Shape, size: Int, to id: ConnectionID
    ) {
        var message = Message(.binary, [])
        if case .written(let written) = kept.content { message = written }
        let departure = Departure(id, (.batch([]), nil, message), as: kept.isAnswer ? .answer : .push)
        flows[id]?.link?.append(departure, shape, size: size, isAgain: true)
        awaitRoom(for: id)
    }

    /// A message has been written for these connections: for their links, or for what is kept for them.
    private mutating func written(_ number: UInt64, _ written: ServerWork.Written?) {
        guard let (said, ids) = writings.removeValue(forKey: number) else { return }
        var uncounted = written?.folded
        for id in ids {
            guard let place = flows.index(forKey: id), let features = flows.values[place].features
            else { continue }
            let isTaken = written.map { features.takes($0.message) }
            if isTaken == nil { recordUnwritten(said, to: id) }
            if isTaken == false { recordTooLarge(said, to: id) }
            let written = isTaken == true ? written : nil
            guard let bulk = flows.values[place].link?.bulk(of: number), !bulk.isAgain else {
                fill(number, written, for: id)
                continue
            }
            if let message = written?.message {
                if let folded = uncounted { note(folded, for: features, of: message.kind) }
                uncounted = nil
                let shape = shape(of: message, written?.folded, for: id, features)
                flows.values[place].link?.written(number, message, shape)
                note(message, said, to: id)
            } else {
                flows.values[place].link?.giveUp(number)
            }
            awaitRoom(for: id)
        }
    }

    /// A message that is kept has been written; for one that cannot be, or is too large, and was counted, a word stands that only
    /// counts.
    private mutating func fill(_ number: UInt64, _ written: ServerWork.Written?, for id: ConnectionID) {
        let callback = flows[id]?.callback ?? .null
        guard let message = written?.message ?? encode(.flow(.skip, callback: callback), for: id)?.message
        else { return }
        keep(message, writtenBy: number, for: id)
        guard let place = flows.index(forKey: id), let features = flows.values[place].link?.features,
            flows.values[place].link?.bulk(of: number) != nil
        else { return }
        if let folded = written?.folded { note(folded, for: features, of: message.kind) }
        let shape = shape(of: message, written?.folded, for: id, features)
        flows.values[place].link?.written(number, message, shape)
        awaitRoom(for: id)
    }

    private mutating func shape(
        of message: Message, _ folded: Folded?, for id: ConnectionID, _ features: FlowCapabilities
    ) -> LinkFlow.Shape {
        let isWorthIt = folded?.isWorthIt(features.binary || message.kind == .binary) ?? false
        // The link may be another than the one that it was compressed for.
        let folded = isWorthIt && folded?.algorithm == features.compression.first ? folded : nil
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
        return flows.values[place].isLinked
    }

    /// A message came that may be in an envelope.
    mutating func arrived(_ message: Message, from id: ConnectionID) {
        if isEnvelope(message, from: id) {
            if isStreamChunk(message) { return take(.init(content: .chunk(message)), from: id) }
            guard let envelope = FlowEnvelope(message) else { return breach(id, "an envelope is malformed") }
            return take(envelope, from: id)
        }
        // A part that is spelled as a word is a third larger than its bytes, and no work for others.
        if message.bytes.count / 2 >= configuration.largeValue {
            let reading = ServerWork.Reading(
                bytes: message.bytes[...], kind: message.kind, dialect: dialect, isEnveloped: false)
            return take(.init(content: .large(reading)), from: id)
        }
        let said = dialect.decode(message)
        if case .unreadable = said { return take(.init(content: .unreadable(message)), from: id) }
        take(.init(content: .said(said, bytes: message.bytes.count, isEnveloped: false)), from: id)
    }

    /// A message came in an envelope, or in the parts of this number.
    mutating func take(_ reading: ServerWork.Reading, parts: UInt64?, from id: ConnectionID) {
        guard let read = reading.read(within: configuration.largeValue) else {
            return take(.init(content: .large(reading), parts: parts), from: id)
        }
        guard let arrival = arrival(of: read, isEnveloped: true, parts: parts) else { return endTooBig(id) }
        take(arrival, from: id)
    }

    /// What has been read, to be heard; nil for what is too big.
    private mutating func arrival(
        of read: ServerWork.Read, isEnveloped: Bool, parts: UInt64?
    ) -> HeldArrivals.Arrival? {
        switch read {
        case .said(let said, let bytes, let wasCompressed):
            if wasCompressed { counters.flow.unfolded += 1 }
            return .init(content: .said(said, bytes: bytes, isEnveloped: isEnveloped), parts: parts)
        case .unreadable(let message): return .init(content: .unreadable(message), parts: parts)
        case .tooBig: return nil
        }
    }

    /// What came is heard, unless it has to wait for what came before it.
    private mutating func take(_ arrival: consuming HeldArrivals.Arrival, from id: ConnectionID) {
        guard let place = flows.index(forKey: id), flows.values[place].isReading else {
            return hear(arrival, from: id)
        }
        if arrival.parts == nil, flows.values[place].arrivals.letsPass, arrival.content.passes {
            if arrival.content.isCounted { flows.values[place].arrivals.pass() }
            return hear(arrival, from: id)
        }
        if arrival.content.isAhead { return hear(arrival, from: id) }
        flows.values[place].arrivals.append(arrival)
        guard let link = links[id], flows.values[place].arrivals.isFull,
            !flows.values[place].arrivals.isPaused
        else { return }
        flows.values[place].arrivals.isPaused = true
        effects.append(.pauseReading(link))
    }

    private mutating func hear(_ arrival: consuming HeldArrivals.Arrival, from id: ConnectionID) {
        let (content, parts, isCounted) = (arrival.content, arrival.parts, arrival.isCounted)
        if case .large(let reading) = content {
            lastWork += 1
            flows[id]?.arrivals.begin(lastWork, reading, parts: parts, isCounted: isCounted)
            return effects.append(.work(ServerWork(number: lastWork, job: .reading(id, reading))))
        }
        if isCounted { flows[id]?.session?.hearsCounted = true }
        switch content {
        case .said(let said, let bytes, let isEnveloped):
            interpret(said, bytes, isUnfolded: isEnveloped, from: id)
        case .unreadable(let message): refuseUnreadable(message, from: id)
        case .large: break
        case .chunk(let message): takeStreamChunk(message, from: id)
        case .ended: lose(id)
        }
        if isCounted { flows[id]?.session?.hearsCounted = false }
        if let parts { say(.chunkAcknowledgement(number: parts), to: id) }
    }

    /// What came behind the message that has been read is heard, up to the next that is large.
    private mutating func hearHeld(from id: ConnectionID) {
        while let arrival = flows[id]?.arrivals.next() { hear(arrival, from: id) }
        guard let link = links[id], let place = flows.index(forKey: id),
            flows.values[place].arrivals.isPaused, !flows.values[place].arrivals.isFull
        else { return }
        flows.values[place].arrivals.isPaused = false
        effects.append(.resumeReading(link))
    }

    /// Whether the end of a link waits until what came before it has been heard.
    mutating func holdsEnd(of id: ConnectionID) -> Bool {
        guard !flows.isEmpty, let place = flows.index(forKey: id), flows.values[place].isReading else {
            return false
        }
        flows.values[place].arrivals.append(.init(content: .ended))
        return true
    }

    // MARK: Back

    /// What was written or read is there; the link it was for may be gone.
    mutating func worked(_ done: ServerWork.Done) {
        switch done.outcome {
        case .written(let message): written(done.number, message)
        case .read(let id, let read):
            guard let place = flows.index(forKey: id),
                let (reading, isPassed) = flows.values[place].arrivals.end(done.number)
            else { return }
            hear(read, reading, isPassed: isPassed, from: id)
            hearHeld(from: id)
        }
    }

    private mutating func hear(
        _ read: ServerWork.Read, _ reading: HeldArrivals.Reading, isPassed: Bool, from id: ConnectionID
    ) {
        guard
            var arrival = arrival(of: read, isEnveloped: reading.isEnveloped, parts: reading.parts)
        else {
            // The link that it came over is gone already.
            if reading.isCounted { return recordTooBig(id) }
            if isPassed { count(.ignored, 0, from: id) }
            return endTooBig(id)
        }
        arrival.isCounted = reading.isCounted
        if isPassed, !reading.isCounted, case .unreadable(let message) = arrival.content,
            refusePassed(message, from: id)
        {
            return
        }
        hear(arrival, from: id)
    }

    /// Counts a message that cannot be read and that others have passed, and ends its link; false where it does not end it.
    ///
    /// Else it would end the link uncounted, to come again, and in its stead the last of those would.
    private mutating func refusePassed(_ message: Message, from id: ConnectionID) -> Bool {
        guard let session = flows[id]?.session, session.countsUnreadable == false else { return false }
        counters.unreadableMessages += 1
        recordUnreadable(message, from: id)
        count(.ignored, message.bytes.count, from: id)
        end(id, .close(.invalidData, "a message cannot be read"))
        return true
    }
}

extension HeldArrivals.Content {
    /// Whether it is heard before what is being read, where that lets others pass.
    fileprivate var passes: Bool {
        switch self {
        case .said, .chunk: true
        case .unreadable, .large, .ended: false
        }
    }

    fileprivate var isCounted: Bool {
        switch self {
        case .said(.flow(.batch, _), _, _): true
        case .said(let said, _, _): said.isCounted
        default: false
        }
    }

    /// Whether it is heard before whatever came earlier: it says only what the client has, or completes a message that waits then.
    fileprivate var isAhead: Bool {
        switch self {
        case .said(.flow(.acknowledgement, _), _, _), .said(.flow(.chunkAcknowledgement, _), _, _): true
        case .said(.flow(.envelope, _), _, let isEnveloped): !isEnveloped
        default: false
        }
    }
}
