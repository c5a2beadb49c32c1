// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// What comes over a link on which messages travel otherwise than plain.
extension Session {
    /// What one message says, and its share of the bytes.
    package struct Heard: Sendable {
        package var inbounds: [Inbound]
        package var size: Int
    }

    /// Whether a message of a link is no plain one that is heard at once: it is large, in an envelope, or has to wait behind one
    /// that is being read.
    ///
    /// Almost all are plain, and go the way of those on a link without flow; what shows as a word of flow only when it has been
    /// read is unpacked then.
    package func unpacks(_ message: Message, of link: LinkID) -> Bool {
        guard speaker == link, traffic.packing.isOn else { return false }
        return isLarge(message) || traffic.packing.arrivals.reading != nil
            || message.kind == .binary && Envelope.isBinary(message.bytes)
    }

    /// A part that is spelled as a word is a third larger than its bytes, and no work for others.
    private func isLarge(_ message: Message) -> Bool { message.bytes.count >= 2 * configuration.largeValue }

    mutating func unpack(_ message: Message, on link: LinkID) throws(FlowViolation) -> [HeldArrivals.Arrival]
    {
        guard let terms = traffic.packing.terms else { return [] }
        if terms.takesBinary, message.kind == .binary,
            let envelope = try Envelope.read(binary: message.bytes)
        {
            return try unpack(envelope, isBinary: true)
        }
        guard !isLarge(message) else {
            return [.init(content: .large(.message(message, terms.format, terms.limits)))]
        }
        return try arrivals(of: decode(message, on: link) ?? [], message.bytes.count, isEnveloped: false)
    }

    /// A word came that holds messages, or a part of one.
    mutating func unpack(_ frame: FlowFrame, _ size: Int, on link: LinkID) {
        do throws(FlowViolation) {
            if frame.word == .batch {
                var messages = try unpackBatch(frame.fields, size: size)
                messages.reverse()
                // Taken out, so that each moves to where it goes: copies took 900 instructions a message.
                while let heard = messages.popLast() { hear(heard, on: link) }
            } else {
                let arrivals = try arrivals(of: [.flow(frame)], size, isEnveloped: false)
                take(arrivals, on: link)
            }
        } catch {
            violated(error.reason, on: link, error.closeCode)
        }
    }

    private mutating func unpack(
        _ envelope: Envelope, isBinary: Bool
    ) throws(FlowViolation) -> [HeldArrivals.Arrival] {
        let now = now
        if case .compressed(let algorithm, let bytes) = envelope {
            guard traffic.packing.terms?.allows(algorithm) == true else {
                throw FlowViolation(
                    .protocolError, "It compressed by \(algorithm.rawValue), which was not agreed on.")
            }
            return try unfold(Assembled(bytes: bytes, algorithm: algorithm))
        }
        guard !traffic.packing.reassembly.isEmpty else {
            throw FlowViolation(.protocolError, "It sent a message in parts, which was not agreed on.")
        }
        let arrival: Reassembly.Arrival?
        let number: UInt64
        switch envelope {
        case .start(let start):
            number = start.number
            arrival = try traffic.packing.reassembly[0].start(start, at: now.instant)
        case .part(let part):
            number = part.number
            arrival = try traffic.packing.reassembly[0].add(part, isBinary: isBinary, at: now.instant)
        case .end(let ended):
            number = ended
            arrival = try traffic.packing.reassembly[0].end(number, at: now.instant)
        case .abort(let number):
            traffic.packing.reassembly[0].abort(number)
            return []
        case .compressed: return []
        }
        let parts = traffic.packing.terms?.features.acknowledgesChunks == true ? number : nil
        guard case .whole(let assembled)? = arrival else {
            let isGivenUp = arrival == .late && envelope.isEnd && parts != nil
            return isGivenUp ? [.init(content: .given, parts: parts)] : []
        }
        if let algorithm = assembled.algorithm, traffic.packing.terms?.allows(algorithm) != true {
            throw FlowViolation(
                .protocolError, "It compressed by \(algorithm.rawValue), which was not agreed on.")
        }
        return try unfold(assembled, parts: parts)
    }

    private mutating func unfold(
        _ assembled: Assembled, parts: UInt64? = nil
    ) throws(FlowViolation) -> [HeldArrivals.Arrival] {
        guard let terms = traffic.packing.terms, let unfolding = terms.unfolding else { return [] }
        let reading = LargeWork.Reading.assembled(assembled, unfolding, terms.format, terms.limits)
        guard let result = reading.result(within: configuration.largeValue) else {
            return [.init(content: .large(reading), parts: parts)]
        }
        return try arrivals(of: result, isEnveloped: true, parts: parts)
    }

