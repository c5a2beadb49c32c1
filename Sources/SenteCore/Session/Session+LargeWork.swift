// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Large values are written and read elsewhere than on the loop.
///
/// What leaves: the channel of a message that is being written waits behind it, all else goes on. What comes: `HeldArrivals` says
/// what waits behind a message that is being read.
extension Session {
    // MARK: Out

    /// Whether a message cannot leave at once although the link has room: it is large, or would overtake one that is.
    func mustWait(_ outbound: Outbound, weighing weight: Int, _ priority: SendOptions.Priority) -> Bool {
        guard let terms = traffic.packing.terms else { return false }
        // One that is likely too large to go at all is not to be told that the outbox is full.
        let isLarge = weight >= configuration.largeValue && weight <= terms.limits.outgoingMessage
        return isLarge || traffic.packing.large.ahead.hold(outbound, weight, priority)
    }

    /// A large message that has its turn is written first.
    mutating func write(_ leaving: Leaving) {
        outbox.keepRoom(for: leaving)
        traffic.packing.large.write(leaving)
        startWriting()
    }

    /// The next large message is written, when the link has room for what comes of it.
    mutating func startWriting() {
        let moment = now
        guard canTransmit, case .open(let open) = state, let coder,
            let work = traffic.packing.nextWriting(on: open.link, by: coder, at: moment)
        else { return }
        effects.append(.work(work))
    }

    private mutating func written(
        _ number: UInt64, _ result: Result<LargeWork.Written, SenteError>, on link: LinkID
    ) {
        guard let leaving = traffic.packing.large.endWriting(number) else { return drain() }
        do throws(SenteError) {
            let written = try result.get()
            note(written.compressed, written.time)
            switch written.packed {
            case .plain(let message): transmit(message, of: leaving.outbound, for: leaving.call, on: link)
            case .compressed(let envelope):
                transmit(try spelled(envelope), of: leaving.outbound, for: leaving.call, on: link)
            case .parts(let folded): return begin(leaving, folded)
            }
        } catch {
            couldNotLeave(leaving.call, error)
        }
        endLarge(leaving.call)
    }

    /// The server has heard a message in parts: what has to follow it may.
    mutating func partsHeard(_ number: UInt64, on link: LinkID) {
        guard traffic.packing.large.heard(number) else { return }
        if traffic.pending.owesFence { sendFence(on: link) }
        outbox.endAside()
        drain()
    }

    /// What was leaving in parts when the server closed a link for what came goes once more, alone; the second time it does not.
    mutating func blameParts() {
        let blamed = history.blamed
        history.blamed = []
        for call in blamed where outbox.blame(call) > 1 {
            _ = outbox.remove(call)
            effects.append(.record(.dropped(reason: .connectionLost)))
            resolve(call, .failure(.closedFor(.notSent)))
        }
    }

    // MARK: Back

    /// What was written or read is there; the link it was for may be gone.
    mutating func worked(_ done: LargeWork.Done) {
        guard case .open(let open) = state, open.link == done.id.link else { return }
        switch done.outcome {
        case .written(let result): written(done.id.number, result, on: open.link)
        case .read(let result):
            guard let (reading, isPassed) = traffic.packing.arrivals.end(done.id.number) else { return }
            if isPassed, case .failure = result { countUnheard(result, on: open.link) }
            do throws(FlowViolation) {
                for arrival in try arrivals(
                    of: result, isEnveloped: reading.isEnveloped, parts: reading.parts)
                {
                    begin(arrival, on: open.link)
                }
            } catch {
                violated(error.reason, on: open.link, error.closeCode)
            }
            hearHeld(on: open.link)
        }
    }

    // MARK: In

    /// A message came that may be compressed, a part, or several.
    mutating func arrived(_ message: Message, on link: LinkID) {
        guard isCurrent(link) else { return }
        if takesChunks(over: link), message.kind == .binary, StreamChunk.isBinary(message.bytes) {
            return heardChunk(message.bytes, on: link)
        }
        do throws(FlowViolation) {
            take(try unpack(message, on: link), on: link)
        } catch {
            violated(error.reason, on: link, error.closeCode)
        }
    }

    /// Counts a message that cannot be read and that others have passed.
    ///
    /// Else it would end its link uncounted, to come again, and in its stead the last of those would.
    private mutating func countUnheard(_ result: Result<LargeWork.Read, UnreadableError>, on link: LinkID) {
        // Among what comes again it counts as it is heard.
        guard counts(link), case .failure(let error) = result,
            error.isTooLarge || error.inbound.isUnreadable && resumption?.repeatsDue == 0
        else { return }
        let instant = now.instant
        resumption?.count(bytes: 0, at: instant)
    }

