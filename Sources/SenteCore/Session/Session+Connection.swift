// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Attempts, greetings, ends and retries.
extension Session {
    // MARK: What the app wants

    mutating func connect(_ call: CallID, _ limit: Duration?, at now: Moment, into effects: inout [Effect]) {
        let waits = Call(
            purpose: .connect, phase: .waiting, deadline: limit.map { now.instant.advanced(by: $0) })
        switch state {
        case .open:
            effects.append(.resolve(call, .success(.done)))
        case .connecting, .reconnecting:
            calls.add(call, waits)
        case .closing(var closing):
            calls.add(call, waits)
            closing.connectsAgain = true
            state = .closing(closing)
        case .closed, .failed:
            calls.add(call, waits)
            backoff.reset()
            startAttempt(at: now, into: &effects)
        }
    }

    mutating func disconnect(_ call: CallID, at now: Moment, into effects: inout [Effect]) {
        let error = SenteError(.disconnected, "disconnect() was called.")
        switch state {
        case .closing(var closing):
            closing.waiters.append(call)
            closing.connectsAgain = false
            state = .closing(closing)
            giveUpWaiting(error, into: &effects)
        case .connecting(let attempt):
            cancel(attempt.asks, into: &effects)
            if let link = attempt.link, attempt.isUpgraded {
                close(link, [call], error, at: now, into: &effects)
            } else {
                if let link = attempt.link { effects.append(.abandonLink(link)) }
                closeAtOnce(call, error, into: &effects)
            }
        case .open(let open):
            backoff.reset()
            // A link that reads nothing would not see the peer's close frame.
            if open.pausedUntil != nil { effects.append(.resumeReading(open.link)) }
            close(open.link, [call], error, at: now, into: &effects)
        case .reconnecting(let waiting):
            if let ask = waiting.ask { effects.append(.cancelAsk(ask)) }
            closeAtOnce(call, error, into: &effects)
        case .closed, .failed:
            closeAtOnce(call, error, into: &effects)
        }
    }

    mutating func reconnect(at now: Moment, into effects: inout [Effect]) {
        switch state {
        case .connecting: break
        case .closing(var closing):
            closing.connectsAgain = true
            state = .closing(closing)
        case .closed, .failed:
            backoff.reset()
            startAttempt(at: now, into: &effects)
        case .reconnecting(let waiting):
            if let ask = waiting.ask { effects.append(.cancelAsk(ask)) }
            startAttempt(at: now, into: &effects)
        case .open(let open):
            let error = SenteError.replacedByReconnect
            if open.pausedUntil != nil { effects.append(.resumeReading(open.link)) }
            effects.append(.closeLink(open.link, .normal, reason: ""))
            backoff.linkEnded(openedAt: open.since, at: now.instant)
            status.lastError = error
            effects.append(.record(.linkEnded(nil)))
            move(to: .reconnecting(Waiting(until: now.instant)), into: &effects)
            endLink(error, into: &effects)
            startAttempt(at: now, into: &effects)
        }
    }

    mutating func breakLink(at now: Moment, into effects: inout [Effect]) {
        guard case .open(let open) = state else { return }
        if open.pausedUntil != nil { effects.append(.resumeReading(open.link)) }
        let close = ConnectionStatus.Close.brokenOnPurpose
        effects.append(.closeLink(open.link, close.code, reason: close.reason))
        lose(open, .brokenOnPurpose, at: now, into: &effects)
    }

    // MARK: What the network does

    mutating func pathChanged(_ change: NetworkChange, at now: Moment, into effects: inout [Effect]) {
        switch state {
        case .connecting, .open, .reconnecting:
            guard let counted = pathChanges.noticed(change, at: now.instant) else { return }
            follow(counted, at: now, into: &effects)
        case .closed, .closing, .failed: break
        }
    }

    /// Asks an open link for a sign of life; cuts a wait short if there may be a way.
    mutating func follow(_ change: NetworkChange, at now: Moment, into effects: inout [Effect]) {
        switch state {
        case .open(let open):
            if traffic.keepAlive?.probeNow(at: now.instant) == true {
                probe(open.link, at: now, into: &effects)
            }
        case .reconnecting(let waiting):
            guard change == .available else { return }
            // Another network is no reason to come before the server's time.
            if let notBefore = waiting.notBefore, notBefore > now.instant { return }
            if let ask = waiting.ask { effects.append(.cancelAsk(ask)) }
            startAttempt(at: now, into: &effects)
        case .closed, .connecting, .closing, .failed: break
        }
    }

