// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What the server says.
extension Session {
    mutating func progressed(_ link: LinkID) {
        guard case .open(let open) = state, open.link == link else { return }
        noteLife()
    }

    /// All that one message says, which is counted once.
    mutating func hear(_ heard: consuming Heard, on link: LinkID) {
        if heard.inbounds.count == 1, let inbound = heard.inbounds.popLast() {
            return hear(inbound, heard.size, on: link)
        }
        for (inbound, share) in zip(heard.inbounds, heard.inbounds.shares(of: heard.size)) {
            received(link, inbound, share)
        }
        guard counts(link), heard.inbounds.contains(where: \.isCounted) else { return }
        self.heard(link, isUnreadable: false, size: heard.size)
    }

    /// The one thing that a message says, as almost all do: it is moved to where it goes.
    private mutating func hear(_ inbound: consuming Inbound, _ size: Int, on link: LinkID) {
        let inbound = consume inbound
        let isCounted = counts(link) && inbound.isCounted
        let isUnreadable = isCounted && inbound.isUnreadable
        received(link, consume inbound, size)
        if isCounted { heard(link, isUnreadable: isUnreadable, size: size) }
    }

    mutating func received(_ link: LinkID, _ inbound: consuming Inbound, _ size: Int) {
        guard isCurrent(link) else { return }
        noteLife()
        if let fault = inbound.fault { return faulted(link, fault.reason, fault.code) }
        guard case .open = state else { return receivedUnopened(link, inbound, size) }
        if !largeData.isEmpty, waitsForStorage(inbound, size) { return }
        switch consume inbound {
        case .greeting(let identity):
            note(identity)
            publish()
        case .delivery(let message): deliver(message, size: size)
        case .event(let event): deliver(event, size: size)
        case .request(let request): deliver(request, size: size)
        case .answering(let correlation, let event):
            let isAnswer = answered(correlation, event)
            let isHeard = deliver(.event(event, missed: 0), to: .event(event.id), size: size)
            if !isAnswer, !isHeard { ignore(.unheard) }
        case .subscriptionLost(let channel, let error): lost(WireName(channel), error)
        case .reply(let correlation, let reply): replied(correlation, reply, size)
        case .ping(let stamp):
            pong(stamp, to: link)
            deliver(.event(Self.ping, missed: 0), to: .pings, size: size)
        case .pong(let stamp):
            ponged(stamp)
            ponged(whileLeaving: stamp)
        case .endpoints(let places): learned(places)
        case .leaving: serverLeaves(link)
        case .failure(let error, let event):
            effects.append(.record(.serverError(error.message)))
            deliver(.event(event, missed: 0), to: .event(event.id), size: size)
        case .jetStream(let word): received(word, size)
        case .flow(let frame): received(frame, size, on: link)
        case .noise, .pongAcknowledged, .challenge, .refused: break
        case .undecodable(let why, let reason): effects.append(.record(.undecodable(why, reason)))
        case .mistraced(let inbound):
            ignore(.malformedTrace)
            received(link, inbound, size)
        case .tooLarge, .violation: break
        }
    }

    /// A message, an event or a request goes to whoever wants it.
    mutating func handOver(_ inbound: consuming Inbound, size: Int) {
        switch consume inbound {
        case .delivery(let message): deliver(message, size: size)
        case .event(let event): deliver(event, size: size)
        case .request(let request): deliver(request, size: size)
        default: break
        }
    }

    /// Before the greeting nothing else counts, and after disconnect() nothing is delivered.
    private mutating func receivedUnopened(_ link: LinkID, _ inbound: Inbound, _ size: Int) {
        if case .connecting(let attempt) = state, attempt.resuming != nil {
            return receivedResuming(link, inbound, size)
        }
        switch inbound {
        case .greeting(let identity): greeted(identity, by: link)
        case .challenge: introduce(on: link)
        case .refused(let refusal):
            closeLink(link)
            refused(link, refusal)
        case .mistraced(let inbound): receivedUnopened(link, inbound, size)
        case .delivery, .event, .answering, .request, .failure, .flow: ignore(.unheard)
        case .undecodable(let why, let reason): effects.append(.record(.undecodable(why, reason)))
        case .reply, .subscriptionLost, .ping, .pong, .noise, .pongAcknowledged, .tooLarge, .violation,
            .endpoints, .leaving, .jetStream:
            break
        }
    }

