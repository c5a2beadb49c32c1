// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// How messages leave and come on a link; it dies with the link.
///
/// It cannot be copied: it is asked several times a message, and a copy for each was a fifth of what flow costs.
struct LinkPacking: ~Copyable, Sendable {
    /// Nil while all messages go plain.
    let terms: PackingTerms?
    /// What puts parts together; one, or none where nothing comes in parts.
    ///
    /// In an array it is a word where it is held: its deadline is asked for at every step.
    var reassembly: [Reassembly]
    /// What came and waits to be heard.
    var arrivals = HeldArrivals()
    var large: LargeMessages
    var quality = LinkQuality()

    /// Nil where nothing goes in batches.
    private var gathering: BatchGathering<Leaving>?
    private var delay: BatchDelay
    /// Since when the oldest message that is gathered waits, and until when.
    private(set) var held: (since: Instant, until: Instant)?
    /// How long those had waited that left last, where messages may wait.
    private var waited: Duration?

    private var lastWork: UInt64 = 0
    private var lastNumber: UInt64 = 0
    /// How much of others went since the last part.
    private var passed = 0
    /// Messages in parts and streams take turns.
    private(set) var isStreamsTurn = false

    /// From `largeValue` on messages are written and read elsewhere.
    init(_ terms: PackingTerms? = nil, losesNothing: Bool = false, largeValue: Int = .max) {
        self.terms = terms
        large = LargeMessages(largeValue: largeValue)
        reassembly = [terms?.reassembly(losesNothing: losesNothing)].compactMap(\.self)
        gathering = terms?.gathering
        delay = BatchDelay(
            linger: terms?.policy.batching?.linger ?? .zero,
            flushesWhenIdle: terms?.policy.batching?.flushesOnIdle ?? true)
    }

    /// Whether messages may be more than plain ones.
    var isOn: Bool { terms != nil }

    /// The shape of a message, and how long compressing it took; what is small is not even looked at.
    func pack(
        _ message: Message, of outbound: Outbound?
    ) -> (packed: Packing.Packed, Packing.Compressed, Duration) {
        let size = message.bytes.count
        guard let terms, !terms.leavesAlone(size) else { return (.plain(message), .off, .zero) }
        let isSmall = terms.isSmall(size)
        return terms.packing(compresses: !isSmall, over: quality)
            .pack(message, isCompressedAlready: isSmall ? false : outbound.map(terms.skips) ?? false)
    }

    /// When it wants to be woken: parts stay away, or what was gathered has waited long enough; while more is gathered, that waits.
    func deadline(isGathering: Bool) -> Instant? {
        let expiry = reassembly.isEmpty ? nil : reassembly[0].deadline
        guard !isGathering, let until = held?.until else { return expiry }
        return expiry.map { min($0, until) } ?? until
    }

    /// Whether nothing is here that has not left.
    var isIdle: Bool { large.isIdle && gathering?.isEmpty != false }

    mutating func nextWork() -> UInt64 {
        lastWork += 1
        return lastWork
    }

    // MARK: Company

    /// Whether a message that leaves now finds no company, and waits for none.
    var isAlone: Bool { gathering?.isEmpty != false && delay.linger == .zero }

    /// Adds a message to those that wait for company, and returns what goes now.
    mutating func gather(
        _ message: Leaving, holds: Bool, at now: Instant
    ) -> [BatchGathering<Leaving>.Batch] {
        let batches =
            gathering?.add(message, bytes: message.weight, goesAlone: message.isHurried)
            ?? [.init(items: [message], reason: .urgent)]
        if !batches.isEmpty { left(at: now) }
        guard gathering?.isEmpty == false else { return batches }
        if held == nil {
            held = (now, delay.end(oldest: now, isFull: false, at: now) ?? now)
        }
        guard !holds, held.map({ $0.until <= now }) ?? true else { return batches }
        return batches + flush(.idle, at: now)
    }

    /// What waits for company goes.
    mutating func flush(_ reason: FlushReason, at now: Instant) -> [BatchGathering<Leaving>.Batch] {
        let batches = gathering?.flush(reason) ?? []
        if !batches.isEmpty { left(at: now) }
        return batches
    }

    private mutating func left(at now: Instant) {
        if delay.linger > .zero { waited = max(waited ?? .zero, held?.since.duration(to: now) ?? .zero) }
        held = nil
        delay.left(at: now)
    }

    /// How long the oldest of those that left since had waited; nil where none waits.
    mutating func takeWaited() -> Duration? {
        guard waited != nil else { return nil }
        defer { waited = nil }
        return waited
    }

    /// What is gathered came later than a message that begins to leave, and would overtake it on its channel.
    mutating func takeOvertaking() -> [Leaving] {
        guard !large.ahead.isEmpty, gathering?.isEmpty == false else { return [] }
        var overtaking: [Leaving] = []
        for item in gathering?.flush(.idle).flatMap(\.items) ?? [] {
            // Fewer than were there before fill no batch.
            if large.ahead.hold(item.outbound, item.weight, item.priority) {
                overtaking.append(item)
            } else {
                _ = gathering?.add(item, bytes: item.weight)
            }
        }
        if gathering?.isEmpty != false { held = nil }
        return overtaking
    }

    // MARK: Large ones

    /// The work of writing the next large message; nil while there is none, and while another is written.
    mutating func nextWriting(
        on link: LinkID, by coder: any DialectCoder, at now: Moment
    ) -> LargeWork? {
        guard let terms, large.canWrite else { return nil }
        let number = nextWork()
        guard let message = large.beginWriting(number) else { return nil }
        var packing = terms.packing(compresses: true, over: quality)
        if large.mustGoInParts(message) { packing.packing.partBytes = 0 }
        return LargeWork(
            id: LargeWork.ID(link: link, number: number),
            job: .writing(
                LargeWork.Writing(
                    outbound: message.outbound, time: now, coder: coder,
                    packing: packing,
                    isCompressedAlready: terms.skips(message.outbound))))
    }

    /// A message begins to leave in parts.
    mutating func begin(_ message: Leaving, _ folded: Folded, size: Int) {
        if !large.isSending { passed = 0 }
        lastNumber += 1
        guard let chunker = terms?.chunker(folded, number: lastNumber, size: size) else { return }
        large.send(message, chunker, size: size)
    }

    mutating func passed(_ bytes: Int) {
        passed &+= bytes
    }

    /// Whether something of what is large goes before anything else, if there is something.
    var isBulkDue: Bool { passed >= Self.stride }

    /// A part, or a chunk of a stream, went.
    mutating func bulkWent() {
        passed = 0
        isStreamsTurn.toggle()
    }

    private static let stride = 65_536

    /// Everything that has not left whole, in order.
    mutating func takeBack() -> [Leaving] {
        held = nil
        return large.takeAll() + (gathering?.flush(.idle).flatMap(\.items) ?? [])
    }
}