    /// What a message that has been read holds.
    ///
    /// An envelope never holds an envelope, but it may hold a batch.
    mutating func arrivals(
        of result: Result<LargeWork.Read, UnreadableError>, isEnveloped: Bool, parts: UInt64?
    ) throws(FlowViolation) -> [HeldArrivals.Arrival] {
        let (inbounds, size) = read(result)
        var arrivals = try arrivals(of: inbounds, size, isEnveloped: isEnveloped)
        // A large part that is a word has said by itself which message it ends.
        if let parts, let last = arrivals.indices.last { arrivals[last].parts = parts }
        return arrivals
    }

    private mutating func arrivals(
        of inbounds: [Inbound], _ size: Int, isEnveloped: Bool
    ) throws(FlowViolation) -> [HeldArrivals.Arrival] {
        guard inbounds.count == 1, case .flow(let frame) = inbounds[0] else {
            return [.init(content: .heard(Heard(inbounds: inbounds, size: size)))]
        }
        if frame.word == .batch {
            return try unpackBatch(frame.fields, size: size).map { .init(content: .heard($0)) }
        }
        if frame.word?.isCounted == true {
            return [.init(content: .heard(Heard(inbounds: inbounds, size: size)))]
        }
        guard !isEnveloped else { throw Self.nested("an envelope") }
        guard let word = frame.word, let envelope = try Envelope.read(word: word, fields: frame.fields) else {
            return [.init(content: .heard(Heard(inbounds: inbounds, size: size)))]
        }
        return try unpack(envelope, isBinary: false)
    }

    private func unpackBatch(_ fields: ValueMap, size: Int) throws(FlowViolation) -> [Heard] {
        guard traffic.packing.terms?.features.batching == true else {
            throw FlowViolation(.protocolError, "It sent a batch, which was not agreed on.")
        }
        guard let values = fields.value(named: "messages")?.arrayValue,
            (1...Self.largestBatch).contains(values.count)
        else {
            throw FlowViolation(
                .protocolError, "It sent a batch of no messages, or of more than \(Self.largestBatch).")
        }
        var messages: [Heard] = []
        messages.reserveCapacity(values.count)
        for value in values {
            let inbounds = named(coder?.read(value, isCallback: { callbacks.contains($0) }) ?? [])
            guard !inbounds.contains(where: \.isUncountedWord) else { throw Self.nested("a batch") }
            messages.append(Heard(inbounds: inbounds, size: size / values.count))
        }
        return messages
    }

    private static let largestBatch = 1_024

    private static func nested(_ what: String) -> FlowViolation {
        FlowViolation(.protocolError, "It put a word of flow into \(what).")
    }

    private func read(_ result: Result<LargeWork.Read, UnreadableError>) -> (inbounds: [Inbound], size: Int) {
        switch result {
        case .success(let read):
            (named(coder?.read(read.value, isCallback: { callbacks.contains($0) }) ?? []), read.size)
        case .failure(let error): ([error.inbound], 0)
        }
    }

    /// On Sente, replies to the handshake's callback are words of flow.
    func named(_ inbounds: [Inbound]) -> [Inbound] {
        guard status.dialect == .sente, let callback = traffic.flow?.callback else { return inbounds }
        return inbounds.map { FlowFrame($0, answering: callback).map(Inbound.flow) ?? $0 }
    }

    /// Gives up messages whose parts stay away.
    mutating func expireParts() {
        let instant = now.instant
        do throws(FlowViolation) {
            guard !traffic.packing.reassembly.isEmpty else { return }
            try traffic.packing.reassembly[0].expire(at: instant)
            noteParts()
        } catch {
            if case .open(let open) = state { violated(error.reason, on: open.link, error.closeCode) }
        }
    }

    /// Tells of the messages in parts that were given up since, and what is kept of others.
    mutating func noteParts() {
        guard !traffic.packing.reassembly.isEmpty, traffic.packing.reassembly[0].hasNews else { return }
        if let losses = traffic.packing.reassembly[0].takeLosses() {
            effects.append(.record(.flow(.partsLost(losses))))
        }
        if let holding = traffic.packing.reassembly[0].takeHolding() {
            effects.append(.record(.flow(.partsHeld(holding))))
        }
    }
}