    /// Says who this client is, before anything else.
    private mutating func introduce(on link: LinkID) {
        guard case .connecting(let attempt) = state, attempt.link == link else { return }
        let name = (0..<2).map { _ in String(random.next(), radix: 36) }.joined()
        do throws(SenteError) {
            guard let message = try coder?.introduction(attempt.target.token, name: name) else {
                return
            }
            effects.append(.transmit(link, [noted(message, for: nil, isKeepAlive: true)]))
        } catch {
            closeLink(link)
            failAttempt(error)
        }
    }

    /// Until the server has said whether the session goes on, nothing else counts but what keeps the link alive.
    private mutating func receivedResuming(_ link: LinkID, _ inbound: Inbound, _ size: Int) {
        switch inbound {
        case .flow(let frame): received(frame, size, on: link)
        case .ping(let stamp): pong(stamp, to: link)
        case .mistraced(let inbound): receivedResuming(link, inbound, size)
        case .greeting, .challenge, .refused, .pong, .noise, .pongAcknowledged, .tooLarge, .violation,
            .endpoints, .leaving, .jetStream:
            break
        case .undecodable(let why, let reason): effects.append(.record(.undecodable(why, reason)))
        case .delivery, .event, .answering, .request, .failure, .reply, .subscriptionLost:
            if !hold(inbound, size) { violated("It did not say whether the session goes on.", on: link) }
        }
    }

    /// Something came: the link lives.
    private mutating func noteLife() {
        let instant = now.instant
        traffic.keepAlive?.life(at: instant)
    }

    /// What unfolds to more than may come ends the link as a frame of that size does (RFC 6455 §7.4.1), and so does what breaks
    /// a protocol within.
    private mutating func faulted(_ link: LinkID, _ why: String, _ code: CloseCode) {
        if case .closing = state { return }
        closeLink(link, code)
        ended(link, .failed(LinkFailure(.protocolViolation, why, closeCode: code)))
    }

    /// Counts what was understood and goes to nobody.
    mutating func ignore(_ reason: IgnoredReason) {
        effects.append(.record(.ignored(reason)))
    }

    private static let ping = Event(id: "chsk/ws-ping")

    /// Who the server says we are, and what time it is there.
    mutating func note(_ identity: Identity) {
        status.identity = identity
        if let time = identity.serverTime { traffic.serverClock = (time, now.instant) }
    }

    private mutating func ponged(_ stamp: Int64?) {
        traffic.keepAlive?.answered()
        let clears = traffic.packing.arrivals.reading == nil
        let pong = traffic.pending.pong(stamp: stamp, clears: clears, at: now.instant)
        for owner in pong?.cleared ?? [] { neverAnswered(owner) }
        if let limit = pong?.clearsLater { traffic.packing.arrivals.append(.fence(limit)) }
        guard let pong, let time = pong.elapsed else { return ignore(.lateReply) }
        effects.append(.record(.roundTrip(time)))
        noteQuality(roundTrip: time)
        if let call = pong.call { resolve(call, .success(.roundTrip(time))) }
    }

    /// How hard to compress depends on the way there; losses are asked for as often as round trips are known.
    private mutating func noteQuality(roundTrip time: Duration) {
        guard configuration.flow.compression?.level == .adaptive, case .open(let open) = state,
            traffic.packing.isOn
        else { return }
        traffic.packing.quality.note(roundTrip: time)
        effects.append(.measureLoss(open.link))
    }

    /// What part of all that was sent had to be sent again.
    mutating func measured(_ link: LinkID, loss: Double) {
        guard isCurrent(link) else { return }
        traffic.packing.quality.loss = loss
    }

    mutating func neverAnswered(_ owner: PendingReplies.Owner) {
        switch owner {
        case .call(let call):
            let error = SenteError(
                .noReply, "The server answered what was sent later, but not this call.", outcome: .unknown)
            resolve(call, .failure(error))
        case .wish(let channel, let number): subscriptions.lapsed(channel, number: number)
        case .history, .nobody, .gone: break
        }
    }

    private mutating func replied(_ correlation: Correlation, _ reply: Reply, _ size: Int) {
        guard let (owner, elapsed) = traffic.pending.take(correlation, at: now.instant) else {
            return unawaited(correlation, reply, size)
        }
        switch owner {
        case .nobody: break
        case .gone: ignore(.lateReply)
        case .wish(let channel, let number):
            wishReplied(channel, number, reply, size)
        case .history(let channel):
            historyReplied(channel, reply, size)
        case .call(let call):
            effects.append(.record(.roundTrip(elapsed)))
            if case .forwarded(let id, let count) = reply, case .next(.request, let channel?) = correlation {
                named(call, id, channel, deliveredTo: count, after: elapsed)
            }
            replied(to: call, reply)
        }
    }

