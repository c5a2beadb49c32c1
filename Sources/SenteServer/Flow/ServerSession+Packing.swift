// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// How messages leave on a link that has agreed on more than plain ones: together, compressed, in parts.
extension ServerSession {
    /// A message leaves, or is kept until its client has a link again.
    ///
    /// It is numbered when it is handed to the link: one in parts with its last.
    mutating func pack(
        _ departure: Departure, _ features: FlowCapabilities,
        _ place: Dictionary<ConnectionID, ConnectionFlow>.Index
    ) {
        let id = departure.id
        guard flows.values[place].isLinked else { return keep(departure) }
        if features.chunking, departure.message.bytes.count > features.maximumChunkBytes {
            let folded = fold(departure.message, for: features)
            if folded.bytes.count > features.maximumChunkBytes {
                return putIntoParts(departure, folded.bytes, folded.algorithm, features)
            }
        }
        // In parts or not: what has to wait, waits.
        if flows.values[place].mustWait(departure) { return putIntoBulk(departure, .whole) }
        if gathers(departure, features) { return gather(departure) }
        if flows.values[place].hasGathered { flushGathered(of: id) }
        keep(departure)
        post(departure.message, to: id, features)
    }

    /// Keeps a message that counts until its client has it.
    private mutating func keep(_ departure: Departure) {
        guard departure.said.isCounted else { return }
        keep(.written(departure.message), isAnswer: departure.kind != .push, for: departure.id)
    }

    /// Hands a message to the link, compressed where that makes it smaller.
    mutating func post(_ message: Message, to id: ConnectionID) {
        if let features = flows[id]?.features { post(message, to: id, features) }
    }

    private mutating func post(_ message: Message, to id: ConnectionID, _ features: FlowCapabilities) {
        guard let link = links[id] else { return }
        let folded = fold(message, for: features)
        guard let algorithm = folded.algorithm,
            let envelope = write(.compressed(algorithm, folded.bytes[...]), for: id)
        else { return effects.append(.send(link, message)) }
        effects.append(.send(link, envelope))
    }

    /// An envelope as a binary message, where that was agreed on, or as a word.
    func write(_ envelope: FlowEnvelope, for id: ConnectionID) -> Message? {
        if flows[id]?.features?.binary == true, let message = envelope.binary { return message }
        return dialect.encode(.flow(.envelope(envelope), callback: flows[id]?.callback ?? .null), at: now)
    }

    // MARK: Compressed

    mutating func fold(
        _ message: Message, for features: FlowCapabilities
    ) -> (bytes: [UInt8], algorithm: FlowCapabilities.Algorithm?) {
        guard message.bytes.count >= configuration.flow.compression?.minimumBytes ?? .max,
            let compression = compression(features.compression.first)
        else { return (message.bytes, nil) }
        // What goes to many is compressed once.
        if lastFolded?.algorithm != compression.algorithm || lastFolded?.plain != message.bytes {
            guard let folded = compression.folded(message) else { return (message.bytes, nil) }
            lastFolded = folded
            note(folded, for: features, of: message.kind)
        }
        guard let folded = lastFolded, folded.isWorthIt(features.binary || message.kind == .binary) else {
            return (message.bytes, nil)
        }
        return (folded.compressed, folded.algorithm)
    }

    func compression(_ algorithm: FlowCapabilities.Algorithm?) -> ServerWork.Compression? {
        guard let algorithm, let compressor = compressors[algorithm],
            let minimum = configuration.flow.compression?.minimumBytes
        else { return nil }
        return ServerWork.Compression(algorithm: algorithm, compressor: compressor, minimumBytes: minimum)
    }

    /// Counts what compressing came to.
    mutating func note(_ folded: Folded, for features: FlowCapabilities, of kind: Message.Kind) {
        guard folded.isWorthIt(features.binary || kind == .binary) else {
            counters.flow.incompressible += 1
            return
        }
        counters.flow.compressed += 1
        counters.flow.bytesBefore += folded.plain.count
        counters.flow.bytesAfter += folded.compressed.count
    }

    struct Folded: Sendable {
        var plain: [UInt8]
        var compressed: [UInt8]
        var algorithm: FlowCapabilities.Algorithm

        /// Whether it is smaller by a tenth, base64 included where it goes as text.
        func isWorthIt(_ goesAsBytes: Bool) -> Bool {
            let size = goesAsBytes ? compressed.count : (compressed.count + 2) / 3 * 4
            return size <= plain.count - plain.count / 10
        }
    }

    // MARK: Together

    private func gathers(_ departure: Departure, _ features: FlowCapabilities) -> Bool {
        guard features.batching, let batching = configuration.flow.batching, departure.value != nil,
            departure.kind != .pong, departure.said.isCounted
        else { return false }
        // Sente's server has put together what it pushes.
        if case .batch = departure.said { return false }
        return (batching.linger > .zero || isHearingBatch && !features.compression.isEmpty)
            && departure.message.bytes.count < batching.bytes / 2
    }

    private mutating func gather(_ departure: Departure) {
        let id = departure.id
        guard let batching = configuration.flow.batching, let place = flows.index(forKey: id) else { return }
        let size = departure.message.bytes.count
        if (flows.values[place].link?.gatheredBytes ?? 0) + size > batching.bytes { flushGathered(of: id) }
        keep(departure)
        flows.values[place].link?.gathered.append(departure)
        flows.values[place].link?.gatheredBytes += size
        let count = flows.values[place].link?.gathered.count ?? 0
        if count >= batching.messages { return flushGathered(of: id) }
        guard count == 1 else { return }
        // Without a time to wait what a batch was answered with goes at the end of the step.
        let ticket = gatherings.add(id, due: now.instant.advanced(by: max(.zero, batching.linger)))
        flows.values[place].link?.gatheredDue = ticket
    }

