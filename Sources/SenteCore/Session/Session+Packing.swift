// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// How messages leave over a link that takes more than plain ones: together, compressed, in parts.
extension Session {
    /// The largest message that may go, where that is more than plain ones may have; else 0.
    package var largestMessage: Int {
        if let terms = traffic.packing.terms { return terms.limits.outgoingMessage }
        guard let flow = traffic.flow else { return 0 }
        return flow.deadline != nil && flow.offered.chunking
            ? configuration.flow.chunking?.largestMessage ?? 0 : 0
    }

    /// Whether a message is too large to go plain, and the server may yet agree to parts.
    func mustAwaitParts(_ outbound: Outbound) -> Bool {
        guard let flow = traffic.flow, flow.deadline != nil, flow.offered.chunking, let coder else {
            return false
        }
        return outbound.weight > coder.sizes.outgoingMessage
    }

    // MARK: Together

    /// Several messages come in one turn: they wait for one another.
    package mutating func beginGathering() {
        earliest = nil
        isGathering = traffic.packing.isOn
    }

    /// The turn is over.
    package mutating func endGathering(at now: Moment, into effects: inout [Effect]) {
        guard isGathering else { return }
        isGathering = false
        accept(.gathered, at: now, into: &effects)
    }

    /// What came in this turn goes, unless it may wait for more.
    mutating func gathered(_ reason: FlushReason = .idle) {
        guard let held = traffic.packing.held, held.until <= now.instant else { return }
        flushGathered(reason)
    }

    mutating func flushGathered(_ reason: FlushReason) {
        guard traffic.packing.held != nil else { return }
        let instant = now.instant
        let batches = traffic.packing.flush(reason, at: instant)
        noteWait()
        for batch in batches { transmit(batch) }
    }

    /// A message that the link has room for, and nothing is before, leaves or waits for company.
    mutating func leave(
        _ outbound: Outbound, weighing weight: Int, _ options: SendOptions, for call: CallID, on link: LinkID
    ) {
        // Most go at once, and need not be copied to be kept.
        var parts: Folded?
        let isAlone = !isGathering && !isDraining && traffic.packing.isAlone
        if isAlone, weight < configuration.largeValue {
            parts = transmit(outbound, for: call, on: link)
            if parts == nil { return }
        }
        let leaving = Leaving(
            call: call, outbound: outbound, priority: options.priority, weight: weight, queuedAt: now.instant)
        if let parts { begin(leaving, parts) } else { leave(leaving) }
    }

    /// A message of the outbox that the link has room for leaves, or waits for company.
    mutating func leave(_ message: consuming Leaving) {
        let holds = isGathering || isDraining
        if let deadline = calls[message.call]?.deadline,
            now.instant.duration(to: deadline) < Self.shortTime
        {
            message.isHurried = true
        }
        let message = consume message
        let instant = now.instant
        let batches = traffic.packing.gather(message, holds: holds, at: instant)
        guard !batches.isEmpty else { return }
        noteWait()
        inOrder { session in for batch in batches { session.transmit(batch) } }
    }

    private mutating func noteWait() {
        if let wait = traffic.packing.takeWaited() { effects.append(.record(.flow(.lingered(wait)))) }
    }

    /// What waits in the outbox came later than all of these: it leaves behind the last of them.
    private mutating func inOrder(_ body: (inout Session) -> Void) {
        let wasDraining = isDraining
        isDraining = true
        body(&self)
        isDraining = wasDraining
        drain()
    }

    /// A call that has less time than this waits for no company.
    private static let shortTime: Duration = .milliseconds(100)

