// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// How links and attempts end, and what the session does then: another attempt, or none.
extension Session {
    mutating func mismatched(_ link: LinkID, _ error: SenteError) {
        guard case .connecting(let attempt) = state, attempt.link == link else { return }
        closeLink(link, .unsupportedData, reason: "unknown dialect")
        failAttempt(error, .elsewhere)
    }

    mutating func refused(_ link: LinkID, _ refusal: Refusal) {
        guard case .connecting(let attempt) = state, attempt.link == link else { return }
        guard refusal.isOfCredentials, configuration.asksCredentials else {
            return failAttempt(refusal.error, refusal.prospect, rest: refusal.rest)
        }
        guard attempt.hasFreshToken else {
            status.lastError = refusal.error
            effects.append(.record(.linkEnded(refusal.error)))
            return startAttempt(withFreshToken: true)
        }
        history.freshTokensRefused += 1
        let isInVain = history.freshTokensRefused >= Self.maximumFreshTokens
        failAttempt(refusal.error, isInVain ? .hopeless : .elsewhere)
    }

    /// How many fresh tokens may be refused before no more are asked for; before the first greeting one is enough.
    private static let maximumFreshTokens = 2

    mutating func ended(_ link: LinkID, _ end: LinkEnd) {
        guard isCurrent(link) else { return }
        let (error, close, isMendable) = end.meaning
        status.lastClose = close ?? status.lastClose
        if close?.code == .takenOver { forgetSession() }
        switch state {
        case .connecting:
            failAttempt(error, isMendable ? .mendable : .elsewhere, failsOver: isMendable)
        case .open(let open):
            if close?.code.blamesMessage == true {
                resumption?.closedForContent()
                history.blamed = traffic.packing.large.begun
            }
            lose(open, error)
        case .closing(let closing):
            finishClosing(closing)
        case .closed, .reconnecting, .failed: break
        }
    }

    /// An open link is gone, and not by our `disconnect()`.
    mutating func lose(_ open: Open, _ error: SenteError, by own: ConnectionStatus.OwnEnd? = nil) {
        if !holds(Leave(error: error, own: own)) { lost(open, error, by: own) }
    }

    mutating func lost(_ open: Open, _ error: SenteError, by own: ConnectionStatus.OwnEnd?) {
        status.endedBy = own
        noteEnd(of: open)
        status.lastError = error
        effects.append(.record(.linkEnded(error)))
        // The state first, here and everywhere: when a call hears of an end, the app sees it already.
        if case .never = configuration.reconnect.rule {
            move(to: .closed)
            endLink(error)
            giveUpWaiting(error)
        } else {
            retry(error, failsOver: true)
            endLink(error)
        }
    }

    /// Whether what follows counts as the first time.
    mutating func noteEnd(of open: Open) {
        if backoff.linkEnded(openedAt: open.since, at: now.instant) { endpoints.lostStable() }
    }

    mutating func finishClosing(_ closing: Closing) {
        effects.append(.record(.linkEnded(nil)))
        move(to: .closed)
        for call in closing.waiters { effects.append(.resolve(call, .success(.done))) }
        if closing.connectsAgain {
            startAnew()
        }
    }

    /// The attempt came to nothing, which is final when no endpoint leaves any hope.
    ///
    /// It fails over when nobody was there. A refusal waits: the next server may refuse for the number of those that come.
    mutating func failAttempt(
        _ error: SenteError, _ prospect: Prospect = .mendable, rest: Duration? = nil, failsOver: Bool = false
    ) {
        guard case .connecting(let attempt) = state else { return }
        cancel(attempt.asks)
        if attempt.resuming != nil { resumption?.unanswered += 1 }
        effects.append(.record(.linkEnded(error)))
        status.lastError = error
        endpoints.failed(prospect, rest: rest, at: now.instant)
        switch endpoints.prospect {
        case .mendable: retry(error, failsOver: failsOver)
        // A phone in a hotel's network comes back to its own server.
        case .elsewhere where history.wasGreeted: retry(error, atCap: true)
        case .elsewhere, .hopeless: fail(error)
        }
    }

    /// A session that the server keeps is gone back to: another server may not know it.
    private mutating func retry(_ error: SenteError, atCap: Bool = false, failsOver: Bool = false) {
        let hasOther = failsOver && resumption?.session == nil && endpoints.hasUntried(at: now.instant)
        switch backoff.next(at: now.instant, atCap: atCap, hasOther: hasOther, error: error, using: &random) {
        case .after(let delay): wait(delay)
        case .elsewhere(let delay):
            endpoints.failOver(at: now.instant, using: &random)
            wait(delay)
        case .giveUp:
            // No way leads from open to failed but this one.
            if case .open = state {
                move(to: .reconnecting(Waiting(until: now.instant)))
            }
            giveUp()
        case .ask(let context):
            let ask = nextAsk()
            status.attempt = backoff.retries + 1
            let until = now.instant.advanced(by: Self.policyLimit)
            move(
                to: .reconnecting(Waiting(until: until, ask: ask)))
            effects.append(.ask(ask, .delay(context)))
        }
    }

    /// How long a custom policy may think.
    private static let policyLimit: Duration = .seconds(10)

    mutating func wait(_ delay: Duration) {
        // Behind what the server asked for, not beside it: else all whom it told the same would be back at once.
        let until = (endpoints.notBefore(at: now.instant) ?? now.instant).advanced(by: delay)
        status.attempt = backoff.retries + 1
        status.retryAt = until
        move(to: .reconnecting(Waiting(until: until)))
    }

    mutating func giveUp() {
        fail(status.lastError ?? SenteError(.unreachable, "The reconnect policy gave up."))
    }

    private mutating func fail(_ error: SenteError) {
        status.lastError = error
        move(to: .failed(error))
        giveUpWaiting(error)
    }

    mutating func cancel(_ asks: [AskID]) {
        for ask in asks { effects.append(.cancelAsk(ask)) }
    }
}

extension CloseCode {
    /// Whether a server that closes so does it for what it was sent (RFC 6455 §7.4.1).
    fileprivate var blamesMessage: Bool {
        switch self {
        case .protocolError, .unsupportedData, .invalidData, .policyViolation, .messageTooBig, .internalError:
            true
        default: false
        }
    }
}