    mutating func take(_ arrivals: [HeldArrivals.Arrival], on link: LinkID) {
        for arrival in arrivals { take(arrival, on: link) }
        noteParts()
    }

    private mutating func take(_ arrival: HeldArrivals.Arrival, on link: LinkID) {
        guard traffic.packing.arrivals.reading != nil, !passes(arrival) else {
            return begin(arrival, on: link)
        }
        traffic.packing.arrivals.append(arrival)
        guard traffic.packing.arrivals.isFull, case .open(let open) = state else { return }
        traffic.packing.arrivals.isPaused = true
        effects.append(.pauseReading(open.link))
    }

    /// Whether it is heard before what is being read.
    private mutating func passes(_ arrival: HeldArrivals.Arrival) -> Bool {
        guard case .heard(let heard) = arrival.content, arrival.parts == nil else { return false }
        if traffic.packing.arrivals.letsPass {
            if heard.inbounds.contains(where: \.isCounted) { traffic.packing.arrivals.pass() }
            return true
        }
        return heard.inbounds.count == 1 && isAhead(heard.inbounds[0])
    }

    /// Whether it goes before anything: it counts for nothing, and a pong's proof waits (`ponged`).
    private func isAhead(_ inbound: Inbound) -> Bool {
        switch inbound {
        case .ping, .pong: return true
        case .flow(let frame):
            return frame.word == .ack || frame.word == .chunkAck
                || frame.word?.isStream == true && frame.word?.isCounted == false
        default: return false
        }
    }

    private mutating func begin(_ arrival: HeldArrivals.Arrival, on link: LinkID) {
        switch arrival.content {
        case .heard(let heard): hear(heard, on: link)
        case .large(let reading):
            let number = traffic.packing.nextWork()
            traffic.packing.arrivals.begin(number, reading, parts: arrival.parts)
            effects.append(
                .work(LargeWork(id: LargeWork.ID(link: link, number: number), job: .reading(reading))))
            return
        case .given: break
        case .fence(let limit):
            for owner in traffic.pending.clear(upTo: limit) { neverAnswered(owner) }
        case .ended(let end): ended(link, end)
        case .left(let leave): self.leave(link, leave)
        }
        guard let parts = arrival.parts, case .open(let open) = state, open.link == link else { return }
        sayHeard(.chunkAck(parts), on: link)
    }

    /// What came behind the message that has been read is heard, up to the next that is large.
    private mutating func hearHeld(on link: LinkID) {
        while isCurrent(link), let arrival = traffic.packing.arrivals.next() {
            begin(arrival, on: link)
        }
        guard traffic.packing.arrivals.isPaused, !traffic.packing.arrivals.isFull,
            case .open(let open) = state
        else { return }
        traffic.packing.arrivals.isPaused = false
        if open.pausedUntil == nil { effects.append(.resumeReading(open.link)) }
    }

    /// Whether the end of a link waits until what came before it has been heard.
    mutating func holdsEnd(of link: LinkID, _ end: LinkEnd) -> Bool {
        guard case .open(let open) = state, open.link == link,
            traffic.packing.arrivals.reading != nil
        else { return false }
        traffic.packing.arrivals.append(.ended(end))
        return true
    }

    // MARK: Leaving meanwhile

    /// This end leaves a link.
    struct Leave: Sendable {
        var error: SenteError
        var own: ConnectionStatus.OwnEnd?
        /// Whether another takes its place at once.
        var isReplaced = false
    }

    /// Whether a link is left only when what came over it has been heard.
    mutating func holds(_ leave: Leave) -> Bool {
        guard resumption?.session != nil, traffic.packing.arrivals.mustBeHeard else { return false }
        if !traffic.packing.arrivals.isOver { traffic.packing.arrivals.append(.left(leave)) }
        // Nothing comes over it any more, and nobody asks for signs of its life.
        traffic.keepAlive = nil
        return true
    }

    private mutating func leave(_ link: LinkID, _ leave: Leave) {
        guard case .open(let open) = state, open.link == link else { return }
        if leave.isReplaced { replaced(open, leave.error) } else { lost(open, leave.error, by: leave.own) }
    }
}

extension SenteError {
    /// The server closed two links in a row for a message.
    static func closedFor(_ outcome: Outcome) -> SenteError {
        let text = "The server closed the connection for it twice; it is not sent again."
        return SenteError(.connectionLost, text, outcome: outcome)
    }
}