    private mutating func close(
        _ link: LinkID, _ waiters: [CallID], _ error: SenteError, at now: Moment, into effects: inout [Effect]
    ) {
        effects.append(.closeLink(link, .normal, reason: ""))
        let deadline = now.instant.advanced(by: configuration.times.close)
        move(to: .closing(Closing(link: link, deadline: deadline, waiters: waiters)), into: &effects)
        endLink(error, into: &effects)
        giveUpWaiting(error, into: &effects)
    }

    private mutating func closeAtOnce(_ call: CallID, _ error: SenteError, into effects: inout [Effect]) {
        backoff.reset()
        move(to: .closed, into: &effects)
        giveUpWaiting(error, into: &effects)
        effects.append(.resolve(call, .success(.done)))
    }

    // MARK: Attempts

    private mutating func startAttempt(
        at now: Moment, withFreshToken: Bool = false, into effects: inout [Effect]
    ) {
        let limit = configuration.times.connect
        // The link gives up a little before the attempt: it knows better what it was waiting for.
        let opening = now.instant.advanced(by: limit - limit / 20)
        var attempt = Attempt(
            startedAt: now.instant, deadline: now.instant.advanced(by: limit),
            target: LinkTarget(deadline: opening))
        attempt.hasFreshToken = withFreshToken
        if !configuration.asksEndpoint {
            attempt.target.endpoint = withFreshToken ? endpoints.current : endpoints.next(using: &random)
        }
        var asks: [Ask] = []
        if configuration.asksEndpoint { asks.append(.endpoint) }
        let reason: AttemptReason = withFreshToken ? .refused : .connecting
        if configuration.asksToken { asks.append(.token(reason)) }
        if configuration.asksParameters { asks.append(.parameters(reason)) }
        status.attempt = backoff.retries + 1
        effects.append(.record(.attemptStarted))
        let questions = asks.map { (nextAsk(), $0) }
        attempt.asks = questions.map(\.0)
        move(to: .connecting(attempt), into: &effects)
        for (id, ask) in questions { effects.append(.ask(id, ask)) }
        openWhenAnswered(attempt, into: &effects)
    }

    private mutating func openWhenAnswered(_ attempt: Attempt, into effects: inout [Effect]) {
        var attempt = attempt
        if attempt.asks.isEmpty {
            numbers.link += 1
            let link = LinkID(numbers.link)
            attempt.link = link
            effects.append(.openLink(link, attempt.target))
        }
        state = .connecting(attempt)
    }

    private mutating func nextAsk() -> AskID {
        numbers.ask += 1
        return AskID(numbers.ask)
    }

    mutating func provided(_ ask: AskID, _ provision: Provision, at now: Moment, into effects: inout [Effect])
    {
        switch state {
        case .connecting(var attempt):
            guard let index = attempt.asks.firstIndex(of: ask) else { return }
            if case .delay = provision { return }
            attempt.asks.remove(at: index)
            switch provision {
            case .endpoint(let endpoint): attempt.target.endpoint = endpoint
            case .token(let token): attempt.target.token = token
            case .parameters(let parameters): attempt.target.parameters = parameters
            case .delay: break
            case .failed(let text):
                state = .connecting(attempt)
                let error = SenteError(
                    .providerFailed, "A provider of the configuration threw; the attempt was given up.",
                    underlying: text)
                return failAttempt(error, at: now, into: &effects)
            }
            openWhenAnswered(attempt, into: &effects)
        case .reconnecting(let waiting):
            guard waiting.ask == ask else { return }
            switch provision {
            case .delay(let delay?):
                wait(max(.zero, delay), notBefore: waiting.notBefore, at: now, into: &effects)
            case .delay(nil), .failed: giveUp(into: &effects)
            case .endpoint, .token, .parameters: break
            }
        case .closed, .open, .closing, .failed: break
        }
    }

    mutating func opened(_ link: LinkID) {
        guard case .connecting(var attempt) = state, attempt.link == link else { return }
        attempt.isUpgraded = true
        state = .connecting(attempt)
    }

