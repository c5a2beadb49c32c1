// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// The cluster's one stream: what it keeps, and which ids it has seen.
struct NATSStream {
    struct Kept {
        let sequence: UInt64
        let message: NATSPublication
        let time: Int64
    }

    static let name = "ORDERS"
    static let subjects = NATSPattern("orders.*")

    let created: String
    /// Ascending, without a hole.
    private(set) var messages: [Kept] = []
    private(set) var last: UInt64 = 0
    /// The sequence of each message, by its id; no world lasts as long as the window.
    private var sequences: [String: UInt64] = [:]

    /// Made for the so manieth time.
    init(_ number: Int) {
        created = "2026-01-01T00:00:\(number < 10 ? "0" : "")\(number)Z"
    }

    var first: UInt64 { messages.first?.sequence ?? last + 1 }

    subscript(sequence: UInt64) -> Kept? {
        guard sequence >= first, sequence <= last else { return nil }
        return messages[Int(sequence - first)]
    }

    /// The oldest go.
    mutating func evict(_ count: Int) { messages.removeFirst(min(count, messages.count)) }

    /// Keeps a message, or says that it had it; the JSON of its answer.
    mutating func store(_ message: NATSPublication, at now: Moment) -> String {
        let id = message.header("Nats-Msg-Id")
        if let id, let sequence = sequences[id] {
            return #"{"stream":"\#(Self.name)","seq":\#(sequence),"duplicate":true}"#
        }
        if let expected = message.header("Nats-Expected-Last-Sequence"), UInt64(expected) != last {
            return #"{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: \#(last)"},"#
                + #""stream":"\#(Self.name)","seq":0}"#
        }
        last += 1
        messages.append(Kept(sequence: last, message: message, time: now.wallMilliseconds))
        if let id { sequences[id] = last }
        return #"{"stream":"\#(Self.name)","seq":\#(last)}"#
    }

    /// The next message of a channel from a sequence on.
    func next(from sequence: UInt64, of filter: NATSPattern) -> Kept? {
        guard sequence <= last else { return nil }
        let start = Int(max(sequence, first) - first)
        guard start < messages.count else { return nil }
        return messages[start...].first { filter.matches($0.message.subject) }
    }

    /// How many messages of a channel stand behind a sequence.
    func count(behind sequence: UInt64, of filter: NATSPattern) -> Int {
        guard sequence < last else { return 0 }
        return messages[Int(max(sequence + 1, first) - first)...].count {
            filter.matches($0.message.subject)
        }
    }

    /// The last message of each subject, in their order.
    func lastOfEach(of filter: NATSPattern) -> [UInt64] {
        var sequences: [String: UInt64] = [:]
        for kept in messages where filter.matches(kept.message.subject) {
            sequences[kept.message.subject] = kept.sequence
        }
        return sequences.values.sorted()
    }
}

/// What hands a stream over to one subject: pushed, ephemeral, without acknowledgements.
struct NATSConsumer {
    let number: Int
    /// Where it lives; it dies with the node, in silence.
    let node: Int
    let deliverySubject: String
    let filter: NATSPattern
    let heartbeat: Duration
    /// How many messages it hands over before one is answered for.
    let window: Int
    /// What is left of the last of each subject.
    var sweep: [UInt64] = []
    /// In the stream, from where it goes on.
    var next: UInt64
    /// How many it handed over.
    var delivered = 0
    /// The stream's sequence of the last of them.
    var lastSequence: UInt64 = 0
    var sinceFlow = 0
    /// The subject that it waits to have answered.
    var stalled: String?
    /// When it gives a sign of life, if nothing else.
    var beat: Instant
    /// Since when nobody listens.
    var unheardSince: Instant?

    /// The message to be handed over next.
    func upcoming(in stream: NATSStream) -> NATSStream.Kept? {
        for sequence in sweep { if let kept = stream[sequence] { return kept } }
        return stream.next(from: next, of: filter)
    }

    mutating func took(_ kept: NATSStream.Kept) {
        if let index = sweep.firstIndex(of: kept.sequence) {
            sweep.removeSubrange(...index)
        } else {
            sweep = []
            next = kept.sequence + 1
        }
        delivered += 1
        sinceFlow += 1
        lastSequence = kept.sequence
    }

    func pending(in stream: NATSStream) -> Int {
        sweep.count { stream[$0] != nil } + stream.count(behind: next - 1, of: filter)
    }
}
