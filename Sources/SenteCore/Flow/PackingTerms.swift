// SPDX-License-Identifier: Apache-2.0

import SenteBase
package import SenteWire

/// What two ends agreed on about messages that are more than plain ones, and how this one makes use of it.
///
/// A class, for it never changes and is looked at with every message.
final class PackingTerms: Sendable {
    let format: WireFormat
    /// Whether envelopes come and go as binary messages.
    let takesBinary: Bool
    /// How large messages may be, however they travel.
    let limits: SizeLimits
    let unfolding: Unfolding?
    let features: FlowFeatures
    let policy: FlowPolicy
    let stopwatch: (@Sendable () -> Instant)?
    private let makeCompressor: CompressorMaker?

    /// Nil when all messages go plain.
    init?(
        _ features: FlowFeatures, policy: FlowPolicy, format: WireFormat, sizes: SizeLimits,
        compressor: CompressorMaker?, stopwatch: (@Sendable () -> Instant)? = nil
    ) {
        guard
            features.batching || features.chunking || features.streaming || !features.compression.isEmpty
        else { return nil }
        self.format = format
        takesBinary = features.binaryEnvelope
        self.features = features
        self.policy = policy
        makeCompressor = compressor
        self.stopwatch = stopwatch
        var limits = sizes
        if features.chunking, let chunking = policy.chunking {
            limits.incomingMessage = max(
                sizes.incomingMessage, min(chunking.largestMessage, features.maximumIncomingBytes ?? .max))
            limits.outgoingMessage = max(
                sizes.outgoingMessage,
                min(chunking.largestMessage(in: features), features.maximumOutgoingBytes ?? .max))
        }
        self.limits = limits
        let limit = limits.incomingMessage
        unfolding =
            features.chunking || !features.compression.isEmpty
            ? Unfolding(format: format, limit: limit) { algorithm in
                compressor?(algorithm, nil) ?? .missing
            } : nil
    }

    /// Nil where nothing comes in parts.
    func reassembly(losesNothing: Bool) -> Reassembly? {
        guard features.chunking, let chunking = policy.chunking else { return nil }
        return Reassembly(
            limits: .init(
                messageBytes: limits.incomingMessage,
                // Parts may be smaller than this client's own.
                parts: max(chunking.maximumChunks, limits.incomingMessage >> 12),
                timeout: chunking.timeout,
                losesNothing: losesNothing))
    }

    /// Nil where nothing goes in batches.
    var gathering: BatchGathering<Leaving>? {
        guard features.batching, let batching = policy.batching else { return nil }
        return BatchGathering(
            limits: .init(messages: batching.maximumMessages, bytes: batching.maximumBytes))
    }

    func allows(_ algorithm: MessageCompression.Algorithm) -> Bool {
        features.compression.contains(algorithm)
    }

    // MARK: The shape of a message

    /// Whether a message is neither compressed nor cut.
    func leavesAlone(_ bytes: Int) -> Bool {
        isSmall(bytes) && bytes <= partBytes ?? .max
    }

    /// Whether compressing a message is not even tried.
    func isSmall(_ bytes: Int) -> Bool { bytes < policy.compression?.minimumBytes ?? 0 }

    func packing(compresses: Bool, over quality: LinkQuality) -> TimedPacking {
        let packing = Packing(
            compression: compresses ? compression(over: quality) : nil, partBytes: partBytes,
            isBinary: takesBinary, writesBytes: format.writesBytes)
        return TimedPacking(packing: packing, stopwatch: stopwatch)
    }

    /// The parts of a message.
    func chunker(_ folded: Folded, number: UInt64, size: Int) -> Chunker {
        Chunker(folded, number: number, size: partBytes ?? size, isBinary: takesBinary)
    }

    private var partBytes: Int? {
        guard features.chunking, let chunking = policy.chunking else { return nil }
        return max(1, min(chunking.size, features.maximumChunkBytes))
    }

    private func compression(over quality: LinkQuality) -> Packing.Compression? {
        guard let policy = policy.compression,
            let algorithm = policy.algorithms.first(where: features.compression.contains),
            let compressor = makeCompressor?(algorithm, policy.level(over: quality))
        else { return nil }
        return Packing.Compression(
            algorithm: algorithm, minimumBytes: policy.minimumBytes, compressor: compressor)
    }

    /// Whether what a message says is compressed already.
    func skips(_ outbound: Outbound) -> Bool {
        let (name, data): (String, Value)
        switch outbound {
        case .publish(let channel, let value, _), .request(let channel, let value, _):
            (name, data) = (channel, value)
        case .event(let event, _): (name, data) = (event.id.text, event.data)
        case .answer(_, let value, _): (name, data) = ("", value)
        default: return false
        }
        return policy.compression?.skips?(name, data) ?? data.isCompressedAlready
    }
}

/// Makes what compresses by an algorithm at a level; nil for the usual level, and nothing where the system has no library for it.
package typealias CompressorMaker = @Sendable (MessageCompression.Algorithm, _ level: Int?) -> Compressor?

extension Compressor {
    fileprivate static let missing = Compressor { _, _ throws(WireError) in
        throw WireError(.unavailable, "There is nothing to compress with.")
    } decompress: { _, _, _ throws(WireError) in
        throw WireError(.unavailable, "There is nothing to decompress with.")
    }
}

extension MessageCompression {
    fileprivate func level(over quality: LinkQuality) -> Int {
        switch level {
        case .fixed(let level): level
        case .adaptive: quality.level
        }
    }
}

extension ChunkPolicy {
    /// The largest message that its parts make.
    var largestMessage: Int { size.multipliedReportingOverflow(by: maximumChunks).partialValue }

    /// The same in parts that the other end takes.
    fileprivate func largestMessage(in features: FlowFeatures) -> Int {
        min(size, features.maximumChunkBytes).multipliedReportingOverflow(by: maximumChunks).partialValue
    }
}

extension WireFormat {
    /// Whether it holds bytes as they are.
    var writesBytes: Bool { self == .senteMessagePack || self == .transitMessagePack }

    /// Whether none of its messages begins like an envelope: one of the app's own might.
    var allowsEnvelopes: Bool {
        guard isBinary else { return true }
        let name = name.hasPrefix("gzip-") ? String(name.dropFirst(5)) : name
        return [
            WireFormat.senteMessagePack, .transitMessagePack, .transitJSON, .transitJSONVerbose, .edn, .json,
        ]
        .contains { $0.name == name }
    }
}