    private mutating func transmit(_ batch: BatchGathering<Leaving>.Batch) {
        // Behind all of the batch, not between its messages.
        defer { outbox.setAside(traffic.packing.takeOvertaking()) }
        let messages = batch.items.filter { isAwaited($0.call) }
        guard case .open(let open) = state, let first = messages.first else { return }
        guard messages.count > 1 else { return transmit(first) }
        guard let (message, values) = together(messages) else {
            return inOrder { session in for message in messages { session.transmit(message) } }
        }
        let transmission = noted(message, for: messages[0].call, isKeepAlive: false)
        for (index, message) in messages.enumerated() {
            if index > 0 { traffic.window.add(transmission.id, bytes: 0, call: message.call) }
            handedOver(message.outbound, bytes: values[index], for: message.call)
        }
        traffic.packing.passed(message.bytes.count)
        effects.append(.transmit(open.link, [transmission]))
        effects.append(.record(.flow(.batched(messages: messages.count, reason: batch.reason))))
    }

    /// Several messages as one, and how many bytes each would weigh; nil when one of them cannot be said.
    private mutating func together(_ messages: [Leaving]) -> (Message, sizes: [Int])? {
        do throws(SenteError) {
            guard let coder else { return nil }
            var values: [Value] = []
            for message in messages {
                if let refusal = traffic.pending.refusal(of: message.outbound) { throw refusal }
                try coder.dialect.check(arguments: message.outbound)
                values.append(try coder.spell(message.outbound, at: now))
            }
            let value = try coder.spell(.flow(.batch(values)), at: now)
            let whole = try coder.format.message(of: value, limits: coder.sizes)
            let (packed, compressed, time) = traffic.packing.pack(whole, of: nil)
            note(compressed, time)
            switch packed {
            case .plain(let message): return (message, messages.map(\.weight))
            case .compressed(let envelope): return (try spelled(envelope), messages.map(\.weight))
            case .parts: return nil
            }
        } catch {
            return nil
        }
    }

    /// A message leaves alone, unless it has to be written first or waits for another.
    mutating func transmit(_ leaving: Leaving) {
        guard case .open(let open) = state else { return }
        if traffic.packing.large.ahead.hold(leaving.outbound, leaving.weight, leaving.priority) {
            return outbox.setAside([leaving])
        }
        if leaving.weight >= configuration.largeValue, traffic.pending.refusal(of: leaving.outbound) == nil {
            return write(leaving)
        }
        if let parts = transmit(leaving.outbound, for: leaving.call, on: open.link) { begin(leaving, parts) }
    }

    /// A message leaves in its shape; nil, or what is to go in parts.
    private mutating func transmit(_ outbound: Outbound, for call: CallID, on link: LinkID) -> Folded? {
        do throws(SenteError) {
            if let refusal = traffic.pending.refusal(of: outbound) { throw refusal }
            switch try packed(outbound) {
            case .plain(let message): transmit(message, of: outbound, for: call, on: link)
            case .compressed(let envelope):
                transmit(try spelled(envelope), of: outbound, for: call, on: link)
            case .parts(let folded): return folded
            }
        } catch {
            couldNotLeave(call, error)
        }
        return nil
    }

    /// A message goes as one.
    mutating func transmit(_ message: Message, of outbound: Outbound, for call: CallID, on link: LinkID) {
        let size = message.bytes.count
        traffic.packing.passed(size)
        effects.append(.transmit(link, [noted(message, for: call, isKeepAlive: false)]))
        handedOver(outbound, bytes: size, for: call)
    }

    /// A message goes in parts, and takes its room until the last.
    mutating func begin(_ leaving: Leaving, _ folded: Folded) {
        outbox.keepRoom(for: leaving)
        traffic.packing.begin(leaving, folded, size: folded.bytes.count)
        drain()
    }

    /// A message cannot be said, or there is no room for its answer.
    mutating func couldNotLeave(_ call: CallID, _ error: SenteError) {
        effects.append(.record(.dropped(reason: error.code)))
        resolve(call, .failure(error.with(outcome: .notSent)))
    }

    private mutating func packed(_ outbound: Outbound) throws(SenteError) -> Packing.Packed {
        let (packed, compressed, time) = traffic.packing.pack(try encoded(outbound), of: outbound)
        note(compressed, time)
        return packed
    }

    mutating func note(_ compressed: Packing.Compressed, _ time: Duration) {
        if compressed != .off { effects.append(.record(.flow(.compressed(compressed, time)))) }
    }

