// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// `capabilities` and `features` as both ends write them.
extension FlowFeatures {
    /// Its map, keys named as `name` has it; what does not hold is left out.
    func wire(_ name: (String) -> Value) -> Value {
        var map = ValueMap()
        if !compression.isEmpty {
            map[name("compression")] = .vector(compression.map { .string($0.rawValue) })
        }
        if batching { map[name("batching")] = true }
        if chunking {
            map[name("chunking")] = true
            if acknowledgesChunks { map[name("chunk-ack")] = true }
            map[name("max-chunk-size")] = Value(maximumChunkBytes)
        }
        if maximumIncomingBytes != nil || maximumOutgoingBytes != nil {
            var sizes = ValueMap()
            if let maximumIncomingBytes { sizes[name("in")] = Value(maximumIncomingBytes) }
            if let maximumOutgoingBytes { sizes[name("out")] = Value(maximumOutgoingBytes) }
            map[name("max-message-bytes")] = .map(sizes)
        }
        if streaming { map[name("streaming")] = true }
        if binaryEnvelope { map[name("binary")] = true }
        if deduplication { map[name("deduplication")] = true }
        if let resumption {
            var resume: ValueMap = [
                name("messages"): Value(resumption.messages), name("bytes"): Value(resumption.bytes),
            ]
            if resumption.window > .zero {
                resume[name("window-ms")] = .integer(resumption.window.wholeMilliseconds)
            }
            map[name("resume")] = .map(resume)
        }
        return .map(map)
    }

    /// Reads what a server announces or grants; keys that it does not know are left alone.
    ///
    /// A value that makes no sense turns off its feature alone, and `problem` hears which.
    init(wire value: Value, problem: (String) -> Void) {
        self.init()
        guard let frame = MapFrame(value) else {
            problem("The server's capabilities are no map; none of them is used.")
            return
        }
        func flag(_ field: MapField) -> Bool {
            guard let value = frame[field] else { return false }
            if let flag = value.boolValue { return flag }
            problem("The server says “\(field.text)” with what is neither true nor false; it is not used.")
            return false
        }
        func size(_ field: MapField, of frame: MapFrame) -> Int? {
            guard frame.has(field) else { return nil }
            guard let size = frame.count(field), size > 0 else {
                problem("The server says “\(field.text)” with what is no size; what needs it is not used.")
                return 0
            }
            return size
        }
        batching = flag("batching")
        streaming = flag("streaming")
        binaryEnvelope = flag("binary")
        deduplication = flag("deduplication")
        maximumChunkBytes = size("max-chunk-size", of: frame) ?? maximumChunkBytes
        chunking = flag("chunking") && maximumChunkBytes > 0
        if chunking, maximumChunkBytes < Self.smallestPart {
            problem(
                "The server takes parts of \(maximumChunkBytes) bytes, which cost more than that; none go.")
            chunking = false
        }
        acknowledgesChunks = chunking && flag("chunk-ack")
        for name in frame["compression"]?.arrayValue ?? [] {
            guard let algorithm = MapFrame.text(name).flatMap(MessageCompression.Algorithm.init) else {
                continue
            }
            if !compression.contains(algorithm) { compression.append(algorithm) }
        }
        if let sizes = MapFrame(frame["max-message-bytes"]) {
            maximumIncomingBytes = size("in", of: sizes).flatMap { $0 > 0 ? $0 : nil }
            maximumOutgoingBytes = size("out", of: sizes).flatMap { $0 > 0 ? $0 : nil }
        }
        if frame.has("resume") {
            resumption = Self.resumption(MapFrame(frame["resume"]))
            if resumption == nil {
                problem("The server says “resume” with what is no window; sessions are not resumed.")
            }
        }
    }

    /// Smaller parts would cost more than they carry.
    private static let smallestPart = 64

    /// A day is enough for any window: what is longer would only say that the times do not fit.
    private static let maximumWindow: Int64 = 86_400_000

    private static func resumption(_ frame: MapFrame?) -> Resumption? {
        guard let frame, let window = frame.integer("window-ms"), window > 0,
            let messages = frame.count("messages"), messages > 0, let bytes = frame.count("bytes"), bytes > 0
        else { return nil }
        return Resumption(
            window: .milliseconds(min(window, maximumWindow)), messages: messages, bytes: bytes)
    }

    /// What of it was not offered, by its name; nil when all was.
    func surplus(over offered: FlowFeatures) -> String? {
        if batching, !offered.batching { return "batching" }
        if chunking, !offered.chunking { return "chunking" }
        if acknowledgesChunks, !offered.acknowledgesChunks { return "chunk-ack" }
        if streaming, !offered.streaming { return "streaming" }
        if binaryEnvelope, !offered.binaryEnvelope { return "binary" }
        if resumption != nil, offered.resumption == nil { return "resume" }
        return compression.first { !offered.compression.contains($0) }?.rawValue
    }

    /// Whether there is anything to speak of.
    var isEmpty: Bool {
        !batching && !chunking && !streaming && !binaryEnvelope && !deduplication && compression.isEmpty
            && resumption == nil
    }
}

extension FlowPolicy {
    /// What a client of these settings says that it can, over a link of this format.
    ///
    /// A link that compresses by itself needs no compression of single messages.
    func offer(
        _ format: WireFormat?, sizes: SizeLimits = SizeLimits(), isDeflated: Bool = false,
        compressor: CompressorMaker? = nil
    ) -> FlowFeatures {
        var offer = FlowFeatures()
        offer.batching = batching != nil
        if let compression, !isDeflated || compression.isUsedBesideDeflate {
            offer.compression = compression.algorithms.filter { compressor?($0, nil) != nil }
        }
        if let chunking {
            offer.chunking = true
            offer.acknowledgesChunks = true
            offer.maximumChunkBytes = chunking.size
            offer.maximumIncomingBytes = max(sizes.incomingMessage, chunking.largestMessage)
            offer.maximumOutgoingBytes = max(sizes.outgoingMessage, chunking.largestMessage)
        }
        offer.streaming = streaming != nil
        offer.binaryEnvelope =
            usesBinaryEnvelope && format?.allowsEnvelopes != false
            && (offer.chunking || offer.streaming || !offer.compression.isEmpty)
        offer.resumption = resumption.map {
            FlowFeatures.Resumption(
                window: .zero, messages: $0.maximumMessages, bytes: $0.maximumBytes)
        }
        return offer
    }
}
