// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// How messages come on a link that has agreed on more than plain ones.
extension ServerSession {
    /// How many messages a batch may hold, of whatever size.
    private static let maximumBatch = 1_024

    // MARK: Together

    mutating func take(_ batch: [Value], _ bytes: Int, from id: ConnectionID) {
        guard flows[id]?.features?.batching == true else { return breach(id, "batches were not agreed on") }
        guard (1...Self.maximumBatch).contains(batch.count) else {
            return breach(id, "a batch holds none, or too many")
        }
        counters.flow.batchesReceived += 1
        isHearingBatch = true
        defer { isHearingBatch = false }
        for value in batch {
            let said = dialect.decode(value)
            if said == .unreadable {
                counters.unreadableMessages += 1
                if !takeUnreadable(bytes / batch.count, from: id) { sendError(.unreadable, to: id) }
                guard links[id] != nil else { return }
                continue
            }
            if case .flow(let word, _) = said, !word.isCounted {
                return breach(id, "a word about messages came in a batch")
            }
            interpret(said, bytes / batch.count, from: id)
            guard links[id] != nil else { return }
        }
    }

    // MARK: Envelopes

    /// Whether a message is one in the binary spelling, for those who have agreed on it.
    func isEnvelope(_ message: Message, from id: ConnectionID) -> Bool {
        message.kind == .binary && message.bytes.first == FlowEnvelope.mark
            && flows[id]?.features?.binary == true
    }

    mutating func take(_ envelope: FlowEnvelope, from id: ConnectionID) {
        guard let features = flows[id]?.features else {
            return breach(id, "nothing of the kind was agreed on")
        }
        if case .compressed(let algorithm, let bytes) = envelope {
            return unfold(bytes, algorithm, features, parts: nil, from: id)
        }
        guard features.chunking else { return breach(id, "parts were not agreed on") }
        do throws(PartTable.Problem) {
            let time = now.instant
            let whole = try flows[id]?.link?.parts.take(envelope, at: time)
            letGoOfParts(of: id)
            let parts = features.acknowledgesChunks ? envelope.number : nil
            guard let whole = whole ?? nil, links[id] != nil else {
                // Nobody need wait for one that has been given up.
                if let parts, envelope.isEnd, flows[id]?.link?.parts.isOver(parts) == true {
                    say(.chunkAcknowledgement(number: parts), to: id)
                }
                return
            }
            unfold(whole.bytes, whole.algorithm, features, parts: parts, from: id)
        } catch {
            switch error {
            case .malformed(let reason): breach(id, reason)
            case .tooBig: endTooBig(id)
            }
        }
    }

    /// A whole message as its format has written it, or what an algorithm made of that.
    private mutating func unfold(
        _ bytes: ArraySlice<UInt8>, _ algorithm: FlowCapabilities.Algorithm?, _ features: FlowCapabilities,
        parts: UInt64?, from id: ConnectionID
    ) {
        var reading = ServerWork.Reading(
            bytes: bytes, kind: configuration.format.isBinary ? .binary : .text, dialect: dialect,
            isEnveloped: true)
        if let algorithm {
            guard features.compression.contains(algorithm), let compressor = compressors[algorithm] else {
                return breach(id, "\(algorithm.rawValue) was not agreed on")
            }
            let limit = features.maximumOutgoingBytes ?? configuration.maximumMessageBytes
            reading.unfolding = (compressor, limit)
        }
        take(reading, parts: parts, from: id)
    }

    mutating func endTooBig(_ id: ConnectionID) {
        recordTooBig(id)
        end(id, .close(.messageTooBig, "the message is too big"))
    }

    mutating func recordTooBig(_ id: ConnectionID) {
        counters.oversizedMessages += 1
        recordUnprocessed(
            "message-too-big", "The message is larger than the server allows.", size: nil, from: id)
    }

    // MARK: Parts that stay away

    /// Lets go of what is too much or too old; where both ends count, the link ends instead, and what was not counted comes again.
    mutating func letGoOfParts(of id: ConnectionID) {
        guard let link = flows[id]?.link else { return }
        func isDue(_ parts: PartTable) -> Bool {
            parts.isOverfull || parts.deadline.map { $0 <= now.instant } ?? false
        }
        if isDue(link.parts), flows[id]?.session != nil {
            counters.flow.letGo += 1
            return end(id, .close(.messageTooBig, "the parts of a message stay away, or there are too many"))
        }
        while let parts = flows[id]?.link?.parts, isDue(parts) {
            counters.flow.letGo += 1
            flows[id]?.link?.parts.letGoOfOldest()
        }
        if let ticket = link.partsDue { unfinished.remove(ticket) }
        let ticket = flows[id]?.link?.parts.deadline.map { unfinished.add(id, due: $0) }
        flows[id]?.link?.partsDue = ticket
    }
}
