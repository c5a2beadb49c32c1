// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// The client's end of one stream, over all the links that it needs.
///
/// It decides what is said, when something may go, and when the stream is over. It never sends a chunk by itself: whoever has a
/// link takes one when there is room.
///
/// - After each new link the client speaks first: the stream goes on from where its receiver is, which the two words that begin
///   it say. Nothing else is remembered of the link before.
/// - Each end says something at least every third of the idle limit, so that silence means that the other end is not there.
/// - After `ended` nothing happens any more; what is kept is let go of at once.
package struct StreamMachine: Sendable {
    enum Attachment: Hashable, Sendable {
        case none
        /// Asked for, by the number it has on this link.
        case asked(number: UInt64)
        /// Offered by the server, and not taken yet.
        case offered(number: UInt64)
        case attached(number: UInt64)
    }

    package let id: String
    package private(set) var opening: StreamOpening
    /// Whether the other end knows of it.
    package internal(set) var isKnown: Bool
    let settings: StreamSettings
    var sender: StreamSender?
    var receiver: StreamReceiver?
    var attachment = Attachment.none
    var isPausedHere = false
    var isPausedThere = false
    /// What the receiver of this client's bytes said to them.
    var receipt: StreamReceipt?
    /// This client has said that it has received everything.
    var confirmation: StreamReceipt?
    var heardAt = Instant.distantPast
    var saidAt = Instant.distantPast
    let begun: Instant
    var meter: StreamMeter
    var toldState: StreamState
    private var hasStarted = false
    package internal(set) var ending: StreamEnding?
    /// Nobody had taken it when the link was lost: the server offers it again, under the same name.
    package private(set) var wasLetGo = false
    /// What the server has to hear of the end, if it was this client's doing.
    package internal(set) var farewell: StreamWord?
    var effects: [StreamEffect] = []

    /// A stream that this client opens; with a position, one that was there before the process began.
    ///
    /// `digest` is that of the bytes before the position, where the receiver can still read them.
    package init(
        id: String, _ opening: StreamOpening, isSeekable: Bool = false, startsOver: Bool = false,
        position: StreamPoint? = nil, digest: (any IncrementalDigest)? = nil, settings: StreamSettings,
        at now: Instant
    ) {
        self.init(id: id, opening, isKnown: position != nil, settings, at: now)
        prepare(isSeekable: isSeekable, startsOver: startsOver, from: position ?? .start, digest)
        meter.begin(at: position?.bytes ?? 0)
    }

    /// One that the server offers over this link.
    package init(offered opening: StreamOpening, id: String, settings: StreamSettings, at now: Instant) {
        self.init(id: id, opening, isKnown: false, settings, at: now)
        attachment = .offered(number: opening.number)
        toldState = .negotiating
        heardAt = now
        effects.append(.offered(opening))
    }

    private init(
        id: String, _ opening: StreamOpening, isKnown: Bool, _ settings: StreamSettings, at now: Instant
    ) {
        self.id = id
        self.opening = opening
        self.isKnown = isKnown
        self.settings = settings
        begun = now
        meter = StreamMeter(at: now, interval: settings.progressInterval)
        toldState = .initializing
    }

    mutating func prepare(
        isSeekable: Bool, startsOver: Bool, from point: StreamPoint = .start,
        _ digest: (any IncrementalDigest)? = nil
    ) {
        if opening.kind.isSentByClient {
            sender = StreamSender(opening, isSeekable: isSeekable, digests: settings.digests)
        }
        if opening.kind.isReceivedByClient {
            let first = opening.kind == .broadcast ? opening.first ?? point : point
            receiver = StreamReceiver(
                opening, startsOver: startsOver, settings: settings, from: first, digest)
        }
    }

    // MARK: What it is now

    package var state: StreamState {
        if let ending { return ending.state }
        switch attachment {
        case .none: return .initializing
        case .asked, .offered: return .negotiating
        case .attached: break
        }
        if sender?.isDone ?? true, receiver?.isWhole ?? true { return .completing }
        return isPausedHere || isPausedThere ? .paused : .active
    }

    /// When it wants to be woken.
    package var deadline: Instant? {
        guard ending == nil else { return nil }
        var due = meter.deadline ?? .distantFuture
        switch attachment {
        case .none: break
        case .asked: due = min(due, heardAt.advanced(by: settings.idleLimit))
        // However long the app takes, the server waits for it or does not.
        case .offered: break
        case .attached:
            due = min(due, heardAt.advanced(by: settings.idleLimit), saidAt.advanced(by: settings.signOfLife))
            due = min(due, receiver?.deadline ?? .distantFuture)
        }
        return due == .distantFuture ? nil : due
    }

    /// The bytes that this stream keeps, for tests.
    package var keptBytes: Int { (receiver?.waitingBytes ?? 0) }

    /// How many chunks are kept until the other end has them.
    package var keptChunks: Int { sender?.keptChunks ?? 0 }

    /// What an app may keep, to go on with the stream in another process; nil for one both ways, which has two, and for a
    /// broadcast, which goes on with whatever is sent then.
    package var position: StreamPosition? {
        guard opening.kind == .upload || opening.kind == .download else { return nil }
        let point = receiver?.taken ?? sender?.acknowledged ?? .start
        return StreamPosition(id: id, opening, at: point)
    }

    package mutating func takeEffects() -> [StreamEffect] {
        defer { effects.removeAll(keepingCapacity: true) }
        return effects
    }

    // MARK: Links

    /// There is a link, and the other end agreed on streams.
    package mutating func linked(number: UInt64, at now: Instant) {
        guard ending == nil, attachment == .none else { return }
        attachment = .asked(number: number)
        heardAt = now
        var opening = opening
        opening.number = number
        opening.isAgain = isKnown
        opening.reception = receiver?.reception
        opening.first = nil
        say(.open(opening), at: now)
        settle(at: now)
    }

    /// The link is gone, and what was on its way with it.
    package mutating func unlinked(at now: Instant) {
        guard ending == nil else { return }
        if case .offered = attachment {
            wasLetGo = true
            return end(.cancelled(isRemote: true, reason: "The link was lost."), at: now)
        }
        attachment = .none
        isPausedThere = false
        sender?.stop()
        receiver?.stop()
        settle(at: now)
    }

    // MARK: The app that takes a stream

    /// Somebody takes a stream that the server offered.
    package mutating func accept(isSeekable: Bool = false, startsOver: Bool = false, at now: Instant) {
        guard ending == nil, case .offered(let number) = attachment else { return }
        prepare(isSeekable: isSeekable, startsOver: startsOver)
        attachment = .attached(number: number)
        isKnown = true
        start()
        if sender != nil, let reception = opening.reception {
            do throws(StreamFault) {
                if let place = try sender?.goOn(reception) { effects.append(.seek(to: place)) }
            } catch {
                fail(error, at: now)
            }
        }
        say(.accept(receiver?.reception), at: now)
        settle(at: now)
    }

    /// What comes next; nil when nothing has come, or everything was taken.
    package mutating func takePiece(at now: Instant) -> StreamPiece? {
        guard ending == nil, let (piece, raises) = receiver?.take() else { return nil }
        if raises { sayCredits(at: now) }
        if receiver?.hasPieces == false, receiver?.isWhole == true { effects.append(.hasPieces) }
        settle(at: now)
        return piece
    }

    /// Whether everything has come and was taken: it waits to be confirmed.
    package var isTaken: Bool { receiver?.isWhole == true && receiver?.hasPieces == false }

    /// The consumer is done with everything, and says so to the other end.
    package mutating func confirm(_ answer: Value = .null, at now: Instant) {
        guard ending == nil, confirmation == nil, isTaken, let receiver else { return }
        let receipt = StreamReceipt(
            end: receiver.next, milliseconds: begun.duration(to: now).wholeMilliseconds,
            checksum: receiver.checksum, answer: answer)
        confirmation = receipt
        farewell = .received(receipt)
        say(.received(receipt), at: now)
        endIfDone(at: now)
        settle(at: now)
    }

    // MARK: The app that gives a stream

    /// Bytes of the source, as those that stand at a place.
    package mutating func provide(_ bytes: ArraySlice<UInt8>, at place: UInt64, now: Instant) {
        source(at: now) { sender throws(StreamFault) in try sender.provide(bytes, at: place) }
    }

    /// The source has no more.
    package mutating func finish(at place: UInt64, now: Instant) {
        source(at: now) { sender throws(StreamFault) in try sender.finish(at: place) }
    }

    mutating func source(at now: Instant, _ body: (inout StreamSender) throws(StreamFault) -> Void) {
        guard ending == nil, var sender else { return }
        self.sender = nil
        do throws(StreamFault) {
            defer { self.sender = sender }
            try body(&sender)
        } catch {
            fail(error, at: now)
        }
        settle(at: now)
    }

    /// Whether a chunk may go.
    package var hasChunk: Bool {
        guard ending == nil, case .attached = attachment, !isPausedHere, !isPausedThere else { return false }
        return sender?.hasChunk ?? false
    }

    /// The next chunk, and the stream's number on this link.
    package mutating func takeChunk(at now: Instant) -> (number: UInt64, chunk: StreamChunk)? {
        guard hasChunk, case .attached(let number) = attachment, let chunk = sender?.takeChunk() else {
            return nil
        }
        saidAt = now
        meter.moved(at: now)
        settle(at: now)
        return (number, chunk)
    }

    // MARK: The app

    package mutating func pause(at now: Instant) {
        setPaused(true, at: now)
    }

    package mutating func resume(at now: Instant) {
        setPaused(false, at: now)
    }

    mutating func setPaused(_ isPaused: Bool, at now: Instant) {
        guard ending == nil, isPausedHere != isPaused else { return }
        isPausedHere = isPaused
        sayPause(at: now)
        settle(at: now)
    }

    package mutating func control(_ data: Value, at now: Instant) {
        guard ending == nil else { return }
        say(.control(data), at: now)
    }

    package mutating func cancel(reason: String? = nil, at now: Instant) {
        guard ending == nil else { return }
        farewell = .cancel(reason: reason)
        say(.cancel(reason: reason), at: now)
        end(.cancelled(isRemote: false, reason: reason), at: now)
    }

    /// Whoever gives the bytes, or takes them, cannot go on.
    package mutating func abandon(_ fault: StreamFault, at now: Instant) {
        guard ending == nil else { return }
        fail(fault, at: now)
    }

    // MARK: Time

    package mutating func expire(at now: Instant) {
        guard ending == nil else { return }
        if case .attached = attachment {
            if let (reception, fromStart) = receiver?.takeRewind(at: now) {
                if fromStart { effects.append(.startsOver) }
                meter.rewinds += 1
                say(.rewind(reception), at: now)
            }
            if saidAt.advanced(by: settings.signOfLife) <= now { sayAlive(at: now) }
        }
        switch attachment {
        case .asked, .attached:
            if heardAt.advanced(by: settings.idleLimit) <= now {
                let limit = settings.idleLimit.wholeMilliseconds / 1_000
                fail(
                    StreamFault(.timeout, "The other end said nothing of the stream for \(limit) s."), at: now
                )
            }
        case .none, .offered: break
        }
        settle(at: now)
    }

    /// Says again what has no effect.
    mutating func sayAlive(at now: Instant) {
        if receiver != nil { sayCredits(at: now) } else { sayPause(at: now) }
    }

    // MARK: Saying

    mutating func say(_ word: StreamWord, at now: Instant) {
        guard attachment != .none else { return }
        saidAt = now
        effects.append(.say(word))
    }

    mutating func sayCredits(at now: Instant) {
        guard case .attached = attachment, let receiver else { return }
        say(.credits(receiver.reception), at: now)
    }

    mutating func sayPause(at now: Instant) {
        guard case .attached = attachment else { return }
        say(isPausedHere ? .pause(reason: nil) : .resume(at: nil), at: now)
    }

    /// Both ends have it; whether that is so for the first time in this process.
    @discardableResult
    mutating func start() -> Bool {
        guard !hasStarted else { return false }
        hasStarted = true
        effects.append(.started(opening))
        return true
    }

    /// After each step: what follows from it.
    mutating func settle(at now: Instant) {
        guard ending == nil else { return }
        if case .attached = attachment {
            sender?.noteStall()
            if !isPausedHere, !isPausedThere, sender?.asksSource() == true { effects.append(.wantsBytes) }
            if let totals = sender?.takeTotals() { say(.sent(totals), at: now) }
        }
        let state = state
        if state != toldState {
            toldState = state
            effects.append(.changed(state))
        }
        if meter.isDue(at: now) { effects.append(.progress(progress(state, at: now))) }
    }

    func progress(_ state: StreamState, at now: Instant) -> StreamProgress {
        meter.progress(
            of: id, state, at: sender?.next ?? receiver?.next ?? .start, opening,
            stalls: sender?.stalls ?? 0, at: now)
    }
}