    /// The greeting: wishes are written first, then the app is told, then the outbox drains.
    mutating func greeted(_ identity: Identity, by link: LinkID, at now: Moment, into effects: inout [Effect])
    {
        guard case .connecting(let attempt) = state else { return }
        let isReconnect = history.wasGreeted
        history.wasGreeted = true
        backoff.linkOpened()
        endpoints.succeeded()
        traffic = Traffic()
        traffic.keepAlive = configuration.heartbeat.map { KeepAlive($0, at: now.instant) }
        state = .open(Open(link: link, since: now.instant))
        let wishes = subscriptions.wished
        if !wishes.isEmpty { writeWishes(wishes, at: now, into: &effects) }
        note(identity, at: now)
        status.openedAt = now.instant
        status.lastError = nil
        move(to: state, into: &effects)
        let timeToOpen = attempt.startedAt.duration(to: now.instant)
        effects.append(.record(.opened(timeToOpen: timeToOpen, isReconnect: isReconnect)))
        for call in calls.all(where: { $0.purpose == .connect }) {
            resolve(call, .success(.done), into: &effects)
        }
        drain(at: now, into: &effects)
    }

    // MARK: Ends

    mutating func mismatched(
        _ link: LinkID, _ error: SenteError, at now: Moment, into effects: inout [Effect]
    ) {
        guard case .connecting(let attempt) = state, attempt.link == link else { return }
        effects.append(.closeLink(link, .unsupportedData, reason: "unknown dialect"))
        failAttempt(error, isMendable: false, at: now, into: &effects)
    }

    mutating func refused(_ link: LinkID, _ refusal: Refusal, at now: Moment, into effects: inout [Effect]) {
        guard case .connecting(let attempt) = state, attempt.link == link else { return }
        let verdict = RefusalVerdict(
            refusal, at: now, triesToken: configuration.asksCredentials && !attempt.hasFreshToken)
        switch verdict.remedy {
        case .freshToken:
            status.lastError = verdict.error
            effects.append(.record(.linkEnded(verdict.error)))
            startAttempt(at: now, withFreshToken: true, into: &effects)
        case .none:
            effects.append(.record(.linkEnded(verdict.error)))
            fail(verdict.error, into: &effects)
        case .retry(let atLeast):
            let notBefore = atLeast.map { now.instant.advanced(by: $0) }
            failAttempt(verdict.error, notBefore: notBefore, at: now, into: &effects)
        case .elsewhere: failAttempt(verdict.error, isMendable: false, at: now, into: &effects)
        }
    }

    mutating func ended(_ link: LinkID, _ end: LinkEnd, at now: Moment, into effects: inout [Effect]) {
        guard isCurrent(link) else { return }
        let (error, close, isMendable) = end.verdict
        status.lastClose = close ?? status.lastClose
        switch state {
        case .connecting:
            failAttempt(error, isMendable: isMendable, at: now, into: &effects)
        case .open(let open):
            lose(open, error, at: now, into: &effects)
        case .closing(let closing):
            finishClosing(closing, at: now, into: &effects)
        case .closed, .reconnecting, .failed: break
        }
    }

    /// An open link is gone, and not by our `disconnect()`.
    mutating func lose(_ open: Open, _ error: SenteError, at now: Moment, into effects: inout [Effect]) {
        backoff.linkEnded(openedAt: open.since, at: now.instant)
        status.lastError = error
        effects.append(.record(.linkEnded(error)))
        // The state first, here and everywhere: when a call hears of an end, the app sees it already.
        if case .never = configuration.reconnect.rule {
            move(to: .closed, into: &effects)
            endLink(error, into: &effects)
            giveUpWaiting(error, into: &effects)
        } else {
            retry(error, atCap: false, notBefore: nil, at: now, into: &effects)
            endLink(error, into: &effects)
        }
    }

    private mutating func finishClosing(_ closing: Closing, at now: Moment, into effects: inout [Effect]) {
        effects.append(.record(.linkEnded(nil)))
        move(to: .closed, into: &effects)
        for call in closing.waiters { effects.append(.resolve(call, .success(.done))) }
        if closing.connectsAgain {
            backoff.reset()
            startAttempt(at: now, into: &effects)
        }
    }

    /// The attempt came to nothing.
    ///
    /// `isMendable` tells whether trying the same again can help.
    private mutating func failAttempt(
        _ error: SenteError, isMendable: Bool = true, notBefore: Instant? = nil, at now: Moment,
        into effects: inout [Effect]
    ) {
        guard case .connecting(let attempt) = state else { return }
        cancel(attempt.asks, into: &effects)
        effects.append(.record(.linkEnded(error)))
        status.lastError = error
        // What one endpoint cannot mend another may not have.
        endpoints.failed(isMendable: isMendable)
        let isHopeless = endpoints.isHopeless
        if isHopeless, !history.wasGreeted { return fail(error, into: &effects) }
        retry(error, atCap: isHopeless, notBefore: notBefore, at: now, into: &effects)
    }

