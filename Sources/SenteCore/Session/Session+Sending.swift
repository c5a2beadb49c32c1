// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What leaves over the open link: the outbox as the write window has room, and what keeps the link alive.
extension Session {
    /// Whether the link takes another application message.
    @inline(__always)
    var canTransmit: Bool {
        guard case .open = state, traffic.window.bytes < configuration.writeWindow,
            !traffic.packing.arrivals.isOver
        else { return false }
        return resumption?.isFull != true
    }

    /// Gives the link what the write window has room for.
    ///
    /// After a process has slept, what came is heard before the timers are: what had no time left meanwhile does not leave.
    mutating func drain() {
        endIfDeaf()
        guard case .open = state else { return }
        if !stored.isEmpty { sendStored() }
        guard !outbox.isEmpty || traffic.packing.isOn && hasMore else { return }
        guard !traffic.packing.isOn else { return drainPacking() }
        guard canTransmit, case .open(let open) = state else { return }
        while let item = outbox.popExpired(at: now.instant) { expired(item) }
        var batch: [Transmission] = []
        while canTransmit, let item = outbox.popNext() {
            if let deadline = calls[item.call]?.deadline, deadline <= now.instant {
                expired(item.call)
                continue
            }
            if mustAwaitParts(item.outbound) {
                outbox.putBack([Leaving(item)])
                break
            }
            if let transmission = transmission(item.outbound, for: item.call) { batch.append(transmission) }
        }
        if !batch.isEmpty { effects.append(.transmit(open.link, batch)) }
    }

    /// Whether something beside the outbox may have messages to send.
    private var hasMore: Bool { !streams.isEmpty || !traffic.packing.isIdle }

    /// A message that leaves is written, or its call hears why it cannot be.
    ///
    /// A reply that nobody awaits has its slot too: it must not go to a later call.
    mutating func transmission(_ outbound: Outbound, for call: CallID) -> Transmission? {
        do throws(SenteError) {
            let isAwaited = calls[call]?.purpose == .submit(.reply)
            let owner = isAwaited ? PendingReplies.Owner.call(call) : .nobody
            let (transmission, slot) =
                isPlain(call)
                ? try encode(outbound, for: call, owner: owner)
                : try encode(identified(outbound, for: call), for: call, owner: owner)
            left(outbound, call, slot, isAwaited: isAwaited)
            return transmission
        } catch {
            effects.append(.record(.dropped(reason: error.code)))
            // That the server owes too much passes, with this link at the latest.
            let isPassing = error.code == .busy && calls.messageID(of: call) != nil
            resolve(call, .failure(error.with(outcome: isPassing ? .unknown : .notSent)))
            return nil
        }
    }

    private mutating func left(
        _ outbound: Outbound, _ call: CallID, _ slot: PendingReplies.SlotKey?, isAwaited: Bool
    ) {
        // What this dialect does not answer, a publish, is done when it is written.
        if slot == nil, isAwaited { calls.awaitWritten(call) }
        calls.sent(call, isAwaited ? slot : nil, at: now.instant)
        if wants(.debug), case .answer(let id, _, let isError) = outbound.withoutHeaders {
            effects.append(.record(.responseSent(requestID: id, isError: isError, calls.trace(of: call))))
        }
    }

    /// The last of a message was handed to the link, which knows of it: now it has its slot and its number.
    mutating func handedOver(_ outbound: Outbound, bytes: Int, for call: CallID) {
        let isAwaited = calls[call]?.purpose == .submit(.reply)
        let slot = open(outbound, bytes: bytes, for: call, owner: isAwaited ? .call(call) : .nobody)
        left(outbound, call, slot, isAwaited: isAwaited)
    }

    /// The same over a link that takes more than plain messages: a part goes when 64 KiB of others have passed, or nothing else
    /// is there.
    private mutating func drainPacking() {
        guard !isDraining, case .open(let open) = state else { return }
        let link = open.link
        isDraining = true
        defer { isDraining = false }
        startWriting()
        while let item = outbox.popExpired(at: now.instant) { expired(item) }
        drainLanes(on: link)
        // What waited in the outbox has waited long enough. Some of it may go in parts, or wait behind what does: nothing may be
        // written whose end would have that looked at.
        while !isGathering, traffic.packing.held != nil {
            flushGathered(.idle)
            drainLanes(on: link)
        }
    }

    /// What the link has room for leaves, or is gathered.
    private mutating func drainLanes(on link: LinkID) {
        while canTransmit {
            if traffic.packing.isBulkDue, transmitBulk(on: link) { continue }
            if let item = outbox.popNext(behind: traffic.packing.large.ahead) {
                if let deadline = calls[item.call]?.deadline, deadline <= now.instant {
                    expired(item.call)
                    continue
                }
                var leaving = Leaving(item)
                leaving.outbound = identified(item.outbound, for: item.call)
                leave(leaving)
            } else if !transmitBulk(on: link) {
                break
            }
        }
    }

    /// A part of a message or a chunk of a stream goes, in turns; false when there is neither.
    private mutating func transmitBulk(on link: LinkID) -> Bool {
        guard !streams.isEmpty else { return transmitPart(on: link) }
        if traffic.packing.isStreamsTurn {
            return transmitChunk(on: link) || transmitPart(on: link)
        }
        return transmitPart(on: link) || transmitChunk(on: link)
    }

