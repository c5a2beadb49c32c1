// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// The server's end of one stream.
///
/// It waits without a link until its client asks for it again; whoever runs it gives bytes for a place where they are wanted, and
/// takes what has come. A stream that is over is `outcome` and nothing else.
package struct ServerStream: Sendable {
    package enum Outcome: Hashable, Sendable {
        case completed
        case failed(code: String, message: String)
        case cancelled(reason: String?)
    }

    package enum Event: Hashable, Sendable {
        case say(ServerStreamWord)
        /// A client asks for it to be taken.
        case offered(StreamOffer)
        case accepted
        /// Bytes are wanted that stand behind so many others.
        case wants(at: UInt64)
        /// There is something to take, or all was taken.
        case hasParts
        case control(Value)
        case over(Outcome)
    }

    /// What comes.
    private struct Inbound: Sendable {
        enum Mismatch: Hashable, Sendable {
            case askAt(Instant)
            case asked
        }
        var has = StreamPlace()
        var taken = StreamPlace()
        var limit: StreamGrant.Limit
        var parts = Queue<StreamPart>()
        var digest: (any IncrementalDigest)?
        var checksum: [UInt8]?
        var mismatch: Mismatch?
        var mismatches = 0
        var isWhole = false
        /// What was said when all was taken.
        var receipt: ServerStreamWord?
    }

    /// What goes.
    private struct Outbound: Sendable {
        /// What lies before it has come.
        var base = StreamPlace()
        /// What goes next.
        var next = StreamPlace()
        /// From `base` to `next`.
        var sent = Queue<ArraySlice<UInt8>>()
        /// What was given and has not gone, as it was given.
        var waiting = Queue<ArraySlice<UInt8>>()
        /// How much was given.
        var given: UInt64 = 0
        var limit: StreamGrant.Limit?
        var digest: (any IncrementalDigest)?
        var hashed: UInt64 = 0
        var checksum: [UInt8]?
        var isWanted = false
        var isFinished = false
        var hasSaidEnd = false
        var isReceived = false
    }

    /// However far a client's credits reach.
    private static let largestBacklog = 64
    private static let largestQueue = 4_096

    package let id: String
    package let offer: StreamOffer
    private let policy: StreamPolicy
    private let digests: DigestFunction
    private let canGoBack: Bool
    /// Whether the server has opened it.
    package let isOwn: Bool
    private var inbound: Inbound?
    private var outbound: Outbound?
    /// Its number on the link, when there is a link that it uses.
    package private(set) var number: UInt64?
    /// The client knows that the server knows of it.
    package private(set) var isAccepted = false
    private var isPaused = false
    private var isHeld = false
    private let begun: Instant
    private var heardAt: Instant
    private var saidAt: Instant
    /// When there was a link last.
    private var parkedAt: Instant?
    package private(set) var outcome: Outcome?
    private var events: [Event] = []

    /// One that a client asks for; it is to be accepted or refused.
    init(
        asked offer: StreamOffer, id: String, _ policy: StreamPolicy, _ digests: DigestFunction,
        at now: Instant
    ) {
        self.init(offer, id: id, canGoBack: false, isOwn: false, policy, digests, at: now)
        number = offer.number
        parkedAt = nil
        events.append(.offered(offer))
    }

    /// One that the server opens.
    init(
        _ offer: StreamOffer, id: String, canGoBack: Bool, isOwn: Bool = true, _ policy: StreamPolicy,
        _ digests: DigestFunction, at now: Instant
    ) {
        self.id = id
        self.offer = offer
        self.policy = policy
        self.digests = digests
        self.canGoBack = canGoBack
        self.isOwn = isOwn
        parkedAt = now
        begun = now
        heardAt = now
        saidAt = now
        if offer.serverReceives {
            inbound = Inbound(
                limit: Self.limit(policy.window, beyond: StreamPlace()),
                digest: offer.isChecked ? digests.begin() : nil)
        }
        if offer.serverSends {
            let first = offer.first ?? StreamPlace()
            outbound = Outbound(
                base: first, next: first, given: first.bytes,
                digest: offer.isChecked ? digests.begin() : nil)
        }
    }

    package var isParked: Bool { number == nil }

    /// Bytes and chunks that it keeps, for tests.
    package var kept: (parts: Int, bytes: Int) {
        let waiting = inbound?.parts.reduce(0) { $0 + $1.bytes.count } ?? 0
        let unsent = outbound.map { ($0.sent.map(\.count) + $0.waiting.map(\.count)).reduce(0, +) } ?? 0
        return ((inbound?.parts.count ?? 0) + (outbound?.sent.count ?? 0), waiting + unsent)
    }

    package mutating func takeEvents() -> [Event] {
        defer { events = [] }
        return events
    }

    // MARK: Links

    /// Offers it over a new link.
    mutating func offer(as number: UInt64, at now: Instant) {
        guard outcome == nil, !isAccepted else { return }
        self.number = number
        parkedAt = nil
        heardAt = now
        var offer = offer
        offer.number = number
        offer.grant = grant
        say(.initiation(offer), at: now)
    }

    /// The client asks for it over this link.
    mutating func resume(_ asked: StreamOffer, at now: Instant) {
        guard outcome == nil else { return }
        guard asked.kind == offer.kind else { return breach("it was of another kind", at: now) }
        guard parkedAt != nil || number != asked.number else { return }
        number = asked.number
        parkedAt = nil
        heardAt = now
        isPaused = false
        let wasKnown = isAccepted
        // Before somebody has taken it, there is nothing to be said.
        guard isAccepted || isOwn else { return }
        isAccepted = true
        if inbound?.mismatch != nil { inbound?.mismatch = nil }
        say(.acceptance(grant), at: now)
        if isHeld { say(.pause(reason: nil), at: now) }
        if let receipt = inbound?.receipt { say(receipt, at: now) }
        if let grant = asked.grant { goBack(to: grant, at: now) }
        if !wasKnown { events.append(.accepted) }
        settle(at: now)
    }

    mutating func park(at now: Instant) {
        guard outcome == nil, parkedAt == nil else { return }
        number = nil
        parkedAt = now
        outbound?.limit = nil
    }

    // MARK: What comes

    mutating func hear(_ word: ServerStreamWord, at now: Instant) {
        // A client that has done with a stream does not ask for it again over a new link; it tells of the end.
        guard outcome == nil, number != nil || word.endsStream else { return }
        heardAt = now
        switch word {
        case .error(let code, let message): return finish(.failed(code: code, message: message))
        case .cancellation(let reason): return finish(.cancelled(reason: reason))
        case .control(let data): return events.append(.control(data))
        case .initiation(let offer): return resume(offer, at: now)
        case .wrong(let name): return breach("\(name) lacks what belongs to it", at: now)
        case .end: return breach("only a server says that it has noted an end", at: now)
        case .acceptance(let grant):
            guard !isAccepted, isOwn else { return breach("it was accepted twice", at: now) }
            isAccepted = true
            if let grant {
                goBack(to: grant, at: now)
            } else if outbound != nil {
                return breach("it was accepted without credits", at: now)
            }
            events.append(.accepted)
        case .credits, .rewind, .pause, .resumption, .chunk, .sent, .received:
            guard isAccepted else { return breach("\(word.name) came before it was accepted", at: now) }
            hearAccepted(word, at: now)
        }
        settle(at: now)
    }

    private mutating func hearAccepted(_ word: ServerStreamWord, at now: Instant) {
        switch word {
        case .credits(let grant): allow(grant, at: now)
        case .rewind(let grant): goBack(to: grant, at: now)
        case .pause: isPaused = true
        case .resumption(let place):
            guard place == nil else { return breach("a client left something out", at: now) }
            isPaused = false
        case .chunk(let part): add(part, at: now)
        case .sent(let place, let checksum): close(at: place, checksum, at: now)
        case .received(let place, _, _, _):
            guard outbound?.hasSaidEnd == true, place == outbound?.next else {
                return breach("all has come and was not all sent", at: now)
            }
            outbound?.isReceived = true
            letGo(before: place)
            finishIfDone()
        default: break
        }
    }

    private mutating func add(_ part: StreamPart, at now: Instant) {
        guard var inbound else { return breach("a chunk came for a stream that only sends", at: now) }
        if let mismatch = inbound.mismatch, mismatch != .asked || part.index != inbound.has.index { return }
        let size = part.bytes.count
        guard part.index == inbound.has.index, !inbound.isWhole else {
            return breach("chunk \(part.index) came, and \(inbound.has.index) was due", at: now)
        }
        guard (1...offer.chunkSize).contains(size) else {
            return breach("a chunk has \(size) bytes", at: now)
        }
        let isAllowed =
            switch inbound.limit {
            case .chunk(let until): part.index < until
            case .byte(let until): inbound.has.bytes + UInt64(size) <= until
            }
        guard isAllowed, inbound.parts.count < Self.largestQueue else {
            return breach("chunk \(part.index) came without credit", at: now)
        }
        guard inbound.has.bytes + UInt64(size) <= offer.totalSize ?? .max else {
            return breach("more came than was to come", at: now)
        }
        if let most = policy.uploadBytes, inbound.has.bytes + UInt64(size) > most {
            return fail("quota-exceeded", "an upload may have \(most) bytes", at: now)
        }
        if offer.checksChunks {
            guard let checksum = part.checksum else { return breach("a chunk lacks its checksum", at: now) }
            guard checksum == digests.digest(of: part.bytes) else {
                return mismatched(part.index, at: now)
            }
        }
        inbound.mismatch = nil
        inbound.mismatches = 0
        part.bytes.withUnsafeBytes { inbound.digest?.update($0) }
        inbound.has.advance(by: size)
        inbound.parts.append(part)
        self.inbound = inbound
        if inbound.parts.count == 1 { events.append(.hasParts) }
    }

    private mutating func mismatched(_ index: UInt64, at now: Instant) {
        inbound?.mismatches += 1
        guard inbound?.mismatches ?? 0 <= policy.retries else {
            return fail("checksum-mismatch", "Chunk \(index) checksum failed", at: now)
        }
        let due = now.advanced(by: policy.retryDelay)
        inbound?.mismatch = .askAt(due)
    }

    private mutating func close(at place: StreamPlace, _ checksum: [UInt8]?, at now: Instant) {
        guard var inbound else { return breach("the end came of a stream that only sends", at: now) }
        guard inbound.mismatch == nil, !inbound.isWhole else { return }
        guard place == inbound.has, place.bytes == offer.totalSize ?? place.bytes else {
            return breach("it ended where it did not stand", at: now)
        }
        if var digest = inbound.digest {
            let own = digest.finish()
            guard let checksum else { return breach("the end lacks its checksum", at: now) }
            guard checksum == own else {
                return fail("checksum-mismatch", "the checksum of the whole failed", at: now)
            }
            inbound.checksum = own
        }
        inbound.isWhole = true
        self.inbound = inbound
        if inbound.parts.isEmpty { events.append(.hasParts) }
    }

    // MARK: Whoever takes

    /// The next part; nil when there is none now.
    package mutating func take(at now: Instant) -> ArraySlice<UInt8>? {
        guard outcome == nil, let part = inbound?.parts.popFirst() else { return nil }
        inbound?.taken.advance(by: part.bytes.count)
        if let inbound, !inbound.isWhole, Self.isLow(inbound.limit, policy.window, taken: inbound.taken) {
            let limit = Self.limit(policy.window, beyond: inbound.taken)
            self.inbound?.limit = limit
            if isAccepted, let grant { say(.credits(grant), at: now) }
        }
        if inbound?.parts.isEmpty == true, inbound?.isWhole == true { events.append(.hasParts) }
        return part.bytes
    }

    /// Whether all has come and was taken.
    package var isTaken: Bool { inbound?.isWhole == true && inbound?.parts.isEmpty == true }

    /// All was taken, and is kept.
    package mutating func confirm(_ receipt: Value = .null, at now: Instant) {
        guard outcome == nil, isTaken, let inbound, inbound.receipt == nil else { return }
        let word = ServerStreamWord.received(
            inbound.has, milliseconds: begun.duration(to: now).wholeMilliseconds, checksum: inbound.checksum,
            receipt: receipt)
        self.inbound?.receipt = word
        say(word, at: now)
        finishIfDone()
    }

    private static func limit(_ window: StreamPolicy.Window, beyond place: StreamPlace) -> StreamGrant.Limit {
        switch window {
        case .chunks(let count): .chunk(place.index + UInt64(count))
        case .bytes(let count): .byte(place.bytes + UInt64(count))
        }
    }

    /// Whether three tenths of the window, or less, lie before the client.
    private static func isLow(
        _ limit: StreamGrant.Limit, _ window: StreamPolicy.Window, taken: StreamPlace
    ) -> Bool {
        switch (limit, window) {
        case (.chunk(let until), .chunks(let count)): (until - taken.index) * 10 <= UInt64(count * 3)
        case (.byte(let until), .bytes(let count)): (until - taken.bytes) * 10 <= UInt64(count * 3)
        default: true
        }
    }

    private var grant: StreamGrant? { inbound.map { StreamGrant(has: $0.has, limit: $0.limit) } }

    // MARK: Whoever gives

    /// Somebody takes what a client has asked for.
    package mutating func accept(at now: Instant) {
        guard outcome == nil, !isAccepted else { return }
        isAccepted = true
        guard number != nil else { return }
        say(.acceptance(grant), at: now)
        if let grant = offer.grant { goBack(to: grant, at: now) }
        settle(at: now)
    }

    /// Bytes for the place that was wanted; all others come too late.
    package mutating func give(_ bytes: ArraySlice<UInt8>, at place: UInt64, now: Instant) {
        guard outcome == nil, var outbound, outbound.isWanted, place == outbound.given, !bytes.isEmpty else {
            return
        }
        outbound.isWanted = false
        outbound.given += UInt64(bytes.count)
        if outbound.hashed >= place, outbound.given > outbound.hashed {
            bytes.dropFirst(Int(outbound.hashed - place)).withUnsafeBytes { outbound.digest?.update($0) }
            outbound.hashed = outbound.given
        }
        outbound.waiting.append(bytes)
        self.outbound = outbound
        settle(at: now)
    }

    /// There are no bytes at this place.
    package mutating func end(at place: UInt64, now: Instant) {
        guard outcome == nil, outbound?.isWanted == true, place == outbound?.given else { return }
        outbound?.isWanted = false
        outbound?.isFinished = true
        settle(at: now)
    }

    private mutating func allow(_ grant: StreamGrant, at now: Instant) {
        guard let outbound else { return breach("credits came for a stream that only receives", at: now) }
        guard !outbound.isReceived, let limit = outbound.limit else { return }
        guard stands(grant.has), grant.has.index <= outbound.next.index else {
            return breach("a client has what was not sent", at: now)
        }
        letGo(before: grant.has)
        switch (limit, grant.limit) {
        case (.chunk(let old), .chunk(let new)): self.outbound?.limit = .chunk(max(old, new))
        case (.byte(let old), .byte(let new)): self.outbound?.limit = .byte(max(old, new))
        default: breach("credits are of another kind than before", at: now)
        }
    }

    /// Goes on from what the client has.
    private mutating func goBack(to grant: StreamGrant, at now: Instant) {
        guard outbound != nil else { return breach("a rewind came for a stream that only receives", at: now) }
        if case .byte = grant.limit, offer.kind == .broadcast {
            return breach("who hears a broadcast counts chunks", at: now)
        }
        guard outbound?.isReceived == false else { return }
        outbound?.limit = grant.limit
        outbound?.hasSaidEnd = false
        if stands(grant.has) {
            letGo(before: grant.has)
            unsend()
        } else if offer.kind == .broadcast {
            unsend()
            guard let outbound else { return }
            say(.resumption(at: outbound.next), at: now)
        } else if canGoBack, grant.has.bytes <= outbound?.hashed ?? 0 {
            restart(at: grant.has)
        } else {
            fail("not-resumable", "what was sent before cannot be sent again", at: now)
        }
    }

    /// What was sent and has not come goes again.
    private mutating func unsend() {
        guard var outbound, !outbound.sent.isEmpty else { return }
        let pieces = outbound.sent.drain() + outbound.waiting.drain()
        for piece in pieces { outbound.waiting.append(piece) }
        outbound.next = outbound.base
        self.outbound = outbound
    }

    private mutating func restart(at place: StreamPlace) {
        outbound?.base = place
        outbound?.next = place
        outbound?.given = place.bytes
        outbound?.sent = Queue()
        outbound?.waiting = Queue()
        outbound?.isFinished = false
        outbound?.isWanted = false
    }

    /// In a broadcast: leaves out what lies before a place.
    package mutating func skip(to place: StreamPlace, at now: Instant) {
        guard outcome == nil, outbound != nil else { return }
        restart(at: place)
        guard isAccepted, number != nil else { return }
        say(.resumption(at: place), at: now)
        settle(at: now)
    }

    private func stands(_ place: StreamPlace) -> Bool {
        guard let outbound, place.index >= outbound.base.index, place.index <= outbound.next.index else {
            return false
        }
        let before = outbound.sent.prefix(Int(place.index - outbound.base.index))
        return before.reduce(outbound.base.bytes) { $0 + UInt64($1.count) } == place.bytes
    }

    private mutating func letGo(before place: StreamPlace) {
        while let base = outbound?.base, base.index < place.index, let part = outbound?.sent.popFirst() {
            outbound?.base.advance(by: part.count)
        }
    }

    /// How many bytes may go in the next chunk.
    private var room: Int {
        guard outcome == nil, number != nil, isAccepted, !isPaused, !isHeld, let outbound,
            outbound.sent.count < Self.largestBacklog
        else { return 0 }
        switch outbound.limit {
        case nil: return 0
        case .chunk(let until)?: return outbound.next.index < until ? offer.chunkSize : 0
        case .byte(let until)?:
            guard until > outbound.next.bytes else { return 0 }
            return Int(min(until - outbound.next.bytes, UInt64(offer.chunkSize)))
        }
    }

    /// Whether a chunk can go now.
    package var hasPart: Bool { outbound?.waiting.isEmpty == false && room > 0 }

    package mutating func takePart(at now: Instant) -> (number: UInt64, part: StreamPart)? {
        guard hasPart, let number, var outbound, let first = outbound.waiting.first else { return nil }
        let bytes = first.prefix(room)
        if bytes.count == first.count {
            _ = outbound.waiting.popFirst()
        } else {
            outbound.waiting[0] = first.dropFirst(bytes.count)
        }
        let part = StreamPart(
            index: outbound.next.index,
            checksum: offer.checksChunks ? digests.digest(of: bytes) : nil, bytes: bytes)
        outbound.sent.append(bytes)
        outbound.next.advance(by: bytes.count)
        self.outbound = outbound
        saidAt = now
        settle(at: now)
        return (number, part)
    }

    // MARK: Either

    package mutating func hold(_ isHeld: Bool, at now: Instant) {
        guard outcome == nil, self.isHeld != isHeld else { return }
        self.isHeld = isHeld
        if isAccepted { say(isHeld ? .pause(reason: nil) : .resumption(at: nil), at: now) }
        settle(at: now)
    }

    package mutating func control(_ data: Value, at now: Instant) {
        if outcome == nil { say(.control(data), at: now) }
    }

    package mutating func cancel(_ reason: String? = nil, at now: Instant) {
        guard outcome == nil else { return }
        say(.cancellation(reason: reason), at: now)
        finish(.cancelled(reason: reason))
    }

    package mutating func fail(_ code: String, _ message: String, at now: Instant) {
        guard outcome == nil else { return }
        say(.error(code: code, message: message), at: now)
        finish(.failed(code: code, message: message))
    }

    private mutating func breach(_ what: String, at now: Instant) { fail("protocol-error", what, at: now) }

    /// What the client is told when it asks for the stream after its end.
    var lastWord: ServerStreamWord? {
        switch outcome {
        case .completed?: inbound?.receipt ?? .end
        case .failed(let code, let message)?: .error(code: code, message: message)
        case .cancelled(let reason)?: .cancellation(reason: reason)
        case nil: nil
        }
    }

    private mutating func finishIfDone() {
        guard inbound.map({ $0.receipt != nil }) ?? true, outbound?.isReceived ?? true else { return }
        finish(.completed)
    }

    private mutating func finish(_ outcome: Outcome) {
        guard self.outcome == nil else { return }
        self.outcome = outcome
        inbound?.parts = Queue()
        outbound = nil
        number = nil
        events.append(.over(outcome))
    }

    // MARK: Time

    package var deadline: Instant? {
        guard outcome == nil else { return nil }
        if let parkedAt { return parkedAt.advanced(by: policy.positionLife) }
        guard number != nil else { return nil }
        var due = heardAt.advanced(by: policy.idle)
        if isAccepted { due = min(due, saidAt.advanced(by: policy.idle / 3)) }
        if case .askAt(let instant)? = inbound?.mismatch { due = min(due, instant) }
        return due
    }

    mutating func expire(at now: Instant) {
        guard outcome == nil, let due = deadline, due <= now else { return }
        if parkedAt != nil { return finish(.failed(code: "timeout", message: "nobody came back for it")) }
        if heardAt.advanced(by: policy.idle) <= now {
            return fail("timeout", "nothing was heard of it for too long", at: now)
        }
        if case .askAt(let instant)? = inbound?.mismatch, instant <= now, let grant {
            inbound?.mismatch = .asked
            say(.rewind(grant), at: now)
        }
        guard isAccepted, saidAt.advanced(by: policy.idle / 3) <= now else { return }
        if let grant {
            say(.credits(grant), at: now)
        } else {
            say(isHeld ? .pause(reason: nil) : .resumption(at: nil), at: now)
        }
    }

    private mutating func say(_ word: ServerStreamWord, at now: Instant) {
        guard number != nil else { return }
        saidAt = now
        events.append(.say(word))
    }

    /// What follows from a step: bytes are wanted, or all have gone.
    private mutating func settle(at now: Instant) {
        guard outcome == nil, number != nil, isAccepted, var outbound, outbound.waiting.isEmpty else {
            return
        }
        if outbound.isFinished {
            guard !outbound.hasSaidEnd, outbound.limit != nil else { return }
            outbound.hasSaidEnd = true
            if outbound.checksum == nil {
                var digest = outbound.digest
                outbound.checksum = digest?.finish()
            }
            self.outbound = outbound
            say(.sent(outbound.next, checksum: outbound.checksum), at: now)
        } else if room > 0, !outbound.isWanted {
            self.outbound?.isWanted = true
            events.append(.wants(at: outbound.given))
        }
    }
}