    /// From now on the request's id is what both sides, and whoever serves it, know it by.
    private mutating func named(
        _ call: CallID, _ id: String, _ channel: WireName, deliveredTo count: Int?, after elapsed: Duration
    ) {
        guard wants(.warn) else { return }
        calls.name(call, id, sentAt: now.instant.advanced(by: .zero - elapsed))
        guard wants(.debug) else { return }
        let remaining = calls[call]?.deadline.map { now.instant.duration(to: $0) }
        effects.append(
            .record(
                .requestSent(
                    id: id, channel: channel.text, deliveredTo: count, remaining: remaining,
                    calls.trace(of: call))))
    }

    func wants(_ level: ClientSignal.Level) -> Bool { level.rawValue >= signalFloor }

    /// Whether an event is the answer that a call waits for.
    private mutating func answered(_ correlation: Correlation, _ event: Event) -> Bool {
        guard let (owner, elapsed) = traffic.pending.take(correlation, at: now.instant),
            case .call(let call) = owner
        else { return false }
        effects.append(.record(.roundTrip(elapsed)))
        replied(to: call, .answered(event.data))
        return true
    }

    private mutating func wishReplied(_ channel: WireName, _ number: UInt64, _ reply: Reply, _ size: Int) {
        switch reply {
        case .subscribed(let retained):
            let kept = kept(retained, size, isRestored: true)
            wishAnswered(channel, number, rejection: nil, kept)
            deliver(kept, of: channel)
        case .refused(let error): wishAnswered(channel, number, rejection: error)
        case .either(let reply, _): wishReplied(channel, number, reply, size)
        case .unsubscribed, .published, .forwarded, .answered, .channels, .subscriptions: break
        }
    }

    /// A server that refuses what it has confirmed already, for it has no room for one more, has ended nothing.
    private mutating func historyReplied(_ channel: WireName, _ reply: Reply, _ size: Int) {
        switch reply {
        case .subscribed(let retained):
            historyAnswered(channel)
            deliver(kept(retained, size, isRestored: false), of: channel)
        case .refused: historyAnswered(channel)
        case .either(let reply, _): historyReplied(channel, reply, size)
        case .unsubscribed, .published, .forwarded, .answered, .channels, .subscriptions: break
        }
    }

    private mutating func replied(to call: CallID, _ reply: Reply) {
        switch reply {
        case .subscribed: break
        case .unsubscribed: resolve(call, .success(.done))
        case .published(let receipt): resolve(call, .success(.published(receipt)))
        case .answered(let value): resolve(call, .success(.value(value)))
        case .channels(let channels): resolve(call, .success(.channels(channels)))
        case .subscriptions(let names): resolve(call, .success(.names(names)))
        case .refused(let error): resolve(call, .failure(error))
        case .either(_, let reply): replied(to: call, reply)
        case .forwarded(let id, let deliveredTo):
            forwarded(call, requestID: id, deliveredTo: deliveredTo)
        }
    }

    /// The server named the request: from now on its answer finds the call by that name.
    private mutating func forwarded(_ call: CallID, requestID: String, deliveredTo: Int?) {
        if deliveredTo == 0 {
            let error = SenteError(
                .noSubscribers, "Nobody serves this channel: the request was delivered to no one.",
                outcome: .acknowledged)
            return resolve(call, .failure(error))
        }
        let correlation = Correlation.id(.answer, WireName(requestID))
        if let early = traffic.pending.takeEarly(correlation) {
            return replied(to: call, early)
        }
        let slot = traffic.pending.add(correlation, owner: .call(call), at: now.instant)
        calls.sent(call, slot, at: now.instant)
    }

    private mutating func unawaited(_ correlation: Correlation, _ reply: Reply, _ size: Int) {
        switch correlation {
        case .id(.answer, _):
            // An answer may overtake the word that names its request; it is held while such a word is due.
            for _ in 0..<traffic.pending.holdEarly(correlation, reply, size: size) { ignore(.lateReply) }
        case .id(.event, let name) where !callbacks.contains(name.text):
            let why =
                "The server sent a reply to “\(name.text.excerpt())”, which this client never asked; it was dropped."
            effects.append(.record(.undecodable(why, .reply)))
        case .next(.subscription, let channel?):
            // Unasked for, a no is the end of the subscription.
            guard case .either(.refused(let error), _) = reply else { return ignore(.lateReply) }
            lost(channel, error)
        case .id, .next, .requestID, .echo: ignore(.lateReply)
        }
    }
}