    /// Spells a message for the open link, and opens the slot that the server's reply to it fills, if it gives one.
    ///
    /// Everything that goes to a link goes through here, so that the window knows of it. Throws when dialect or format
    /// have no way to say it, or the server owes too many answers.
    mutating func encode(
        _ outbound: Outbound, for call: CallID? = nil, owner: PendingReplies.Owner = .nobody,
        isKeepAlive: Bool = false
    ) throws(SenteError) -> (transmission: Transmission, slot: PendingReplies.SlotKey?) {
        // What the app said before goes before.
        if !isKeepAlive { flushGathered(.urgent) }
        if let refusal = traffic.pending.refusal(of: outbound) { throw refusal }
        let message = try encoded(outbound)
        let transmission = noted(message, for: call, isKeepAlive: isKeepAlive)
        return (transmission, open(outbound, bytes: message.bytes.count, for: call, owner: owner))
    }

    /// The message that says it, to whoever speaks on the link.
    mutating func encoded(_ outbound: Outbound) throws(SenteError) -> Message {
        let moment = now
        guard let message = try coder?.encode(outbound, at: moment) else {
            throw SenteError(.notConnected, "No link speaks yet.", outcome: .notSent)
        }
        return message
    }

    /// Opens the slot for the reply to a message that has been handed to the link, and keeps what may have to go again.
    private mutating func open(
        _ outbound: Outbound, bytes: Int, for call: CallID?, owner: PendingReplies.Owner
    ) -> PendingReplies.SlotKey? {
        let slot = outbound.correlation(in: capabilities).map {
            traffic.pending.add($0, marks: outbound.marks(in: capabilities), owner: owner, at: now.instant)
        }
        if resumption != nil, outbound.isCounted {
            resumption?.keep(Resumption.Kept(outbound: outbound, bytes: bytes, call: call, slot: slot))
        }
        return slot
    }

    /// A message for the open link, of which the window knows.
    mutating func noted(_ message: Message, for call: CallID?, isKeepAlive: Bool) -> Transmission {
        numbers.send += 1
        let id = SendID(numbers.send)
        traffic.window.add(id, bytes: message.bytes.count, call: call, isKeepAlive: isKeepAlive)
        return Transmission(id, message)
    }

    mutating func wrote(_ link: LinkID, _ ids: [SendID]) {
        guard isCurrent(link) else { return }
        for id in ids {
            while let written = traffic.window.popWritten(upTo: id) {
                guard let call = written.call, calls[call]?.purpose.endsWritten == true else { continue }
                // A durable message is done when the server has it, where the server says so, or may yet.
                if resumption != nil, calls.messageID(of: call) != nil { continue }
                resolve(call, .success(.written))
            }
        }
        drain()
    }

    // MARK: Pings and pongs

    /// Asks for a sign of life.
    mutating func probe(_ link: LinkID, by ping: KeepAlive.Ping) {
        guard ping == .dialect else { return effects.append(.pingLink(link)) }
        let stamp = nextStamp()
        addPing(stamp)
        keepAlive(.ping(stamp: stamp), on: link)
    }

    mutating func ping(_ call: CallID) {
        guard case .open(let open) = state else {
            let error = SenteError(.notConnected, "Only an open connection can be pinged.")
            return resolve(call, .failure(error))
        }
        let stamp = nextStamp()
        addPing(stamp, for: call)
        calls.add(
            call,
            Call(
                purpose: .ping(stamp: stamp), phase: .sent(nil),
                deadline: now.instant.advanced(by: configuration.times.request)))
        keepAlive(.ping(stamp: stamp), on: open.link)
    }

    private mutating func addPing(_ stamp: Int64, for call: CallID? = nil, isFence: Bool = false) {
        let limit = traffic.packing.large.provenUpTo
        traffic.pending.addPing(
            stamp: stamp, for: call, isFence: isFence, provingUpTo: limit, at: now.instant)
    }

    static let maximumUnwrittenPongs = 1_024

    /// Answers a server's ping at once, ahead of any queue.
    ///
    /// A server that reads none of so many answers needs no more of them.
    mutating func pong(_ stamp: Int64?, to link: LinkID) {
        guard traffic.window.keepAlives < Self.maximumUnwrittenPongs else { return ignore(.surplusPing) }
        keepAlive(.pong(original: stamp), on: link)
    }

    @discardableResult
    mutating func sendFence(on link: LinkID) -> Int64 {
        let stamp = nextStamp()
        addPing(stamp, isFence: true)
        keepAlive(.ping(stamp: stamp), on: link)
        return stamp
    }

    /// Every format can say what keeps a link alive; one of the app's own that cannot is found out by silence.
    private mutating func keepAlive(_ outbound: Outbound, on link: LinkID) {
        guard !traffic.packing.arrivals.isOver else { return }
        do throws(SenteError) {
            effects.append(.transmit(link, [try encode(outbound, isKeepAlive: true).transmission]))
        } catch {
            effects.append(.record(.dropped(reason: error.code)))
        }
    }
}
