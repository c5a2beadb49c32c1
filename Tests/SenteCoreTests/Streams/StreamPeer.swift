// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// A table of streams whose other end is the test.
struct StreamPeer {
    var table: StreamTable
    var now = Instant(nanoseconds: 0)
    /// What was to be done, in order, but for what was said.
    private(set) var effects: [StreamTable.Output] = []
    private(set) var said: [StreamTable.Output] = []

    init(_ change: (inout StreamSettings) -> Void = { _ in }, isLinked: Bool = true) {
        var settings = StreamSettings()
        settings.chunkSize = 4
        settings.flowControl = .credits(4)
        change(&settings)
        table = StreamTable(settings: settings)
        if isLinked { table.linked(at: now) }
    }

    /// What was said since this was asked last.
    mutating func takeWords() -> [StreamWord] {
        collect()
        defer { said = [] }
        return said.compactMap { if case .say(let word) = $0.effect { word } else { nil } }
    }

    /// What else was wanted since this was asked last, of one stream.
    mutating func takeEffects(_ id: String = "u") -> [StreamEffect] {
        collect()
        defer { effects = [] }
        return effects.filter { $0.id == id }.map(\.effect)
    }

    private mutating func collect() {
        for output in table.takeOutputs() {
            if case .say = output.effect { said.append(output) } else { effects.append(output) }
        }
    }

    mutating func open(
        _ id: String = "u", _ kind: StreamKind = .upload, isSeekable: Bool = false, totalSize: UInt64? = nil,
        isChecked: Bool = false, checksChunks: Bool = false, position: StreamPoint? = nil
    ) throws {
        let opening = StreamOpening(
            kind: kind, number: 0, chunkSize: table.settings.chunkSize, totalSize: totalSize,
            isChecked: isChecked, checksChunks: checksChunks)
        try table.open(
            StreamMachine(
                id: id, opening, isSeekable: isSeekable, position: position, settings: table.settings, at: now
            ),
            at: now)
    }

    /// An upload that was accepted, with so many credits.
    static func uploading(
        credits: UInt64 = 4, isSeekable: Bool = false, totalSize: UInt64? = nil, isChecked: Bool = false
    ) throws -> StreamPeer {
        var peer = StreamPeer()
        try peer.open(isSeekable: isSeekable, totalSize: totalSize, isChecked: isChecked)
        peer.hear(.accept(StreamReception(credit: .chunks(until: credits))))
        _ = peer.takeWords()
        return peer
    }

    /// A download that was offered and taken.
    static func downloading(
        totalSize: UInt64? = nil, isChecked: Bool = false, checksChunks: Bool = false,
        startsOver: Bool = false, flowControl: StreamFlowControl? = nil
    ) -> StreamPeer {
        var peer = StreamPeer { if let flowControl { $0.flowControl = flowControl } }
        peer.hear(
            .open(
                StreamOpening(
                    kind: .download, number: 2, chunkSize: 4, totalSize: totalSize, isChecked: isChecked,
                    checksChunks: checksChunks)))
        peer.change { $0.accept(startsOver: startsOver, at: $1) }
        _ = peer.takeWords()
        _ = peer.takeEffects()
        return peer
    }

    mutating func hear(_ word: StreamWord, of id: String = "u") {
        table.heard(word, of: id, at: now)
    }

    mutating func hear(_ index: UInt64, _ text: String, number: UInt64 = 2, checksum: [UInt8]? = nil) throws {
        let chunk = StreamChunk(index: index, checksum: checksum, bytes: Array(text.utf8)[...])
        try table.heard(binary: chunk.binary(number: number), at: now)
    }

    mutating func change(_ id: String = "u", _ body: (inout StreamMachine, Instant) -> Void) {
        let now = now
        table.change(id) { body(&$0, now) }
    }

    mutating func give(_ text: String, at place: UInt64) {
        change { $0.provide(Array(text.utf8)[...], at: place, now: $1) }
    }

    mutating func finish(at place: UInt64) {
        change { $0.finish(at: place, now: $1) }
    }

    /// The chunks that may go now, as text.
    mutating func takeChunks() -> [String] {
        var chunks: [String] = []
        while let (_, _, chunk) = table.takeChunk(at: now) {
            chunks.append("\(chunk.index) \(String(decoding: chunk.bytes, as: UTF8.self))")
        }
        return chunks
    }

    /// What a consumer takes, as text.
    mutating func take(_ id: String = "u") -> String? {
        let now = now
        let piece = table.change(id) { $0.takePiece(at: now) } ?? nil
        return piece.map { "\($0.index) \(String(decoding: $0.bytes, as: UTF8.self))" }
    }

    /// Time goes by, and everything that is due meanwhile is done.
    mutating func pass(_ duration: Duration) {
        let end = now.advanced(by: duration)
        while let due = table.deadline, due <= end {
            now = max(now, due)
            table.expire(at: now)
        }
        now = end
    }

    var state: StreamState? { table["u"]?.state }

    func reception(_ index: UInt64, _ bytes: UInt64, until: UInt64) -> StreamReception {
        StreamReception(next: StreamPoint(index: index, bytes: bytes), credit: .chunks(until: until))
    }
}

extension [StreamEffect] {
    /// Why a stream ended, if that is among them.
    var fault: StreamFault.Code? {
        for case .ended(.failed(let fault)) in self { return fault.code }
        return nil
    }

    var ending: StreamEnding? {
        for case .ended(let ending) in self { return ending }
        return nil
    }

    var progress: [StreamProgress] {
        compactMap { if case .progress(let progress) = $0 { progress } else { nil } }
    }
}
