// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Large values are written and read elsewhere than on the loop.
///
/// What leaves: the channel of a message that is being written waits behind it, all else goes on. What comes: nobody knows yet
/// what a message that is being read says, so all waits behind it but what keeps the link alive.
extension Session {
    // MARK: Out

    /// Whether a message cannot leave at once although the link has room: it is large, or would overtake one that is.
    func mustWait(_ outbound: Outbound, weighing weight: Int, _ priority: SendOptions.Priority) -> Bool {
        guard let terms = traffic.packing.terms else { return false }
        // One that is likely too large to go at all is not to be told that the outbox is full.
        let isLarge = weight >= configuration.largeValue && weight <= terms.limits.outgoingMessage
        return isLarge || traffic.packing.large.ahead.hold(outbound, priority)
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
            guard let isEnveloped = traffic.packing.arrivals.end(done.id.number) else { return }
            do throws(FlowViolation) {
                for arrival in try arrivals(of: result, isEnveloped: isEnveloped) {
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

    mutating func take(_ arrivals: [HeldArrivals.Arrival], on link: LinkID) {
        for arrival in arrivals { take(arrival, on: link) }
        noteParts()
    }

    private mutating func take(_ arrival: HeldArrivals.Arrival, on link: LinkID) {
        guard traffic.packing.arrivals.reading != nil, !isAhead(arrival) else {
            return begin(arrival, on: link)
        }
        traffic.packing.arrivals.append(arrival)
        guard traffic.packing.arrivals.isFull, case .open(let open) = state else { return }
        traffic.packing.arrivals.isPaused = true
        effects.append(.pauseReading(open.link))
    }

    /// Whether it is heard before what came earlier: it counts for nothing, and a pong's proof waits (`ponged`).
    private func isAhead(_ arrival: HeldArrivals.Arrival) -> Bool {
        guard case .heard(let heard) = arrival, heard.inbounds.count == 1 else { return false }
        switch heard.inbounds[0] {
        case .ping, .pong: return true
        case .flow(let frame):
            return frame.word == .ack || frame.word?.isStream == true && frame.word?.isCounted == false
        default: return false
        }
    }

    private mutating func begin(_ arrival: HeldArrivals.Arrival, on link: LinkID) {
        switch arrival {
        case .heard(let heard): hear(heard, on: link)
        case .large(let reading):
            let number = traffic.packing.nextWork()
            traffic.packing.arrivals.begin(number, reading)
            effects.append(
                .work(LargeWork(id: LargeWork.ID(link: link, number: number), job: .reading(reading))))
        case .fence(let limit):
            for owner in traffic.pending.clear(upTo: limit) { neverAnswered(owner) }
        case .ended(let end): ended(link, end)
        }
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
}

extension SenteError {
    /// The server closed two links in a row for a message.
    static func closedFor(_ outcome: Outcome) -> SenteError {
        let text = "The server closed the connection for it twice; it is not sent again."
        return SenteError(.connectionLost, text, outcome: outcome)
    }
}
