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
    package mutating func unpack(
        _ message: Message, at now: Moment
    ) throws(FlowViolation) -> [Heard] {
        if message.kind == .binary, traffic.flow?.packing?.takesBinary == true,
            let envelope = try Envelope.read(binary: message.bytes)
        {
            return try unpack(envelope, isBinary: true, at: now)
        }
        let inbounds = read(message)
        guard inbounds.count == 1, case .flow(let frame) = inbounds[0], let word = frame.word else {
            return [Heard(inbounds: inbounds, size: message.bytes.count)]
        }
        if word == .batch { return try unpackBatch(frame.fields, size: message.bytes.count) }
        if let envelope = try Envelope.read(word: word, fields: frame.fields) {
            return try unpack(envelope, isBinary: false, at: now)
        }
        return [Heard(inbounds: inbounds, size: message.bytes.count)]
    }

    private mutating func unpack(
        _ envelope: Envelope, isBinary: Bool, at now: Moment
    ) throws(FlowViolation) -> [Heard] {
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

    /// An envelope never holds an envelope, but it may hold a batch.
    private mutating func unfold(_ assembled: Assembled) throws(FlowViolation) -> [Heard] {
        let message: Message
        do throws(UnreadableError) {
            guard let unfolding = traffic.flow?.packing?.unfolding else { return [] }
            message = try unfolding.message(of: assembled)
        } catch {
            return [Heard(inbounds: [error.inbound], size: assembled.size)]
        }
        let inbounds = read(message)
        guard inbounds.count == 1, case .flow(let frame) = inbounds[0] else {
            return [Heard(inbounds: inbounds, size: message.bytes.count)]
        }
        guard frame.word == .batch else { throw Self.nested("an envelope") }
        return try unpackBatch(frame.fields, size: message.bytes.count)
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
            for case .flow(let frame) in inbounds where frame.word != .skip { throw Self.nested("a batch") }
            messages.append(Heard(inbounds: inbounds, size: size / values.count))
        }
        return messages
    }

    private static let largestBatch = 1_024

    private static func nested(_ what: String) -> FlowViolation {
        FlowViolation(.protocolError, "It put a word of flow into \(what).")
    }

    private func read(_ message: Message) -> [Inbound] {
        do throws(UnreadableError) {
            guard let coder = coder?.coder, let limits = traffic.flow?.packing?.limits else { return [] }
            let value = try coder.format.value(of: message, limits: limits)
            return named(coder.read(value, isCallback: callbacks.contains))
        } catch {
            return [error.inbound]
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

    package var hasChangedParts: Bool { traffic.flow?.packing?.reassembly?.hasNews == true }

    /// Tells of the messages in parts that were given up since, and what is kept of others.
    mutating func noteParts() {
        if let losses = traffic.flow?.packing?.reassembly?.takeLosses() {
            effects.append(.record(.flow(.partsLost(losses))))
        }
        if let holding = traffic.flow?.packing?.reassembly?.takeHolding() {
            effects.append(.record(.flow(.partsHeld(holding))))
        }
    }
}
