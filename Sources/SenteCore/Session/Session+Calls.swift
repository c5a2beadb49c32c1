// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The outbox, the replies, and what became of each call.
extension Session {
    mutating func submit(_ call: CallID, _ submission: Submission) {
        endIfDeaf()
        calls.add(
            call,
            Call(
                purpose: .submit(submission.awaited), phase: .queued,
                deadline: submission.limit.map { now.instant.advanced(by: $0) },
                answerLimit: submission.answerLimit))
        if let id = submission.id { calls.outlive(call, as: id) }
        if let trace = submission.trace { calls.setTrace(trace, of: call) }
        if let error = refusalToQueue() {
            return resolve(call, .failure(error))
        }
        queue(named(submission.outbound, submission.awaited), submission.options, for: call)
    }

    /// What awaits a reply gets the id that the reply is to carry.
    mutating func named(_ outbound: Outbound, _ awaited: Awaited) -> Outbound {
        guard case .event(let event, nil) = outbound, awaited == .reply else { return outbound }
        return .event(event, callback: callbacks.next(using: &random))
    }

    /// Sends the answer to a request; no call of the app stands behind it.
    mutating func answer(
        _ id: String, _ data: Value, isError: Bool, _ options: SendOptions = SendOptions(),
        from inbox: InboxID? = nil, _ trace: TraceContext? = nil
    ) {
        endIfDeaf()
        guard refusalToQueue() == nil else {
            return effects.append(.record(.dropped(reason: .notConnected)))
        }
        numbers.internalCall -= 1
        let call = CallID(numbers.internalCall)
        if let inbox { calls.add(call, Call(purpose: .answer(inbox), phase: .queued)) }
        if inbox != nil, let trace { calls.setTrace(trace, of: call) }
        queue(.answer(requestID: id, data: data, isError: isError), options, for: call)
    }

    /// Why nothing can be queued now, if so.
    func refusalToQueue() -> SenteError? {
        switch state {
        case .open: return nil
        case .connecting, .reconnecting:
            guard !configuration.outbox.waitsForConnection else { return nil }
            return SenteError(
                .notConnected, "The client is not open, and its outbox is off: wait for it to open.",
                outcome: .notSent)
        case .closed, .closing:
            return SenteError(
                .notConnected, "The client is \(state.name.rawValue): call connect() first.",
                outcome: .notSent)
        case .failed(let error):
            var error = SenteError(
                .notConnected, "The client gave up (\(error.message)): call connect() to try again.",
                outcome: .notSent)
            error.underlying = status.lastError?.underlying
            return error
        }
    }

    private mutating func queue(_ outbound: Outbound, _ options: SendOptions, for call: CallID) {
        // What can leave at once never waits, and the bounds are for what waits.
        let weight = traffic.flow?.packing == nil ? 0 : outbound.weight
        let isHeld = weight > 0 && mustWait(outbound, weighing: weight, options.priority)
        if case .open(let open) = state, outbox.isEmpty, canTransmit, !mustAwaitParts(outbound), !isHeld {
            if options.durable { outbox.keep(outbound, for: call, options, at: now.instant) }
            if traffic.flow?.packing != nil {
                return leave(
                    Leaving(
                        call: call, outbound: identified(outbound, for: call), priority: options.priority,
                        weight: weight, queuedAt: now.instant))
            }
            if let transmission = transmission(outbound, for: call) {
                effects.append(.transmit(open.link, [transmission]))
            }
            return
        }
        var dropped: [(CallID, SenteError.Code)] = []
        let insertion = outbox.insert(
            outbound, for: call, options, largest: largestMessage, at: now.instant, dropped: &dropped)
        if case .refused(let code) = insertion { dropped.append((call, code)) }
        for (call, code) in dropped { drop(call, code) }
        if isHeld { drain() }
    }

    private mutating func drop(_ call: CallID, _ code: SenteError.Code) {
        effects.append(.record(.dropped(reason: code)))
        resolve(call, .failure(configuration.outbox.error(code)))
    }

