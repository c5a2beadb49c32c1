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

    /// Whether messages of a link may be more than plain ones.
    package func unpacks(_ link: LinkID) -> Bool {
        coder?.link == link && traffic.flow?.packing != nil
    }

    /// The messages that a message holds: itself, those of a batch, or the one that its last part completes.
    mutating func unpack(_ message: Message) throws(FlowViolation) -> [HeldArrivals.Arrival] {
        guard let takesBinary = traffic.flow?.packing?.takesBinary,
            let format = traffic.flow?.packing?.format, let limits = traffic.flow?.packing?.limits
        else { return [] }
        if takesBinary, message.kind == .binary, let envelope = try Envelope.read(binary: message.bytes) {
            return try unpack(envelope, isBinary: true)
        }
        // A part that is spelled as a word is a third larger than its bytes, and no work for others.
        guard message.bytes.count < 2 * configuration.largeValue else {
            return [.large(.message(message, format, limits))]
        }
        let inbounds = inbounds(of: message, format, limits)
        return try arrivals(of: inbounds, message.bytes.count, isEnveloped: false)
    }

    private mutating func unpack(
        _ envelope: Envelope, isBinary: Bool
    ) throws(FlowViolation) -> [HeldArrivals.Arrival] {
        let now = now
        if case .compressed(let algorithm, let bytes) = envelope {
            guard traffic.flow?.packing?.allows(algorithm) == true else {
                throw FlowViolation(
                    .protocolError, "It compressed by \(algorithm.rawValue), which was not agreed on.")
            }
            return try unfold(Assembled(parts: [bytes], algorithm: algorithm))
        }
        guard traffic.flow?.packing?.reassembly != nil else {
            throw FlowViolation(.protocolError, "It sent a message in parts, which was not agreed on.")
        }
        let arrival: Reassembly.Arrival?
        switch envelope {
        case .start(let start):
            arrival = try traffic.flow?.packing?.reassembly?.start(start, at: now.instant)
        case .part(let part):
            arrival = try traffic.flow?.packing?.reassembly?.add(part, isBinary: isBinary, at: now.instant)
        case .end(let number):
            arrival = try traffic.flow?.packing?.reassembly?.end(number, at: now.instant)
        case .abort(let number):
            traffic.flow?.packing?.reassembly?.abort(number)
            return []
        case .compressed: return []
        }
        guard case .whole(let assembled)? = arrival else { return [] }
        if let algorithm = assembled.algorithm, traffic.flow?.packing?.allows(algorithm) != true {
            throw FlowViolation(
                .protocolError, "It compressed by \(algorithm.rawValue), which was not agreed on.")
        }
        return try unfold(assembled)
    }

    private mutating func unfold(_ assembled: Assembled) throws(FlowViolation) -> [HeldArrivals.Arrival] {
        guard let packing = traffic.flow?.packing, let unfolding = packing.unfolding else { return [] }
        let reading = LargeWork.Reading.assembled(assembled, unfolding, packing.format, packing.limits)
        // Nobody knows how large it unfolds; what messages say becomes some eight times smaller.
        let likelySize = assembled.algorithm == nil ? assembled.size : 8 * assembled.size
        if likelySize >= configuration.largeValue { return [.large(reading)] }
        return try arrivals(of: reading.result, isEnveloped: true)
    }

    /// What a message that has been read holds.
    ///
    /// An envelope never holds an envelope, but it may hold a batch.
    mutating func arrivals(
        of result: Result<LargeWork.Read, UnreadableError>, isEnveloped: Bool
    ) throws(FlowViolation) -> [HeldArrivals.Arrival] {
        let (inbounds, size) = read(result)
        return try arrivals(of: inbounds, size, isEnveloped: isEnveloped)
    }

    private mutating func arrivals(
        of inbounds: [Inbound], _ size: Int, isEnveloped: Bool
    ) throws(FlowViolation) -> [HeldArrivals.Arrival] {
        guard inbounds.count == 1, case .flow(let frame) = inbounds[0] else {
            return [.heard(Heard(inbounds: inbounds, size: size))]
        }
        if frame.word == .batch { return try unpackBatch(frame.fields, size: size).map { .heard($0) } }
        if frame.word?.isCounted == true { return [.heard(Heard(inbounds: inbounds, size: size))] }
        guard !isEnveloped else { throw Self.nested("an envelope") }
        guard let word = frame.word, let envelope = try Envelope.read(word: word, fields: frame.fields) else {
            return [.heard(Heard(inbounds: inbounds, size: size))]
        }
        return try unpack(envelope, isBinary: false)
    }

    private func unpackBatch(_ fields: ValueMap, size: Int) throws(FlowViolation) -> [Heard] {
        guard traffic.flow?.packing?.takesBatches == true else {
            throw FlowViolation(.protocolError, "It sent a batch, which was not agreed on.")
        }
        guard let values = fields.value(named: "messages")?.arrayValue,
            (1...Self.largestBatch).contains(values.count)
        else {
            throw FlowViolation(
                .protocolError, "It sent a batch of no messages, or of more than \(Self.largestBatch).")
        }
        var messages: [Heard] = []
        for value in values {
            let inbounds = named(coder?.coder.read(value, isCallback: callbacks.contains) ?? [])
            for case .flow(let frame) in inbounds where frame.word?.isCounted != true {
                throw Self.nested("a batch")
            }
            messages.append(Heard(inbounds: inbounds, size: size / values.count))
        }
        return messages
    }

    private static let largestBatch = 1_024

    private static func nested(_ what: String) -> FlowViolation {
        FlowViolation(.protocolError, "It put a word of flow into \(what).")
    }

    /// What a message says that is read at once.
    private func inbounds(of message: Message, _ format: WireFormat, _ limits: SizeLimits) -> [Inbound] {
        do throws(UnreadableError) {
            let value = try format.value(of: message, limits: limits)
            return named(coder?.coder.read(value, isCallback: callbacks.contains) ?? [])
        } catch {
            return [error.inbound]
        }
    }

    private func read(_ result: Result<LargeWork.Read, UnreadableError>) -> (inbounds: [Inbound], size: Int) {
        switch result {
        case .success(let read):
            (named(coder?.coder.read(read.value, isCallback: callbacks.contains) ?? []), read.size)
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
            try traffic.flow?.packing?.reassembly?.expire(at: instant)
            noteParts()
        } catch {
            if case .open(let open) = state { violated(error.reason, on: open.link, error.closeCode) }
        }
    }

    /// Tells of the messages in parts that were given up since, and what is kept of others.
    mutating func noteParts() {
        guard traffic.flow?.packing?.reassembly?.hasNews == true else { return }
        if let losses = traffic.flow?.packing?.reassembly?.takeLosses() {
            effects.append(.record(.flow(.partsLost(losses))))
        }
        if let holding = traffic.flow?.packing?.reassembly?.takeHolding() {
            effects.append(.record(.flow(.partsHeld(holding))))
        }
    }
}
