// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// What a handle that follows the stream has been given, against what the stream kept.
///
/// Each message comes once, in order, with what was stored; what does not come is told before the next one, or was nobody's to
/// promise.
struct NATSFollowModel {
    let channel: String
    private let start: ChannelStart
    /// The stream that there was when it was asked for.
    private let asked: String
    private let pattern: NATSPattern
    /// The stream by its time, once a message came.
    private var created: String?
    /// The last sequence that counts as given.
    private var last: UInt64?
    /// From behind this one nothing may be missing: what the stream had when it was confirmed.
    private var floor: UInt64?
    /// From the start on nothing may be missing, else only from where it was confirmed.
    private var isSweeping: Bool

    init(_ channel: String, from start: ChannelStart, of stream: NATSStream) {
        self.channel = channel
        self.start = start
        asked = stream.created
        pattern = NATSPattern(channel)
        isSweeping = start == .lastOfEach
        switch start {
        case .sequence(let first): last = first - 1
        case .cursor(let cursor):
            created = cursor.created
            last = cursor.sequence
        case .now, .next, .time, .lastOfEach: break
        }
    }

    /// The server confirmed it: from here on everything comes.
    mutating func confirmed(_ stream: NATSStream) {
        // Of which stream the word is that was on its way while one was made anew, only its node knows.
        guard start == .next, last == nil, floor == nil, stream.created == asked else { return }
        created = stream.created
        floor = stream.last
    }

    /// What is wrong with a message, if anything.
    mutating func took(_ message: ChannelMessage, _ archive: NATSArchive) -> String? {
        guard let cursor = message.cursor else { return "it has no place" }
        guard let kept = archive[cursor.created, cursor.sequence] else {
            return "the stream \(cursor.created) never kept \(cursor.sequence)"
        }
        let text = message.data.stringValue ?? ""
        guard NATSPublication.number(in: text) == kept.number, kept.subject == message.subject,
            pattern.matches(kept.subject)
        else { return "\(cursor.sequence) is “\(text)” of \(message.subject), and was \(kept)" }
        if message.missed > 0 { return "\(message.missed) were dropped though the consumer could wait" }
        defer {
            created = cursor.created
            last = cursor.sequence
            if !message.isRetained { isSweeping = false }
        }
        if let created, created != cursor.created {
            guard message.gap?.isOtherStream == true else {
                return "the stream is another, and nothing was told"
            }
            return silentGap(after: 0, before: cursor, message.gap, archive)
        }
        if message.gap?.isOtherStream == true {
            guard created == nil else { return "the stream is told to be another, and is the same" }
            return silentGap(after: 0, before: cursor, message.gap, archive)
        }
        guard let last else {
            return floor.flatMap { silentGap(after: $0, before: cursor, message.gap, archive) }
        }
        guard cursor.sequence > last else { return "\(cursor.sequence) came after \(last)" }
        return silentGap(after: last, before: cursor, message.gap, archive)
    }

    /// What did not come and was not told, or was told and did not go.
    private func silentGap(
        after last: UInt64, before cursor: ChannelCursor, _ gap: ChannelGap?, _ archive: NATSArchive
    ) -> String? {
        guard !isSweeping, cursor.sequence > last + 1 else { return nil }
        for sequence in last + 1..<cursor.sequence {
            guard let kept = archive[cursor.created, sequence], pattern.matches(kept.subject) else {
                continue
            }
            let isTold = gap?.sequences?.contains(sequence) ?? false
            if !isTold {
                // In a stream of several channels nobody can tell what was let go from what is others'.
                if kept.isGone, channel != NATSStream.subjects.text { continue }
                return "\(sequence) is missing before \(cursor.sequence), and nothing was told"
            }
            if !kept.isGone { return "\(sequence) is told to be missing, and the stream has it" }
        }
        return nil
    }

    /// What has not come of what the stream has, when all has had its time.
    func rest(_ stream: NATSStream) -> String? {
        guard start != .lastOfEach || last != nil || stream.lastOfEach(of: pattern).isEmpty else {
            return "nothing came of what the stream has"
        }
        guard let last = last ?? floor else { return nil }
        let from = created == nil || created == stream.created ? last + 1 : 1
        return stream.next(from: from, of: pattern).map { "\($0.sequence) did not come behind \(last)" }
    }
}

/// All that the streams ever kept, by when they were made.
struct NATSArchive {
    struct Kept {
        let number: Int?
        let subject: String
        /// The stream has let go of it.
        var isGone = false
    }

    private var streams: [String: [Kept]] = [:]

    subscript(created: String, sequence: UInt64) -> Kept? {
        guard let kept = streams[created], sequence >= 1, sequence <= kept.count else { return nil }
        return kept[Int(sequence - 1)]
    }

    /// Keeps up with the stream.
    mutating func follow(_ stream: NATSStream) {
        var kept = streams[stream.created, default: []]
        let known = UInt64(kept.count)
        if known < stream.last {
            for sequence in known + 1...stream.last {
                let message = stream[sequence]?.message
                kept.append(Kept(number: message?.number, subject: message?.subject ?? ""))
            }
        }
        var gone = Int(stream.first) - 2
        while gone >= 0, gone < kept.count, !kept[gone].isGone {
            kept[gone].isGone = true
            gone -= 1
        }
        streams[stream.created] = kept
    }

    /// A stream is no more: what it kept is gone.
    mutating func end(_ created: String) {
        for index in streams[created, default: []].indices { streams[created]?[index].isGone = true }
    }

    /// A place that somebody may have stopped at.
    func cursor(using random: inout Generator) -> ChannelCursor? {
        let places = streams.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
        guard !places.isEmpty else { return nil }
        let (created, kept) = places[Int.random(in: 0..<places.count, using: &random)]
        let sequence = UInt64.random(in: 1...UInt64(kept.count), using: &random)
        return ChannelCursor(stream: NATSStream.name, created: created, sequence: sequence)
    }

    /// Where the streams keep a message, and how often each.
    func places(of number: Int) -> [String: [UInt64]] {
        streams.mapValues { kept in
            kept.indices.filter { kept[$0].number == number }.map { UInt64($0 + 1) }
        }.filter { !$0.value.isEmpty }
    }
}
