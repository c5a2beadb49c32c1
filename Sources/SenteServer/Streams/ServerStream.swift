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
        /// It has begun, whoever took it.
        case accepted
        /// Bytes are wanted that stand behind so many others.
        case wants(at: UInt64)
        /// There is something to take, or all was taken.
        case hasParts
        case control(Value)
        case over(Outcome)
    }

    /// What comes.
    struct Inbound: Sendable {
        enum Mismatch: Hashable, Sendable {
            case askAt(Instant)
            case asked
        }
        var has = StreamPlace()
        var taken = StreamPlace()
        /// How many chunks had been taken when the client was told last.
        var told: UInt64 = 0
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
    struct Outbound: Sendable {
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
    static let largestBacklog = 64
    static let largestQueue = 4_096

    package let id: String
    package let offer: StreamOffer
    let policy: StreamPolicy
    let digests: DigestFunction
    let canGoBack: Bool
    /// Whether the server has opened it.
    package let isOwn: Bool
    var inbound: Inbound?
    var outbound: Outbound?
    /// Its number on the link, when there is a link that it uses.
    package internal(set) var number: UInt64?
    /// The client knows that the server knows of it.
    package internal(set) var isAccepted = false
    var isPaused = false
    var isHeld = false
    let begun: Instant
    var heardAt: Instant
    var saidAt: Instant
    /// When there was a link last.
    var parkedAt: Instant?
    package private(set) var outcome: Outcome?
    var events: [Event] = []

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
        guard outbound == nil || asked.grant != nil else { return breach("it came without credits", at: now) }
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

    mutating func hearAccepted(_ word: ServerStreamWord, at now: Instant) {
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

    /// Somebody takes what a client has asked for.
    package mutating func accept(at now: Instant) {
        guard outcome == nil, !isAccepted else { return }
        isAccepted = true
        events.append(.accepted)
        guard number != nil else { return }
        say(.acceptance(grant), at: now)
        if let grant = offer.grant { goBack(to: grant, at: now) }
        settle(at: now)
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

    mutating func breach(_ what: String, at now: Instant) { fail("protocol-error", what, at: now) }

    /// What the client is told when it asks for the stream after its end.
    var lastWord: ServerStreamWord? {
        switch outcome {
        case .completed?: inbound?.receipt ?? .end
        case .failed(let code, let message)?: .error(code: code, message: message)
        case .cancelled(let reason)?: .cancellation(reason: reason)
        case nil: nil
        }
    }

    mutating func finishIfDone() {
        guard inbound.map({ $0.receipt != nil }) ?? true, outbound?.isReceived ?? true else { return }
        finish(.completed)
    }

    mutating func finish(_ outcome: Outcome) {
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

    mutating func say(_ word: ServerStreamWord, at now: Instant) {
        guard number != nil else { return }
        saidAt = now
        events.append(.say(word))
    }
}
