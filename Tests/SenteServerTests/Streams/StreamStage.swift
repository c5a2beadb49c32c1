// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire

/// A server's streams of one client, which is the test.
struct StreamStage {
    var registry: StreamRegistry
    var now = Instant(nanoseconds: 0)
    private var said: [(id: String, word: ServerStreamWord)] = []
    private var events: [StreamRegistry.Output] = []

    init(_ change: (inout StreamPolicy) -> Void = { _ in }) {
        var policy = StreamPolicy()
        policy.chunkSize = 4
        policy.window = .chunks(4)
        change(&policy)
        registry = StreamRegistry(policy: policy)
        registry.linked(at: now)
    }

    private mutating func collect() {
        for output in registry.takeOutputs() {
            if case .say(let word) = output.event {
                said.append((output.id, word))
            } else {
                events.append(output)
            }
        }
    }

    mutating func takeWords(_ id: String? = nil) -> [ServerStreamWord] {
        collect()
        defer { said = [] }
        return said.filter { id == nil || $0.id == id }.map(\.word)
    }

    mutating func takeEvents(_ id: String = "u") -> [ServerStream.Event] {
        collect()
        defer { events = [] }
        return events.filter { $0.id == id }.map(\.event)
    }

    mutating func hear(_ word: ServerStreamWord, of id: String = "u") {
        registry.hear(word, of: id, at: now)
    }

    mutating func change(_ id: String = "u", _ body: (inout ServerStream, Instant) -> Void) {
        let now = now
        registry.change(id, at: now) { body(&$0, now) }
    }

    static func offer(
        _ kind: StreamOffer.Kind = .upload, number: Int64 = 1, totalSize: Int64? = nil,
        isChecked: Bool = false, again: Bool = false, more: ValueMap = [:]
    ) -> ServerStreamWord {
        var fields: ValueMap = [
            "message-id": "u", "stream-type": .string(kind.rawValue), "stream": .integer(number),
            "chunk-size": 4,
        ]
        if let totalSize { fields["total-size"] = .integer(totalSize) }
        if isChecked { fields["checksum"] = "sha256" }
        if again { fields["again"] = true }
        for (key, value) in more { fields[key] = value }
        return ServerStreamWord.read(named: "stream-init", fields)?.word ?? .wrong("stream-init")
    }

    /// An upload that the server has accepted.
    static func uploading(totalSize: Int64? = nil, _ change: (inout StreamPolicy) -> Void = { _ in })
        -> StreamStage
    {
        var stage = StreamStage(change)
        stage.hear(offer(totalSize: totalSize))
        stage.change { $0.accept(at: $1) }
        _ = stage.takeWords()
        _ = stage.takeEvents()
        return stage
    }

    /// A download that the client has accepted.
    static func downloading(canGoBack: Bool = false, credits: UInt64 = 4) -> StreamStage {
        var stage = StreamStage()
        _ = stage.registry.open(
            StreamOffer(.download, chunkSize: 4, isChecked: false), id: "u", canGoBack: canGoBack,
            at: stage.now)
        stage.hear(.acceptance(grant(0, 0, until: credits)))
        _ = stage.takeWords()
        return stage
    }

    static func grant(_ index: UInt64, _ bytes: UInt64, until: UInt64) -> StreamGrant {
        StreamGrant(has: StreamPlace(index: index, bytes: bytes), limit: .chunk(until))
    }

    mutating func give(_ text: String, at place: UInt64) {
        change { $0.give(Array(text.utf8)[...], at: place, now: $1) }
    }

    mutating func send(_ index: UInt64, _ text: String) {
        hear(.chunk(StreamPart(index: index, bytes: Array(text.utf8)[...])))
    }

    mutating func takeParts() -> [String] {
        var parts: [String] = []
        while let (_, number, part) = registry.takePart(at: now) {
            // Its fields are the server's own: they are seen as they go.
            let message = part.binary(number: number)
            parts.append("\(message[3]) \(String(decoding: message.dropFirst(5), as: UTF8.self))")
        }
        return parts
    }

    mutating func take(_ id: String = "u") -> String? {
        let now = now
        let bytes = registry.change(id, at: now) { $0.take(at: now) } ?? nil
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    mutating func pass(_ duration: Duration) {
        let end = now.advanced(by: duration)
        while let due = registry.deadline, due <= end {
            now = max(now, due)
            registry.expire(at: now)
        }
        now = end
    }

    mutating func relink() {
        registry.unlinked(at: now)
        registry.linked(at: now)
    }
}

extension [ServerStreamWord] {
    /// The codes of the errors among them.
    var codes: [String] { compactMap { if case .error(let code, _) = $0 { code } else { nil } } }
}

extension [ServerStream.Event] {
    var outcome: ServerStream.Outcome? {
        for case .over(let outcome) in self { return outcome }
        return nil
    }

    var code: String? { if case .failed(let code, _)? = outcome { code } else { nil } }
}