    /// An envelope as a message: bytes where both ends take those, else a flow word.
    func spelled(_ envelope: Envelope) throws(SenteError) -> Message {
        if traffic.packing.terms?.takesBinary == true, let bytes = envelope.binary { return .binary(bytes) }
        let writesBytes = traffic.packing.terms?.format.writesBytes == true
        return try spelled(.envelope(envelope, writesBytes: writesBytes))
    }

    /// A word that carries bytes.
    func spelled(_ word: FlowOutbound) throws(SenteError) -> Message {
        guard let coder else {
            throw SenteError(.notConnected, "No link speaks yet.", outcome: .notSent)
        }
        // Base64 makes a part a third larger than the limit of a small message may be.
        var limits = coder.sizes
        limits.outgoingMessage = .max
        return try coder.format.message(of: coder.spell(.flow(word), at: now), limits: limits)
    }

    // MARK: In parts

    /// The next part of a message goes; false when there is none.
    mutating func transmitPart(on link: LinkID) -> Bool {
        guard let part = traffic.packing.large.nextPart() else { return false }
        traffic.packing.bulkWent()
        let call = part.message.call
        do throws(SenteError) {
            var transmissions: [Transmission] = []
            for (index, envelope) in part.envelopes.enumerated() {
                let isEnd = part.isLast && index == part.envelopes.count - 1
                transmissions.append(
                    noted(try spelled(envelope), for: isEnd ? call : nil, isKeepAlive: false))
            }
            effects.append(.transmit(link, transmissions))
            effects.append(.record(.flow(.partsSent(1))))
        } catch {
            _ = traffic.packing.large.giveUp(call)
            couldNotLeave(call, error)
            endLarge(call)
            return true
        }
        guard part.isLast else { return true }
        if traffic.packing.terms?.features.acknowledgesChunks == true {
            let slot = traffic.pending.lastSlot
            let isAnsweredInOrder = part.message.outbound.correlation(in: capabilities)?.isNext == true
            traffic.packing.large.awaitHearing(
                of: part.message, part.number, behind: slot, isAnsweredInOrder: isAnsweredInOrder)
        }
        handedOver(part.message.outbound, bytes: part.size, for: call)
        effects.append(.record(.flow(.chunked)))
        if traffic.packing.large.isNotHeard {
            violated("It does not say which messages in parts it has heard.", on: link)
        }
        endLarge(call)
        return true
    }

    /// A large message has left, or goes no further: what waited behind it leaves, or waits behind another.
    mutating func endLarge(_ call: CallID) {
        outbox.giveRoom(of: call)
        outbox.endAside()
        drain()
    }

    /// The call of a large message that is leaving waits no more: where parts of it have left, the server is told that the rest stays
    /// away.
    mutating func stopLarge(_ call: CallID) {
        guard let givenUp = traffic.packing.large.giveUp(call) else { return }
        if case .inParts(let number) = givenUp, case .open(let open) = state,
            let message = try? spelled(.abort(number))
        {
            effects.append(.transmit(open.link, [noted(message, for: nil, isKeepAlive: false)]))
        }
        endLarge(call)
    }

    /// A message in the shape that it leaves in; nil for one that goes in parts.
    mutating func whole(_ outbound: Outbound) throws(SenteError) -> Message? {
        guard traffic.packing.isOn, outbound != .flow(.skip) else { return try encoded(outbound) }
        switch try packed(outbound) {
        case .plain(let message): return message
        case .compressed(let envelope): return try spelled(envelope)
        case .parts: return nil
        }
    }

    /// What has not left whole waits for the next link.
    mutating func takeBack() {
        let messages = traffic.packing.takeBack()
        outbox.endAside()
        for message in messages where !isAwaited(message.call) { outbox.giveRoom(of: message.call) }
        outbox.putBack(messages.filter { isAwaited($0.call) })
    }

    /// Whether a message's call is one of our own, or waits still.
    func isAwaited(_ call: CallID) -> Bool {
        call.number >= numbers.internalCall || calls[call] != nil
    }
}
