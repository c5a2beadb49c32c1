// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What an app calls, and what became of each call.
extension Session {
    mutating func submit(_ call: CallID, _ submission: consuming Submission) {
        endIfDeaf()
        if submission.outbound.isStored { return store(call, submission) }
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
        name(&submission)
        if !largeData.isEmpty, waitsForStorage(submission.outbound, submission.options, for: call) { return }
        queue(submission.outbound, weighing: submission.weight, submission.options, for: call)
    }

    /// What awaits a reply gets the id that the reply is to carry.
    mutating func name(_ submission: inout Submission) {
        guard case .event(let event, nil) = submission.outbound, submission.awaited == .reply else { return }
        let callback = callbacks.next(using: &random)
        submission.outbound = .event(event, callback: callback)
        submission.weight += callback.utf8.count
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
        let call = numbers.makeInternalCall()
        if let inbox { calls.add(call, Call(purpose: .answer(inbox), phase: .queued)) }
        if inbox != nil, let trace { calls.setTrace(trace, of: call) }
        let answer = Outbound.answer(requestID: id, data: data, isError: isError)
        queue(answer.headed(by: options.headers), options, for: call)
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

    mutating func queue(
        _ outbound: Outbound, weighing weight: Int? = nil, _ options: SendOptions, for call: CallID
    ) {
        // What can leave at once never waits, and the bounds are for what waits.
        let weight = traffic.packing.isOn ? weight ?? outbound.weight : 0
        let isHeld = weight > 0 && mustWait(outbound, weighing: weight, options.priority)
        if case .open(let open) = state, outbox.isEmpty, canTransmit, !mustAwaitParts(outbound), !isHeld {
            if options.durable { outbox.keep(outbound, for: call, options, at: now.instant) }
            if traffic.packing.isOn {
                return isPlain(call)
                    ? leave(outbound, weighing: weight, options, for: call, on: open.link)
                    : leave(
                        identified(outbound, for: call), weighing: weight, options, for: call, on: open.link)
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

    mutating func drop(_ call: CallID, _ code: SenteError.Code) {
        effects.append(.record(.dropped(reason: code)))
        resolve(call, .failure(configuration.outbox.error(code)))
    }

    mutating func expired(_ item: Outbox.Item) {
        drop(item.call, .expired)
    }

    // MARK: Ends of calls

    /// The one place where a call ends.
    mutating func resolve(_ call: CallID, _ result: consuming Result<Answer, SenteError>) {
        let result = consume result
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
        effects.append(.resolve(call, consume result))
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
        case .unsubscribe, .ping, .submit, .store, .answer, .fetch, .leave:
            let text = "No answer came within the call's time limit."
            abandon(call, known, SenteError(.timedOut, text))
        }
    }

    /// Ends a call from this side: out of the outbox if it is still there, else its slot stays behind a fence.
    private mutating func abandon(_ call: CallID, _ known: Call, _ error: SenteError) {
        if known.purpose == .store { return giveUpStored(call, error) }
        switch known.phase {
        case .waiting:
            if known.purpose == .fetch { stopFetching(call) }
            resolve(call, .failure(error))
        case .queued where outbox.hasLeft(call):
            resolve(call, .failure(error.with(outcome: .unknown)))
        case .queued:
            if outbox.remove(call) == nil, !stopStoring(call) { stopLarge(call) }
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
    mutating func endIfDeaf() {
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
        stored.linkEnded()
        pauseFollowing()
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
        outbox.endRepeats()
        blameParts()
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
            case .unsubscribe, .leave:
                // A link that is gone has no subscriptions.
                resolve(call, .success(.done))
            case .connect, .subscribe, .ping, .answer, .fetch, .drain, .store:
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
        emptyStored(error)
        for call in calls.all(where: { $0.purpose == .connect }) {
            resolve(call, .failure(error))
        }
    }

    private mutating func emptyOutbox(_ error: SenteError) {
        takeBack()
        emptyLargeSends(error)
        while let item = outbox.popOldest() {
            effects.append(.record(.dropped(reason: error.code)))
            resolve(item.call, .failure(error.with(outcome: .notSent)))
        }
        leaveDurables(error)
    }
}

extension Session.Numbers {
    /// A call that no call of the app stands behind.
    mutating func makeInternalCall() -> CallID {
        internalCall -= 1
        return CallID(internalCall)
    }
}