    /// Whether messages of so many bytes are worth writing again as one: somebody asked to wait for company, or they will be
    /// compressed.
    ///
    /// Else one message saves two bytes each, and costs a tenth of a round trip.
    private func paysTogether(_ bytes: Int) -> Bool {
        (configuration.flow.batching?.linger ?? .zero) > .zero
            || bytes >= configuration.flow.compression?.minimumBytes ?? .max
    }

    /// What was gathered for a connection goes, in one message if there are several and that pays.
    mutating func flushGathered(of id: ConnectionID) {
        guard let place = flows.index(forKey: id), let gathered = flows.values[place].link?.gathered,
            !gathered.isEmpty
        else { return }
        let pays = paysTogether(flows.values[place].link?.gatheredBytes ?? 0)
        let ticket = flows.values[place].link?.gatheredDue
        let callback = flows.values[place].callback
        flows.values[place].link?.gathered = []
        flows.values[place].link?.gatheredBytes = 0
        flows.values[place].link?.gatheredDue = nil
        if let ticket { gatherings.remove(ticket) }
        let values = gathered.compactMap(\.value)
        guard pays, values.count > 1,
            let (_, _, batch) = encode(.flow(.batch(values), callback: callback), for: id)
        else {
            for departure in gathered { post(departure.message, to: id) }
            return
        }
        counters.flow.batches += 1
        counters.flow.batched += values.count
        post(batch, to: id)
    }

    // MARK: In parts

    private mutating func putIntoParts(
        _ departure: Departure, _ bytes: [UInt8], _ algorithm: FlowCapabilities.Algorithm?,
        _ features: FlowCapabilities
    ) {
        counters.flow.inParts += 1
        putIntoBulk(departure, .parts(parts(of: bytes, algorithm, for: departure.id, features)))
    }

    mutating func recordTooLarge(_ said: ServerMessage, to id: ConnectionID) {
        recordUnsent(said.type, to: id, "The message is larger than the client takes.")
    }

    mutating func parts(
        of bytes: [UInt8], _ algorithm: FlowCapabilities.Algorithm?, for id: ConnectionID,
        _ features: FlowCapabilities
    ) -> MessageParts {
        MessageParts(
            bytes, algorithm, number: flows[id]?.link?.newNumber() ?? 0, size: features.maximumChunkBytes,
            isBinary: features.binary)
    }

    /// A message is large, or has to wait behind one that is.
    mutating func putIntoBulk(_ departure: Departure, _ shape: LinkFlow.Shape, size: Int? = nil) {
        let id = departure.id
        guard let place = flows.index(forKey: id) else { return }
        let isTooMuch =
            flows.values[place].link?.holdsMore(than: configuration.maximumUnwrittenBytes) ?? false
        flows.values[place].link?.append(departure, shape, size: size ?? departure.message.bytes.count)
        // As with what a link has not written: it takes less than it is sent.
        guard !isTooMuch else { return end(id, .drop) }
        awaitRoom(for: id)
    }

    /// Has it told when the link takes more, if there is something for it.
    mutating func awaitRoom(for id: ConnectionID) {
        guard let link = links[id], let place = flows.index(forKey: id),
            flows.values[place].link?.awaitsRoom == false, flows.values[place].link?.hasNext == true
        else { return }
        flows.values[place].link?.awaitsRoom = true
        effects.append(.awaitRoom(link))
    }

    /// A link takes more: a part of what waits goes.
    mutating func pour(into link: ConnectionID) {
        guard let id = speaker(on: link), let place = flows.index(forKey: id) else { return }
        flows.values[place].link?.awaitsRoom = false
        if let next = flows.values[place].link?.takeNext() { pour(next, to: id) }
        if flows[id]?.link?.isNotHeard == true { return breach(id, "parts are not said to be heard") }
        pourStream(of: id)
        awaitRoom(for: id)
    }

    private mutating func pour(
        _ next: (bulk: LinkFlow.Bulk, shape: LinkFlow.TakenShape, isLast: Bool), to id: ConnectionID
    ) {
        guard let link = links[id] else { return }
        if next.isLast, !next.bulk.isAgain {
            flushGathered(of: id)
            keep(next.bulk.departure)
        }
        switch next.shape {
        case .parts(let parts):
            for part in parts.compactMap({ write($0, for: id) }) { effects.append(.send(link, part)) }
            counters.flow.parts += 1
        case .ready(let message): effects.append(.send(link, message))
        case .whole: post(next.bulk.departure.message, to: id)
        }
    }

    /// The link is gone: what is numbered is kept already, and what is not is now.
    mutating func unpack(_ id: ConnectionID) {
        guard let link = flows[id]?.link else { return }
        flows[id]?.link = nil
        if let early = flows[id]?.arrivals.linkEnded() { flows[id]?.session?.countEarly(early) }
        for ticket in [link.gatheredDue, link.partsDue].compactMap({ $0 }) {
            gatherings.remove(ticket)
            unfinished.remove(ticket)
        }
        guard flows[id]?.session != nil else { return }
        for bulk in link.bulk where !bulk.isAgain {
            let departure = bulk.departure
            if case .underWay(let number) = bulk.shape {
                guard departure.said.isCounted else { continue }
                keep(.underWay(number, size: bulk.size), isAnswer: departure.kind != .push, for: id)
            } else {
                keep(departure)
            }
        }
    }
}
