// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What one end can do beyond plain messages, or what both have agreed on.
package struct FlowCapabilities: Hashable, Sendable {
    /// A way to compress a message.
    package enum Algorithm: String, Hashable, Sendable, CaseIterable {
        /// RFC 1952.
        case gzip
        /// RFC 1950.
        case deflate
    }

    /// What an end keeps for a session that survives its connections.
    package struct Resumption: Hashable, Sendable {
        /// How long a session waits; nil where it is not said.
        package var window: Duration?
        package var messages: Int
        package var bytes: Int
    }

    package var compression: [Algorithm] = []
    package var batching = false
    package var chunking = false
    /// Whether whoever gets a message in parts says when it is done with it.
    package var acknowledgesChunks = false
    package var maximumChunkBytes = 65_536
    /// The largest message that may come to the one who says it, however it travels; nil where it is not said.
    ///
    /// Of what was agreed on, the client says it.
    package var maximumIncomingBytes: Int?
    /// The largest that may go.
    package var maximumOutgoingBytes: Int?
    package var streaming = false
    package var binary = false
    package var deduplication = false
    package var resumption: Resumption?

    /// Nothing.
    package init() {}

    /// What a server says of itself, which can compress in these ways.
    init(_ flow: ServerConfiguration.Flow, _ algorithms: [Algorithm]) {
        compression = algorithms
        batching = flow.batching != nil
        streaming = flow.streaming != nil
        binary = flow.usesBinaryEnvelope
        deduplication = flow.deduplication != nil
        if let chunks = flow.chunking {
            chunking = true
            acknowledgesChunks = true
            maximumChunkBytes = chunks.size
            maximumIncomingBytes = chunks.maximumMessageBytes
            maximumOutgoingBytes = chunks.maximumMessageBytes
        }
        resumption = flow.resumption.map {
            Resumption(window: $0.window, messages: $0.messages, bytes: $0.bytes)
        }
    }

    /// What a client says of itself; a wrong value turns off its feature alone, and its key is added to `wrong`.
    init(_ map: ValueMap, wrong: inout [String]) {
        var reading = Reading(map: map)
        batching = reading.flag("batching")
        streaming = reading.flag("streaming")
        binary = reading.flag("binary")
        deduplication = reading.flag("deduplication")
        maximumChunkBytes = reading.size("max-chunk-size") ?? maximumChunkBytes
        if maximumChunkBytes < Self.smallestPart { reading.wrong.append("max-chunk-size") }
        chunking = reading.flag("chunking") && !reading.wrong.contains("max-chunk-size")
        acknowledgesChunks = reading.flag("chunk-ack")
        compression = reading.algorithms()
        if let value = reading.value("max-message-bytes") {
            var sizes = Reading(map: value.mapValue ?? ValueMap())
            maximumIncomingBytes = sizes.size("in")
            maximumOutgoingBytes = sizes.size("out")
            if value.mapValue == nil || !sizes.wrong.isEmpty {
                reading.wrong.append("max-message-bytes")
                chunking = false
            }
        }
        if let value = reading.value("resume") {
            resumption = Self.resumption(value)
            if resumption == nil { reading.wrong.append("resume") }
        }
        wrong = reading.wrong
    }

    /// A client that takes smaller parts would have the server make more of them than it can pay for.
    private static let smallestPart = 64

    private struct Reading {
        let map: ValueMap
        var wrong: [String] = []

        func value(_ name: String) -> Value? {
            map.value(named: name).flatMap { $0.isNull ? Value?.none : $0 }
        }

        mutating func flag(_ name: String) -> Bool {
            guard let value = value(name) else { return false }
            if value.boolValue == nil { wrong.append(name) }
            return value.boolValue ?? false
        }

        mutating func size(_ name: String) -> Int? {
            guard value(name) != nil else { return nil }
            guard let size = map.count(named: name), size > 0 else {
                wrong.append(name)
                return nil
            }
            return size
        }

        /// Those that are known.
        mutating func algorithms() -> [Algorithm] {
            guard let value = value("compression") else { return [] }
            guard let names = value.arrayValue else {
                wrong.append("compression")
                return []
            }
            return names.compactMap { $0.name.flatMap(Algorithm.init(rawValue:)) }
        }
    }

    private static func resumption(_ value: Value) -> Resumption? {
        guard let map = value.mapValue, let messages = map.count(named: "messages"), messages > 0,
            let bytes = map.count(named: "bytes"), bytes > 0
        else { return nil }
        guard let window = map.value(named: "window-ms") else {
            return Resumption(window: nil, messages: messages, bytes: bytes)
        }
        guard let milliseconds = window.integerValue, milliseconds > 0 else { return nil }
        return Resumption(window: .milliseconds(milliseconds), messages: messages, bytes: bytes)
    }

    /// What holds between a server that says this and a client, as the client sees it.
    func agreed(with client: FlowCapabilities) -> FlowCapabilities {
        var features = FlowCapabilities()
        features.compression = compression.filter(client.compression.contains)
        features.batching = batching && client.batching
        features.streaming = streaming && client.streaming
        features.binary = binary && client.binary
        features.deduplication = deduplication && client.deduplication
        if chunking, client.chunking {
            features.chunking = true
            features.acknowledgesChunks = acknowledgesChunks && client.acknowledgesChunks
            features.maximumChunkBytes = min(maximumChunkBytes, client.maximumChunkBytes)
            features.maximumIncomingBytes = Self.smaller(maximumOutgoingBytes, client.maximumIncomingBytes)
            features.maximumOutgoingBytes = Self.smaller(maximumIncomingBytes, client.maximumOutgoingBytes)
        }
        if var resumption, let theirs = client.resumption {
            if let window = resumption.window { resumption.window = min(window, theirs.window ?? window) }
            features.resumption = resumption
        }
        return features
    }

    /// Whether the client takes a message, if this was agreed on.
    func takes(_ message: Message) -> Bool { message.bytes.count <= maximumIncomingBytes ?? .max }

    private static func smaller(_ one: Int?, _ other: Int?) -> Int? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }

    /// Its fields, under names that `key` makes.
    func value(_ key: (String) -> Value) -> Value {
        var map = ValueMap()
        if !compression.isEmpty {
            map[key("compression")] = .vector(compression.map { .string($0.rawValue) })
        }
        if batching { map[key("batching")] = true }
        if chunking {
            map[key("chunking")] = true
            if acknowledgesChunks { map[key("chunk-ack")] = true }
            map[key("max-chunk-size")] = Value(maximumChunkBytes)
        }
        var sizes = ValueMap()
        if let maximumIncomingBytes { sizes[key("in")] = Value(maximumIncomingBytes) }
        if let maximumOutgoingBytes { sizes[key("out")] = Value(maximumOutgoingBytes) }
        if !sizes.isEmpty { map[key("max-message-bytes")] = .map(sizes) }
        if streaming { map[key("streaming")] = true }
        if binary { map[key("binary")] = true }
        if deduplication { map[key("deduplication")] = true }
        if let resumption {
            var fields = ValueMap()
            if let window = resumption.window {
                fields[key("window-ms")] = .integer(window.wholeMilliseconds)
            }
            fields[key("messages")] = Value(resumption.messages)
            fields[key("bytes")] = Value(resumption.bytes)
            map[key("resume")] = .map(fields)
        }
        return .map(map)
    }
}

extension ValueMap {
    /// A number of things: an integer that is not negative.
    func count(named name: String) -> Int? {
        guard let number = value(named: name)?.integerValue, number >= 0 else { return nil }
        return Int(exactly: number)
    }
}

extension Value {
    /// A text, or a keyword's.
    var name: String? { stringValue ?? keywordValue?.text }
}
