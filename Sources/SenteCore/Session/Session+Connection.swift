// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Attempts, greetings, ends and retries.
extension Session {
    // MARK: What the app wants

    mutating func connect(_ call: CallID, _ limit: Duration?) {
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
            startAnew()
        }
    }

    mutating func disconnect(_ call: CallID) {
        let error = SenteError(.disconnected, "disconnect() was called.")
        dropArrivals()
        switch state {
        case .closing(var closing):
            closing.waiters.append(call)
            closing.connectsAgain = false
            state = .closing(closing)
            giveUpWaiting(error)
        case .connecting(let attempt):
            cancel(attempt.asks)
            if let link = attempt.link, attempt.isUpgraded {
                close(link, [call], error)
            } else {
                if let link = attempt.link { effects.append(.abandonLink(link)) }
                closeAtOnce(call, error)
            }
        case .open(let open):
            backoff.reset()
            close(open.link, [call], error)
        case .reconnecting(let waiting):
            if let ask = waiting.ask { effects.append(.cancelAsk(ask)) }
            closeAtOnce(call, error)
        case .closed, .failed:
            closeAtOnce(call, error)
        }
    }

    mutating func reconnect() {
        switch state {
        case .connecting: break
        case .closing(var closing):
            closing.connectsAgain = true
            state = .closing(closing)
        case .closed, .failed:
            startAnew()
        case .reconnecting(let waiting):
            if let ask = waiting.ask { effects.append(.cancelAsk(ask)) }
            startAttempt()
        case .open(let open):
            let error = SenteError(.connectionLost, "reconnect() replaced the connection.")
            status.endedBy = .reconnect
            replace(open, error)
        }
    }

    mutating func breakLink() {
        guard case .open(let open) = state else { return }
        let close = ConnectionStatus.Close.brokenOnPurpose
        closeLink(open.link, close.code, reason: close.reason)
        let error = SenteError(.connectionLost, "breakConnection() broke the connection.")
        lose(open, error, by: .breakConnection)
    }

    // MARK: What the network does

    mutating func pathChanged(_ change: NetworkChange) {
        switch state {
        case .connecting, .open, .reconnecting:
            guard let counted = pathChanges.noticed(change, at: now.instant) else { return }
            follow(counted)
        case .closed, .closing, .failed: break
        }
    }

    /// Asks an open link for a sign of life; cuts a wait short if there may be a way.
    mutating func follow(_ change: NetworkChange) {
        switch state {
        case .open(let open):
            let instant = now.instant
            if let ping = traffic.keepAlive?.askNow(at: instant) { probe(open.link, by: ping) }
        case .reconnecting(let waiting):
            guard change == .available else { return }
            // Another network is no reason to come before the server's time.
            if endpoints.notBefore(at: now.instant) != nil { return }
            if let ask = waiting.ask { effects.append(.cancelAsk(ask)) }
            startAttempt()
        case .closed, .connecting, .closing, .failed: break
        }
    }

    private mutating func close(_ link: LinkID, _ waiters: [CallID], _ error: SenteError) {
        flushGathered(.urgent)
        sayEnd(on: link)
        closeLink(link)
        let deadline = now.instant.advanced(by: configuration.times.close)
        let end = traffic.packing.arrivals.end
        move(to: .closing(Closing(link: link, deadline: deadline, waiters: waiters)))
        endLink(error)
        giveUpWaiting(error)
        // The peer of a link that is gone answers no closing handshake.
        if let end { ended(link, end) }
    }

    /// Ends a link with a closing handshake; one that reads nothing would not see the peer's close frame.
    mutating func closeLink(_ link: LinkID, _ code: CloseCode = .normal, reason: String = "") {
        if case .open(let open) = state,
            open.pausedUntil != nil || traffic.packing.arrivals.isPaused
        {
            effects.append(.resumeReading(link))
        }
        effects.append(.closeLink(link, code, reason: reason))
    }

    private mutating func closeAtOnce(_ call: CallID, _ error: SenteError) {
        backoff.reset()
        move(to: .closed)
        giveUpWaiting(error)
        effects.append(.resolve(call, .success(.done)))
    }

    // MARK: Attempts

    /// The app asks to connect: what failed before counts no more.
    mutating func startAnew() {
        backoff.reset()
        endpoints.startAnew()
        history.freshTokensRefused = 0
        startAttempt()
    }

    mutating func startAttempt(withFreshToken: Bool = false) {
        let limit = configuration.times.connect
        // The link gives up a little before the attempt: it knows better what it was waiting for.
        let opening = now.instant.advanced(by: limit - limit / 20)
        var attempt = Attempt(
            startedAt: now.instant, deadline: now.instant.advanced(by: limit),
            target: LinkTarget(deadline: opening))
        attempt.hasFreshToken = withFreshToken
        if !configuration.asksEndpoint {
            if !withFreshToken { endpoints.advance(at: now.instant, using: &random) }
            attempt.target.endpoint = endpoints.currentURL
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
        move(to: .connecting(attempt))
        for (id, ask) in questions { effects.append(.ask(id, ask)) }
        openWhenAnswered(attempt)
    }

    private mutating func openWhenAnswered(_ attempt: Attempt) {
        var attempt = attempt
        if attempt.asks.isEmpty {
            numbers.link += 1
            let link = LinkID(numbers.link)
            attempt.link = link
            effects.append(.openLink(link, attempt.target))
        }
        state = .connecting(attempt)
    }

    mutating func nextAsk() -> AskID {
        numbers.ask += 1
        return AskID(numbers.ask)
    }

    mutating func provided(_ ask: AskID, _ provision: Provision) {
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
                return failAttempt(error)
            }
            openWhenAnswered(attempt)
        case .reconnecting(let waiting):
            guard waiting.ask == ask else { return }
            switch provision {
            case .delay(let delay?):
                wait(max(.zero, delay))
            case .delay(nil), .failed: giveUp()
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
    ///
    /// A session that goes on is open with the server's word on it alone.
    mutating func greeted(_ identity: Identity, by link: LinkID) {
        guard case .connecting(let attempt) = state, attempt.resuming == nil else { return }
        if asksToResume(attempt, identity, on: link) { return }
        if let parking = resumption?.parking { loseSession(parking.error) }
        traffic = Traffic()
        traffic.pending = PendingReplies(stampsPongs: !capabilities.answersInOrder)
        let isAnnounced = announced(by: identity) != nil
        open(attempt, identity, on: link) { if isAnnounced { $0.sayHandshake(on: link) } }
        if !isAnnounced { refuseStreams() }
    }

    /// The link is open; `first` goes before the wishes.
    mutating func open(
        _ attempt: Attempt, _ identity: Identity, on link: LinkID, _ first: (inout Session) -> Void = { _ in }
    ) {
        let isReconnect = history.wasGreeted
        history.wasGreeted = true
        if status.recovery == .none, history.lostSession { status.recovery = .fresh }
        history.lostSession = false
        backoff.linkOpened()
        endpoints.succeeded()
        history.freshTokensRefused = 0
        traffic.keepAlive = configuration.heartbeat.map { KeepAlive($0, at: now.instant) }
        state = .open(Open(link: link, since: now.instant))
        first(&self)
        let wishes = subscriptions.unwritten
        if !wishes.isEmpty { writeWishes(wishes) }
        if !followers.isEmpty { startFollowing() }
        let dropped = subscriptions.takeDropped()
        for channel in dropped { writeUnsubscribe(channel, for: nil) }
        if traffic.pending.owesFence { sendFence(on: link) }
        note(identity)
        status.openedAt = now.instant
        status.lastError = nil
        move(to: state)
        let timeToOpen = attempt.startedAt.duration(to: now.instant)
        effects.append(
            .record(
                .opened(
                    timeToOpen: timeToOpen, isReconnect: isReconnect, connection: identity.connectionID)))
        for call in calls.all(where: { $0.purpose == .connect }) {
            resolve(call, .success(.done))
        }
        drain()
    }

    // MARK: Time

    mutating func expireState() {
        switch state {
        case .closed, .failed: break
        case .connecting(let attempt): expireAttempt(attempt)
        case .open(let open): expireOpen(open)
        case .closing(let closing):
            effects.append(.abandonLink(closing.link))
            finishClosing(closing)
        case .reconnecting(let waiting):
            if let ask = waiting.ask {
                effects.append(.cancelAsk(ask))
                giveUp()
            } else {
                startAttempt()
            }
        }
    }

    private mutating func expireAttempt(_ attempt: Attempt) {
        let limit = configuration.times.connect
        let stage: String
        if let link = attempt.link {
            effects.append(.abandonLink(link))
            stage =
                attempt.resuming != nil
                ? "The server did not say within \(Self.resumeLimit) whether the session goes on."
                : attempt.isUpgraded
                    ? "The server took the connection but did not greet within \(limit)."
                    : "The server did not take the connection within \(limit)."
        } else {
            stage = "A provider of the configuration did not answer within \(limit)."
        }
        failAttempt(SenteError(.timedOut, stage), failsOver: attempt.link != nil)
    }

    private mutating func expireOpen(_ open: Open) {
        if let departure = open.departure, departure.at <= now.instant { return depart(open) }
        if let until = open.pausedUntil, until <= now.instant {
            let missed = inboxes.dropExcess()
            if missed > 0 { effects.append(.record(.missed(missed))) }
            return resumeReading()
        }
        let instant = now.instant
        switch traffic.keepAlive?.check(at: instant) {
        case .wait?, nil: break
        case .ask(let ping)?: probe(open.link, by: ping)
        case .giveUp?:
            effects.append(.abandonLink(open.link))
            let silence = traffic.keepAlive?.silence(at: now.instant) ?? .zero
            let text = "Nothing came from the server for \(silence), not even an answer to a ping."
            status.lastClose = ConnectionStatus.Close(code: .abnormal, reason: "")
            lose(open, SenteError(.silent, text))
        }
    }
}

extension ConnectionStatus.Close {
    /// As `chsk-break-connection!` of sente.cljc closes.
    static let brokenOnPurpose = ConnectionStatus.Close(
        code: CloseCode(rawValue: 3_000), reason: "CLOSE_ABNORMAL")
}

extension CloseCode {
    /// Another link of this client's session has taken its place.
    static let takenOver = CloseCode(rawValue: 4_001)
}
