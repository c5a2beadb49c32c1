// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The sending half of a stream: what its source gave, cut into chunks, and how much of it may go.
///
/// Chunks are kept until the receiver says that they have come. One that lies further back is asked of the source again, which
/// can give it only if it is seekable. A place in the source is a number of bytes; what the source gives for another place than
/// the one that was asked for last comes too late, and is thrown away.
struct StreamSender: Sendable {
    /// However much a receiver would take: more is not kept, so more does not go.
    private static let mostKept = 64

    private let size: Int
    private let totalSize: UInt64?
    private let checksChunks: Bool
    private let isSeekable: Bool
    private let digests: DigestFunction

    /// Over what the source gave, in its order, each byte once.
    private var whole: (any IncrementalDigest)?
    private var hashed: UInt64 = 0
    private var checksum: [UInt8]?

    /// What lies before it has come.
    private(set) var acknowledged = StreamPoint.start
    /// The chunk that goes next.
    private(set) var next = StreamPoint.start
    /// From `acknowledged` to `next`.
    private var kept = Queue<ArraySlice<UInt8>>()
    private var credit: StreamCredit?

    /// What the source gave and is no chunk yet, or not any more.
    private var pending = Queue<ArraySlice<UInt8>>()
    /// What lies before it the source gives for the checksum alone.
    private var origin: UInt64 = 0
    /// Where the source goes on.
    private var given: UInt64 = 0
    private var isAsked = false
    private var hasEnded = false
    private var saidTotals = false
    private(set) var stalls = 0
    private var isStalled = false

    init(_ opening: StreamOpening, isSeekable: Bool, digests: DigestFunction) {
        size = opening.chunkSize
        totalSize = opening.totalSize
        checksChunks = opening.checksChunks
        whole = opening.isChecked ? digests.begin() : nil
        self.isSeekable = isSeekable
        self.digests = digests
    }

    /// Whether everything has been sent and said.
    var isDone: Bool { saidTotals }

    /// Chunks that are kept, for tests of what a stream takes.
    var keptChunks: Int { kept.count }

    // MARK: The source

    /// Whether the source is to give more; true once for each time that it gives.
    mutating func asksSource() -> Bool {
        guard !isAsked, !hasEnded, pending.isEmpty, room > 0 else { return false }
        isAsked = true
        return true
    }

    /// Takes what the source gave for a place.
    mutating func provide(_ bytes: ArraySlice<UInt8>, at place: UInt64) throws(StreamFault) {
        guard !hasEnded, place == given else { return }
        isAsked = false
        given += UInt64(bytes.count)
        if let totalSize, given > totalSize {
            throw StreamFault(
                .sourceFailed, "The source gave more than the \(totalSize) bytes it was to have.")
        }
        hash(bytes, at: place)
        // After another process had begun, the source is read from its start for the checksum alone.
        let known = origin > place ? Int(min(origin - place, UInt64(bytes.count))) : 0
        if known < bytes.count { pending.append(bytes.dropFirst(known)) }
    }

    /// The source has no more.
    mutating func finish(at place: UInt64) throws(StreamFault) {
        guard !hasEnded, place == given else { return }
        guard given == totalSize ?? given, given >= origin else {
            throw StreamFault(
                .sourceFailed,
                "The source ended after \(given) bytes, which is not what it was to have or had before.")
        }
        hasEnded = true
    }

    private mutating func hash(_ bytes: ArraySlice<UInt8>, at place: UInt64) {
        guard whole != nil, place <= hashed, place + UInt64(bytes.count) > hashed else { return }
        bytes.dropFirst(Int(hashed - place)).withUnsafeBytes { whole?.update($0) }
        hashed = place + UInt64(bytes.count)
    }

    // MARK: What goes

    /// How many bytes may go now.
    private var room: Int {
        guard let credit, kept.count < Self.mostKept else { return 0 }
        return credit.allowance(at: next, size: size)
    }

    /// Whether a chunk can go.
    var hasChunk: Bool { !pending.isEmpty && room > 0 }

    /// The chunk that goes next.
    mutating func takeChunk() -> StreamChunk? {
        guard hasChunk, let first = pending.first else { return nil }
        let bytes = first.prefix(room)
        if bytes.count == first.count {
            _ = pending.popFirst()
        } else {
            pending[0] = first.dropFirst(bytes.count)
        }
        kept.append(bytes)
        defer { next = next.behind(bytes.count) }
        return StreamChunk(
            index: next.index, checksum: checksChunks ? digests.digest(of: bytes) : nil, bytes: bytes)
    }

    /// What is said when the last chunk has gone; nil until then, and afterwards.
    mutating func takeTotals() -> StreamTotals? {
        guard hasEnded, pending.isEmpty, !saidTotals, credit != nil else { return nil }
        saidTotals = true
        if checksum == nil { checksum = whole?.finish() }
        return StreamTotals(end: next, checksum: checksum)
    }

    /// Notes whether there is something to send and no credit for it.
    mutating func noteStall() {
        let stalls = credit != nil && room == 0 && (!pending.isEmpty || !hasEnded)
        if stalls, !isStalled { self.stalls += 1 }
        isStalled = stalls
    }

    // MARK: What the receiver says

    /// Nothing goes until the receiver has said again how far it is.
    mutating func stop() {
        credit = nil
    }

    mutating func receive(_ reception: StreamReception) throws(StreamFault) {
        guard let credit else { return }
        guard holds(reception.next) else {
            throw .violation("it has what was not sent, or less than it had")
        }
        letGo(before: reception.next)
        switch (credit, reception.credit) {
        case (.chunks(let old), .chunks(let new)): self.credit = .chunks(until: max(old, new))
        case (.bytes(let old), .bytes(let new)): self.credit = .bytes(until: max(old, new))
        default: throw .violation("it counts now chunks, now bytes")
        }
    }

    /// Goes on from where the receiver is; where the source has to go back for that, gives the place.
    mutating func goOn(_ reception: StreamReception) throws(StreamFault) -> UInt64? {
        credit = reception.credit
        saidTotals = false
        guard !holds(reception.next) else {
            letGo(before: reception.next)
            unsend()
            return nil
        }
        guard isSeekable else {
            throw StreamFault(
                .notResumable,
                "The other end asks for what was sent before, and the source cannot give it again.")
        }
        acknowledged = reception.next
        next = reception.next
        origin = reception.next.bytes
        kept = Queue()
        pending = Queue()
        hasEnded = false
        isAsked = false
        given = whole == nil ? next.bytes : min(next.bytes, hashed)
        return given
    }

    /// What was sent and has not come goes again, cut anew.
    private mutating func unsend() {
        guard !kept.isEmpty else { return }
        let pieces = kept.drain() + pending.drain()
        for piece in pieces { pending.append(piece) }
        next = acknowledged
    }

    /// Whether a place is the beginning of a chunk that is kept, or the end of all that was sent.
    private func holds(_ point: StreamPoint) -> Bool {
        guard point.index >= acknowledged.index, point.index <= next.index else { return false }
        let before = kept.prefix(Int(point.index - acknowledged.index))
        return before.reduce(acknowledged.bytes) { $0 + UInt64($1.count) } == point.bytes
    }

    private mutating func letGo(before point: StreamPoint) {
        while acknowledged.index < point.index, let chunk = kept.popFirst() {
            acknowledged = acknowledged.behind(chunk.count)
        }
    }
}