    private mutating func retry(
        _ error: SenteError, atCap: Bool, notBefore: Instant?, at now: Moment, into effects: inout [Effect]
    ) {
        switch backoff.next(at: now.instant, atCap: atCap, error: error, using: &random) {
        case .after(let delay): wait(delay, notBefore: notBefore, at: now, into: &effects)
        case .giveUp:
            // No way leads from open to failed but this one.
            if case .open = state {
                move(to: .reconnecting(Waiting(until: now.instant)), into: &effects)
            }
            giveUp(into: &effects)
        case .ask(let context):
            let ask = nextAsk()
            status.attempt = backoff.retries + 1
            let until = now.instant.advanced(by: Self.policyLimit)
            move(
                to: .reconnecting(Waiting(until: until, notBefore: notBefore, ask: ask)), into: &effects)
            effects.append(.ask(ask, .delay(context)))
        }
    }

    /// How long a custom policy may think.
    private static let policyLimit: Duration = .seconds(10)

    private mutating func wait(
        _ delay: Duration, notBefore: Instant?, at now: Moment, into effects: inout [Effect]
    ) {
        // Behind what the server asked for, not beside it: else all whom it told the same would be back at once.
        let until = max(now.instant, notBefore ?? .distantPast).advanced(by: delay)
        status.attempt = backoff.retries + 1
        status.retryAt = until
        move(to: .reconnecting(Waiting(until: until, notBefore: notBefore)), into: &effects)
    }

    private mutating func giveUp(into effects: inout [Effect]) {
        fail(status.lastError ?? SenteError(.unreachable, "The reconnect policy gave up."), into: &effects)
    }

    private mutating func fail(_ error: SenteError, into effects: inout [Effect]) {
        status.lastError = error
        move(to: .failed(error), into: &effects)
        giveUpWaiting(error, into: &effects)
    }

    private func cancel(_ asks: [AskID], into effects: inout [Effect]) {
        for ask in asks { effects.append(.cancelAsk(ask)) }
    }

    // MARK: Time

    mutating func expireState(at now: Moment, into effects: inout [Effect]) {
        switch state {
        case .closed, .failed: break
        case .connecting(let attempt): expireAttempt(attempt, at: now, into: &effects)
        case .open(let open): expireOpen(open, at: now, into: &effects)
        case .closing(let closing):
            effects.append(.abandonLink(closing.link))
            finishClosing(closing, at: now, into: &effects)
        case .reconnecting(let waiting):
            if let ask = waiting.ask {
                effects.append(.cancelAsk(ask))
                giveUp(into: &effects)
            } else {
                startAttempt(at: now, into: &effects)
            }
        }
    }

    private mutating func expireAttempt(_ attempt: Attempt, at now: Moment, into effects: inout [Effect]) {
        let limit = configuration.times.connect
        let stage: String
        if let link = attempt.link {
            effects.append(.abandonLink(link))
            stage =
                attempt.isUpgraded
                ? "The server took the connection but did not greet within \(limit)."
                : "The server did not take the connection within \(limit)."
        } else {
            stage = "A provider of the configuration did not answer within \(limit)."
        }
        failAttempt(SenteError(.timedOut, stage), at: now, into: &effects)
    }

    private mutating func expireOpen(_ open: Open, at now: Moment, into effects: inout [Effect]) {
        if let until = open.pausedUntil, until <= now.instant {
            let missed = inboxes.dropExcess()
            if missed > 0 { effects.append(.record(.missed(missed))) }
            return resumeReading(at: now, into: &effects)
        }
        switch traffic.keepAlive?.check(at: now.instant) {
        case .fine?, nil: break
        case .probe?: probe(open.link, at: now, into: &effects)
        case .dead?:
            effects.append(.abandonLink(open.link))
            let silence = traffic.keepAlive?.silence(at: now.instant) ?? .zero
            let text = "Nothing came from the server for \(silence), not even an answer to a ping."
            status.lastClose = ConnectionStatus.Close(code: .abnormal, reason: "")
            lose(open, SenteError(.silent, text), at: now, into: &effects)
        }
    }
}

extension SenteError {
    static let replacedByReconnect = SenteError(.connectionLost, "reconnect() replaced the connection.")
    static let brokenOnPurpose = SenteError(.connectionLost, "breakConnection() broke the connection.")
}

extension ConnectionStatus.Close {
    /// As `chsk-break-connection!` of sente.cljc closes.
    static let brokenOnPurpose = ConnectionStatus.Close(
        code: CloseCode(rawValue: 3_000), reason: "CLOSE_ABNORMAL")
}