    mutating func expired(_ item: Outbox.Item) {
        drop(item.call, .expired)
    }

    // MARK: Out

    /// Whether the link takes another application message.
    @inline(__always)
    var canTransmit: Bool {
        guard case .open = state, traffic.window.bytes < configuration.writeWindow else { return false }
        return resumption?.isFull != true
    }

    /// Gives the link what the write window has room for.
    ///
    /// After a process has slept, what came is heard before the timers are: what had no time left meanwhile does not leave.
    mutating func drain() {
        endIfDeaf()
        guard case .open(let open) = state else { return }
        if traffic.flow?.packing != nil {
            let hasMore = streams.isEmpty ? traffic.flow?.packing?.isIdle == false : true
            if hasMore || !outbox.isEmpty { drainPacking(open.link) }
            return
        }
        guard !outbox.isEmpty, canTransmit else { return }
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

    /// A message that leaves is written, or its call hears why it cannot be.
    ///
    /// A reply that nobody awaits has its slot too: it must not go to a later call.
    private mutating func transmission(_ outbound: Outbound, for call: CallID) -> Transmission? {
        do throws(SenteError) {
            let isAwaited = calls[call]?.purpose == .submit(.reply)
            let (transmission, slot) = try encode(
                identified(outbound, for: call), for: call, owner: isAwaited ? .call(call) : .nobody)
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
        if case .answer(let id, _, let isError) = outbound, wants(.debug) {
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
    private mutating func drainPacking(_ link: LinkID) {
        guard !isDraining else { return }
        isDraining = true
        defer { isDraining = false }
        startWriting()
        while let item = outbox.popExpired(at: now.instant) { expired(item) }
        while canTransmit {
            if traffic.flow?.packing?.isBulkDue == true, transmitBulk(on: link) { continue }
            if let item = outbox.popNext(behind: traffic.flow?.packing?.ahead ?? []) {
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
        // What waited in the outbox has waited long enough.
        if !isGathering { flushGathered(.idle) }
    }

    /// A part of a message or a chunk of a stream goes, in turns; false when there is neither.
    private mutating func transmitBulk(on link: LinkID) -> Bool {
        guard !streams.isEmpty else { return transmitPart(on: link) }
        if traffic.flow?.packing?.isStreamsTurn == true {
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
        let moment = now
        guard let message = try coder?.coder.encode(outbound, at: moment) else {
            throw SenteError(.notConnected, "No link speaks yet.", outcome: .notSent)
        }
        let transmission = noted(message, for: call, isKeepAlive: isKeepAlive)
        return (transmission, open(outbound, bytes: message.bytes.count, for: call, owner: owner))
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
        var written: [CallID] = []
        for id in ids { traffic.window.wrote(id) { written.append($0) } }
        for call in written where calls[call]?.purpose.endsWritten == true {
            // A durable message is done when the server has it, where the server says so, or may yet.
            if resumption != nil, calls.messageID(of: call) != nil { continue }
            resolve(call, .success(.written))
        }
        drain()
    }

    // MARK: Pings and pongs

    /// Asks for a sign of life.
    mutating func probe(_ link: LinkID, by ping: KeepAlive.Ping) {
        guard ping == .dialect else { return effects.append(.pingLink(link)) }
        let stamp = nextStamp()
        traffic.pending.addPing(stamp: stamp, at: now.instant)
        keepAlive(.ping(stamp: stamp), on: link)
    }

    mutating func ping(_ call: CallID) {
        guard case .open(let open) = state else {
            let error = SenteError(.notConnected, "Only an open connection can be pinged.")
            return resolve(call, .failure(error))
        }
        let stamp = nextStamp()
        traffic.pending.addPing(stamp: stamp, for: call, at: now.instant)
        calls.add(
            call,
            Call(
                purpose: .ping(stamp: stamp), phase: .sent(nil),
                deadline: now.instant.advanced(by: configuration.times.request)))
        keepAlive(.ping(stamp: stamp), on: open.link)
    }

    private static let maximumUnwrittenPongs = 1_024

    /// Answers a server's ping at once, ahead of any queue.
    ///
    /// A server that reads none of so many answers needs no more of them.
    mutating func pong(_ stamp: Int64?, to link: LinkID) {
        guard traffic.window.keepAlives < Self.maximumUnwrittenPongs else { return ignore(.surplusPing) }
        keepAlive(.pong(original: stamp), on: link)
    }

    mutating func sendFence(on link: LinkID) {
        let stamp = nextStamp()
        traffic.pending.addPing(stamp: stamp, isFence: true, at: now.instant)
        keepAlive(.ping(stamp: stamp), on: link)
    }

    /// Every format can say what keeps a link alive; one of the app's own that cannot is found out by silence.
    private mutating func keepAlive(_ outbound: Outbound, on link: LinkID) {
        do throws(SenteError) {
            effects.append(.transmit(link, [try encode(outbound, isKeepAlive: true).transmission]))
        } catch {
            effects.append(.record(.dropped(reason: error.code)))
        }
    }

    // MARK: Ends of calls

    /// The one place where a call ends.
    mutating func resolve(_ call: CallID, _ result: Result<Answer, SenteError>) {
        let wasTold = calls.isTold(call)
        if let id = calls.messageID(of: call), result.settles {
            outbox.settle(call)
            effects.append(.settled(id, result))
        }
        if result.settles || calls.messageID(of: call) == nil { calls.remove(call) } else { calls.tell(call) }
        if let request = calls.takeName(of: call) {
            var code: SenteError.Code?
            if case .failure(let error) = result { code = error.code }
            let duration = request.sentAt.duration(to: now.instant)
            let signal = SessionSignal.requestEnded(id: request.id, duration, code, request.trace)
            if wants(signal.level) { effects.append(.record(signal)) }
        }
        // Messages of our own have no call to tell.
        guard call.number < numbers.internalCall else { return endDrains() }
        if wasTold { return }
        if case .failure(let error) = result { effects.append(.record(.failed(error.code))) }
        effects.append(.resolve(call, result))
    }

    mutating func settle(_ call: CallID, _ value: Value) {
        // What comes before the question left is no answer to it.
        guard let known = calls[call], known.purpose == .submit(.settlement), known.phase != .queued else {
            return
        }
        resolve(call, .success(.value(value)))
    }

    mutating func cancel(_ call: CallID) {
        guard let known = calls[call], !calls.isTold(call) else { return }
        let error = SenteError(.cancelled, "The call was cancelled.")
        abandon(call, known, error)
        guard case .subscribe(let channel, let inbox, let isScoped) = known.purpose else { return }
        subscriptions.removeWaiter(call, channel)
        if isScoped { return endScope(inbox) }
        closeInbox(inbox)
        if subscriptions.release(channel) { dropWish(channel) }
    }

    mutating func expired(_ call: CallID) {
        guard let known = calls[call] else { return }
        switch known.purpose {
        case .connect:
            let why = status.lastError.map { " The last attempt failed: \($0.message)" } ?? ""
            let text = "The connection did not open in time; the client goes on trying.\(why)"
            var error = status.lastError ?? SenteError(.timedOut, text)
            error.code = .timedOut
            error.message = text
            resolve(call, .failure(error))
        case .subscribe(let channel, _, _):
            subscriptions.removeWaiter(call, channel)
            // The fence's pong tells whether an answer may still come; if not, who asks again is written anew.
            if case .open(let open) = state, traffic.pending.isUnfenced {
                sendFence(on: open.link)
            }
            resolve(call, .success(.subscribed(subscriptions.status(of: channel) ?? .init())))
        case .drain: resolve(call, .success(.done))
        case .unsubscribe, .ping, .submit, .answer:
            let text = "No answer came within the call's time limit."
            abandon(call, known, SenteError(.timedOut, text))
        }
    }

    /// Ends a call from this side: out of the outbox if it is still there, else its slot stays behind a fence.
    private mutating func abandon(_ call: CallID, _ known: Call, _ error: SenteError) {
        switch known.phase {
        case .waiting:
            resolve(call, .failure(error))
        case .queued where outbox.hasLeft(call):
            resolve(call, .failure(error.with(outcome: .unknown)))
        case .queued:
            if outbox.remove(call) == nil { stopLarge(call) }
            effects.append(.record(.dropped(reason: error.code)))
            resolve(call, .failure(error.with(outcome: .notSent)))
        case .sent(let slot):
            if case .ping(let stamp) = known.purpose {
                traffic.pending.leavePing(stamp: stamp)
                return resolve(call, .failure(error))
            }
            // The slot of a durable message stays its own: a late answer is one too.
            let isDurable = calls.messageID(of: call) != nil
            let needsFence = isDurable || slot.map { traffic.pending.leave($0) } ?? false
            if case .open(let open) = state, slot != nil, needsFence {
                sendFence(on: open.link)
            }
            if !isDurable { resumption?.giveUp(call) }
            resolve(call, .failure(error.with(outcome: .unknown)))
        }
    }

    /// A server that answers neither calls nor fences is left, before its slots fill the memory.
    private mutating func endIfDeaf() {
        guard case .open(let open) = state, traffic.pending.abandoned > PendingReplies.maximumAbandoned else {
            return
        }
        closeLink(open.link)
        let text =
            "The server left \(traffic.pending.abandoned) messages unanswered, and the pings after them."
        lose(open, SenteError(.silent, text))
    }

    /// The link is over, and with it the session, unless that goes on over another link.
    mutating func endLink(_ error: SenteError) {
        let silence = traffic.keepAlive?.silence(at: now.instant) ?? .zero
        let heardAt = now.instant.advanced(by: .zero - silence)
        takeBack()
        unlinkStreams()
        if park(error, heardAt: heardAt) {
            if !configuration.outbox.waitsForConnection { emptyOutbox(error) }
        } else {
            endSession(error, heardAt: heardAt)
        }
    }

    /// The session is over: whatever was sent is unknown, whatever waited for a confirmation waits no more.
    mutating func endSession(_ error: SenteError, heardAt: Instant? = nil) {
        let heardAt = heardAt ?? resumption?.parking?.heardAt ?? now.instant
        takeBack()
        resumption = nil
        traffic = Traffic()
        let (changed, waiters) = subscriptions.linkEnded(heardAt: heardAt)
        for channel in changed {
            tell(channel, SubscriptionStatus())
        }
        for (call, channel) in waiters {
            resolve(call, .success(.subscribed(subscriptions.status(of: channel) ?? .init())))
        }
        takeBackDurables()
        if !configuration.outbox.waitsForConnection { emptyOutbox(error) }
        for call in calls.all(where: { if case .sent = $0.phase { true } else { false } }) {
            guard let known = calls[call] else { continue }
            switch known.purpose {
            case .unsubscribe:
                // A link that is gone has no subscriptions.
                resolve(call, .success(.done))
            case .connect, .subscribe, .ping, .answer, .drain:
                resolve(call, .failure(error))
            case .submit:
                resolve(call, .failure(lost(error)))
            }
        }
    }

    private func lost(_ error: SenteError) -> SenteError {
        var lost = error.with(outcome: .unknown)
        if error.code != .disconnected {
            lost.code = .connectionLost
            lost.message = "The connection was lost before the answer came. \(error.message)"
        }
        return lost
    }

    /// Nothing will be sent any more: the outbox empties, and who waits for a connection is told.
    mutating func giveUpWaiting(_ error: SenteError) {
        if resumption?.parking != nil { endSession(error) }
        cancelStreams()
        emptyOutbox(error)
        for call in calls.all(where: { $0.purpose == .connect }) {
            resolve(call, .failure(error))
        }
    }

    private mutating func emptyOutbox(_ error: SenteError) {
        takeBack()
        while let item = outbox.popOldest() {
            effects.append(.record(.dropped(reason: error.code)))
            resolve(item.call, .failure(error.with(outcome: .notSent)))
        }
        leaveDurables(error)
    }
}
