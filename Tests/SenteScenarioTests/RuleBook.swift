// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// The twelve rules, checked against one client after every step.
///
/// It keeps its own, simpler idea of what a client owes (which link counts, what is wished for, how often was tried)
/// from nothing but the app's commands and the engine's effects, and never asks the engine how it came to them.
/// Rule 10 is checked by whoever feeds garbage: a trap ends the run, and the bounds are looked at here.
final class RuleBook {
    enum Cause: CustomStringConvertible {
        case input(Input)
        case reports([LinkReport], LinkID)

        var isReconnect: Bool {
            if case .input(.command(.reconnect)) = self { true } else { false }
        }

        var description: String {
            switch self {
            case .input(.command(let command)): "\(command)"
            case .input(let input): "\(input)"
            case .reports(let reports, let link):
                "\(link) \(reports.map(Self.describe).joined(separator: ", "))"
            }
        }

        private static func describe(_ report: LinkReport) -> String {
            guard case .received(let messages) = report else { return "\(report)" }
            return "received \(messages.map(\.string).joined(separator: " | "))"
        }
    }

    private unowned(unsafe) let client: WorldClient
    private unowned(unsafe) let world: TestWorld
    private var now: Instant { world.now.instant }

    // What the app wants.
    private(set) var wantsLink = false
    private(set) var wishes = WishModel()

    // The link that counts, and what is known of it.
    private(set) var link: LinkID?
    private var written: [String] = []
    private var confirmed: Set<String> = []
    /// Channels that were confirmed since they were wished for, and since when those are lost that are.
    private var wasConfirmed: Set<String> = []
    private var lost: [String: Instant] = [:]
    private var askedInStep: String?
    private var asksForHistory = false
    private var asked: [String: Int] = [:]
    private var received: [String: Int] = [:]
    /// Wishes that the dialect has no word for.
    private var unencodable: Set<String> = []
    private var unwritten: [(id: SendID, bytes: Int)] = []
    private var unwrittenBytes = 0
    private var lastMessage = -1
    private var lastLife = Instant.distantPast
    private var pausedAt: Instant?
    private var greetedAt: Instant?
    private var probedByPath: Instant?

    private var retries = 0
    private var failovers = 0
    /// The attempt that is due was to go elsewhere.
    private var isFailingOver = false
    private var promisedDelay = Duration.zero
    private var asks: [AskID] = []
    private lazy var endpoints = EndpointModel(client.configuration)
    private var seen: [InboxID: Set<Int>] = [:]
    private var lastArrival: [InboxID: Int] = [:]
    private var requests: Set<String> = []

    // As it was before the step.
    private var before = ConnectionStatus(state: .closed)
    private var linkBefore: LinkID?
    /// The link's last word is among what was reported.
    private var isLinkEnding = false
    private var wasGreetedInStep = false
    private var untouched: WorldClient.View?
    private var last = ConnectionStatus(state: .closed)

    init(_ client: WorldClient) {
        self.client = client
        world = client.world
    }

    private func violate(_ rule: Int, _ text: String) { world.violate(rule, "\(client): \(text)") }

    // MARK: Before a step

    func willHandle(_ cause: Cause) {
        before = client.status
        linkBefore = link
        untouched = nil
        askedInStep = nil
        isLinkEnding = false
        wasGreetedInStep = false
        switch cause {
        case .reports(let reports, let id):
            let isDue = client.view.deadline.map { $0 <= now } ?? false
            if id != link, !isDue { untouched = client.view }
            if id == link, reports.contains(.progress) { lastLife = now }
        case .input(.provided(let ask, let provision)):
            if case .delay(let delay?) = provision { promisedDelay = delay }
            let isDue = client.view.deadline.map { $0 <= now } ?? false
            if !asks.contains(ask), !isDue { untouched = client.view }
            asks.removeAll { $0 == ask }
        case .input(.command(let command)): follow(command)
        case .input: break
        }
    }

    private func follow(_ command: Command) {
        switch command {
        case .connect, .reconnect: wantsLink = true
        case .disconnect: wantsLink = false
        case .subscribe(_, let channel, let inbox, let scoped, let history):
            askedInStep = channel
            asksForHistory = history != .none
            if wishes.add(channel, inbox, isScoped: scoped, isSubscription: true) { forgetWritten(channel) }
        case .respond(let channel, let inbox, _):
            askedInStep = channel
            asksForHistory = false
            if wishes.add(channel, inbox, isScoped: true, isSubscription: false) { forgetWritten(channel) }
        case .unsubscribe(_, let channel):
            wishes.remove(channel)
            forgetWritten(channel)
        case .endScope(let inbox), .drain(_, let inbox):
            if let channel = wishes.end(inbox) { forgetWritten(channel) }
        case .closeInbox(let inbox): wishes.close(inbox)
        case .cancel(let call):
            guard case .subscribe(let channel, let inbox, let scoped)? = client.calls[call]?.kind else {
                return
            }
            wishes.close(inbox)
            if wishes.release(channel, scope: scoped ? inbox : nil) { forgetWritten(channel) }
        default: break
        }
    }

    private func forgetWritten(_ channel: String) {
        written.removeAll { $0 == channel }
        confirmed.remove(channel)
    }

    // MARK: After a step

    func didHandle(_ cause: Cause, _ effects: [Effect]) {
        if let untouched, untouched != client.view || !effects.isEmpty {
            violate(3, "\(cause) changed something: \(effects)")
        }
        if case .reports(let reports, let id) = cause, id == linkBefore {
            for report in reports {
                switch report {
                case .closed, .refused: isLinkEnding = true
                case .wrote(let ids): wrote(ids)
                case .opened, .received, .progress, .answered: break
                }
            }
        }
        for effect in effects { follow(effect, cause: cause) }
        if isLinkEnding, link == linkBefore { link = nil }
        checkEnd(cause)
        checkPongs(cause, effects)
        if let deadline = client.view.deadline, deadline <= now {
            violate(9, "The deadline is \(deadline.duration(to: now)) in the past after \(cause).")
        }
        if !wantsLink, client.state != .closing, client.view.deadline != nil {
            violate(2, "A timer runs although disconnect() was called; the open calls are \(client.calls).")
        }
    }

    /// Whatever an effect says of the client, in order.
    func follow(_ effect: Effect, cause: Cause?) {
        checkStopped(effect, cause)
        switch effect {
        case .openLink(let id, _):
            if link != nil { violate(3, "\(id) is opened while another link counts.") }
            link = id
            forgetLink()
        case .abandonLink(let id): if id == link { link = nil }
        case .closeLink(let id, _, _): if id == link, client.state != .closing { link = nil }
        case .transmit(let id, let batch): transmitted(batch, on: id)
        case .publish(let status): published(status, cause)
        case .subscription(let channel, let status): subscription(channel, status)
        case .ask(let id, _): asks.append(id)
        case .cancelAsk(let id): asks.removeAll { $0 == id }
        case .pauseReading: pausedAt = now
        case .pingLink(let id), .measureLoss(let id):
            if id != link { violate(3, "\(id) is pinged, which is not the current link.") }
        case .resumeReading:
            pausedAt = nil
            lastLife = now
        case .record(.linkEnded): if isLinkEnding, link == linkBefore { link = nil }
        case .gap(let channel, let gap): checkGap(channel, gap)
        case .ready, .finish, .resolve, .settled, .stream, .work, .storage, .cancelStorage, .record: break
        }
    }

    /// 6: What was confirmed, then lost, and is confirmed anew shows how long it was out of reach.
    private func checkGap(_ channel: String, _ gap: ChannelGap) {
        guard let lostAt = lost.removeValue(forKey: channel) else {
            return violate(6, "\(channel) shows a gap, and was never lost.")
        }
        if gap.since > lostAt || gap.since.advanced(by: gap.duration) != now {
            violate(6, "\(channel) was lost at \(lostAt), and its gap is \(gap).")
        }
    }

    private func forgetLink() {
        written = []
        confirmed = []
        asked = [:]
        received = [:]
        unwritten = []
        unwrittenBytes = 0
        pausedAt = nil
    }

    /// 2: After `disconnect()` nothing comes back.
    private func checkStopped(_ effect: Effect, _ cause: Cause?) {
        guard !wantsLink else { return }
        switch effect {
        case .openLink, .transmit, .ask, .storage, .pauseReading, .pingLink:
            violate(2, "\(effect) although disconnect() was called.")
        case .ready:
            if case .input(.consumed)? = cause { return }
            violate(2, "\(effect) although disconnect() was called.")
        default: break
        }
    }

    /// 1: Only our own `disconnect()` is graceful.
    private func checkEnd(_ cause: Cause) {
        guard case .reports(let reports, let id) = cause, id == linkBefore, wantsLink, isLinkEnding,
            let report = reports.last
        else { return }
        let isNever = if case .never = client.configuration.reconnect.rule { true } else { false }
        let after = client.state
        switch wasGreetedInStep ? .open : before.state {
        case .open where isNever:
            if after != .closed { violate(1, "With reconnecting off the loss of a link led to \(after).") }
        case .open, .connecting:
            let mayFail = isNever || hasUsedUpAttempts || endpoints.isFinal
            if after == .failed ? !mayFail : after != .reconnecting && after != .connecting {
                violate(1, "\(report) led from \(before.state) to \(after).")
            }
        case .closing, .closed, .reconnecting, .failed: break
        }
    }

    private var hasUsedUpAttempts: Bool {
        client.configuration.reconnect.attempts.map { retries >= $0 } ?? false
    }

    private func followAttempt(from old: ConnectionState, to status: ConnectionStatus) {
        switch status.state {
        case .connecting where old != .connecting:
            endpoints.attemptBegins(at: client.engine.endpoint, appAsked: old == .closed || old == .failed)
            if isFailingOver, endpoints.isRepeated {
                violate(8, "It went at once where it had been, and others were left.")
            }
            isFailingOver = false
        case .reconnecting where old == .connecting, .failed where old == .connecting:
            endpoints.attemptFailed(status.lastError, rest: retryAfter(status.lastError), at: now)
        case .open where old != .open: endpoints.opened()
        default: break
        }
    }

    /// 11: Whatever the app does not consume, pings are answered, at once.
    private func checkPongs(_ cause: Cause, _ effects: [Effect]) {
        guard case .reports(let reports, let id) = cause, id == linkBefore, id == link,
            before.state == .open, client.state == .open
        else { return }
        var messages: [Message] = []
        for case .received(let some) in reports { messages += some }
        let pings = world.wire.pings(in: messages)
        guard pings > 0 else { return }
        var pongs = 0
        for case .transmit(_, let batch) in effects {
            pongs += batch.count { if case .pong = client.outbounds[$0.id] { true } else { false } }
        }
        if pongs != pings { violate(11, "\(pings) pings came and \(pongs) were answered.") }
    }

    // MARK: States, attempts, backoff (8)

    private func published(_ status: ConnectionStatus, _ cause: Cause?) {
        let old = last
        last = status
        if old.state != status.state { moved(from: old.state, to: status.state) }
        followAttempt(from: old.state, to: status)
        if old.state == .open, status.state != .open {
            if let greetedAt, greetedAt.duration(to: now) >= client.configuration.reconnect.stableTime {
                retries = 0
                failovers = 0
                endpoints.lostStable()
            }
            greetedAt = nil
        }
        switch status.state {
        case .connecting:
            if old.state == .closed || old.state == .failed {
                retries = 0
                failovers = 0
            }
            if status.attempt != retries + 1 {
                violate(8, "This is attempt \(retries + 1), and the status says \(status.attempt).")
            }
        case .open where old.state != .open:
            wasGreetedInStep = true
            greetedAt = now
            lastLife = now
            if written != wishes.inOrder {
                violate(
                    6,
                    "The wishes are \(wishes.inOrder), and \(written) was written when the app heard of it.")
            }
        case .reconnecting where cause?.isReconnect != true:
            // With nothing to wait for it only passes through, on the way to the next attempt or to failed.
            if status.retryAt != nil || isAsked { checkRetry(status, old) }
        default: break
        }
        if status.lastError?.code == .silent, old.lastError?.code != .silent, old.state == .open {
            let silence = lastLife.duration(to: now)
            if silence < (client.configuration.heartbeat?.limit ?? .zero) {
                violate(7, "The link was called silent after \(silence).")
            }
        }
    }

    private func moved(from old: ConnectionState, to new: ConnectionState) {
        world.coverage.count("transition", "\(old.rawValue) → \(new.rawValue)")
        let allowed: [ConnectionState] =
            switch old {
            case .closed: [.connecting]
            case .connecting: [.open, .reconnecting, .failed, .closing, .closed]
            case .open: [.closing, .reconnecting, .closed]
            case .closing: [.closed]
            case .reconnecting: [.connecting, .closed, .failed]
            case .failed: [.connecting, .closed]
            }
        if !allowed.contains(new) { violate(1, "The state went from \(old) to \(new).") }
    }

    /// 8: The wait lies in the policy's window, and never above its cap; it begins when the server lets it.
    ///
    /// To another server that was not tried yet it goes within the policy's failover, but from a refusal.
    private func checkRetry(_ status: ConnectionStatus, _ old: ConnectionStatus) {
        let isAnswer = old.state == .reconnecting
        if !isAnswer {
            if hasUsedUpAttempts { violate(8, "Retry \(retries + 1) although the attempts are used up.") }
            retries += 1
        }
        if status.attempt != retries + 1 {
            violate(8, "The next is attempt \(retries + 1), and the status says \(status.attempt).")
        }
        guard let retryAt = status.retryAt else { return }
        let delay = now.duration(to: retryAt)
        let failover = isAnswer ? nil : failover(from: old.state, status.lastError)
        isFailingOver = failover != nil
        if isFailingOver { failovers += 1 }
        var window = failover.map { .zero...$0 } ?? window(retries - failovers - 1)
        if let notBefore = endpoints.notBefore(at: now) {
            // Behind the server's wish, so that not all whom it told the same are back at once.
            let after = now.duration(to: notBefore)
            window = window.lowerBound + after...window.upperBound + after
        }
        if !window.contains(delay) {
            violate(8, "Retry \(retries) waits \(delay), and the policy's window is \(window).")
        }
    }

    /// Within how long the next attempt goes to another server; nil when it waits as the policy's table says.
    private func failover(from old: ConnectionState, _ error: SenteError?) -> Duration? {
        guard endpoints.hasUntried(at: now) else { return nil }
        let nobodyThere: [SenteError.Code] = [.unreachable, .connectionLost, .timedOut, .protocolViolation]
        // A provider that did not answer says nothing of a server.
        let isLost = old == .open || linkBefore != nil && error.map { nobodyThere.contains($0.code) } == true
        return isLost ? client.configuration.reconnect.failover : nil
    }

    /// Whether the app's own policy is asked, which takes its time.
    private var isAsked: Bool {
        if case .custom = client.configuration.reconnect.rule { true } else { false }
    }

    private func retryAfter(_ error: SenteError?) -> Duration? {
        guard error?.code == .serverUnavailable else { return nil }
        let header = error?.headers.first { $0.name.lowercased() == "retry-after" }
        return header.flatMap { Int($0.value) }.map { .seconds($0) }
    }

    private func window(_ retry: Int) -> ClosedRange<Duration> {
        let isAtCap = endpoints.isAtCap
        switch client.configuration.reconnect.rule {
        case .never: return .zero ... .zero
        case .custom: return promisedDelay...promisedDelay
        case .windows(let base, let floor, let maximum):
            if retry == 0, !isAtCap { return .zero...base }
            let top = isAtCap || retry > 20 ? maximum : min(maximum, base * (1 << retry))
            switch floor {
            case .fixed(let low): return min(low, top)...top
            case .half: return top / 2...top
            }
        case .exponential(let initial, let multiplier, let jitter, let maximum):
            var middle = initial
            for _ in 0..<(isAtCap ? 64 : retry) where middle < maximum { middle = middle * multiplier }
            middle = min(middle, maximum)
            return max(
                .zero, middle * (1 - jitter) - .nanoseconds(10))...min(
                    maximum, middle * (1 + jitter) + .nanoseconds(10))
        }
    }

    // MARK: What is transmitted (5, 6)

    private func transmitted(_ batch: [Transmission], on id: LinkID) {
        if id != link { violate(3, "Something is transmitted on \(id), which is not the current link.") }
        if batch.isEmpty { violate(5, "An empty batch is transmitted.") }
        for transmission in batch {
            guard let outbound = client.outbounds[transmission.id] else {
                violate(5, "\(transmission.id) is transmitted, and nobody encoded it.")
                continue
            }
            world.coverage.count("sent", caseName(outbound))
            if outbound.isOfApp { checkApp(outbound) }
            switch outbound {
            case .subscribe(let channel): wishWritten(channel)
            case .unsubscribe(let channel): forgetWritten(channel)
            default: break
            }
            if let number = outbound.messageNumber { messageLeft(number, on: id) }
            let bytes = transmission.message.bytes.count
            unwritten.append((transmission.id, bytes))
            unwrittenBytes += bytes
        }
    }

    private func checkApp(_ outbound: Outbound) {
        if unwrittenBytes >= client.configuration.writeWindow {
            violate(5, "\(unwrittenBytes) bytes are unwritten, and \(outbound) left the outbox.")
        }
        let missing = wishes.inOrder.filter { !written.contains($0) }
        if !missing.isEmpty { violate(6, "\(outbound) is written before the wishes \(missing).") }
    }

    private func wishWritten(_ channel: String) {
        // Only who asks again for what the server never answered has it written anew, and who wants what the server kept.
        let isAskedAnew = askedInStep == channel && (!confirmed.contains(channel) || asksForHistory)
        if written.contains(channel), !isAskedAnew {
            violate(6, "The wish for \(channel) is written twice on \(link as Any).")
        }
        if !wishes.inOrder.contains(channel) {
            violate(6, "\(channel) is subscribed to, and nobody wishes it.")
        }
        if !written.contains(channel) { written.append(channel) }
        asked[channel, default: 0] += 1
    }

    private func messageLeft(_ number: Int, on id: LinkID) {
        if number <= lastMessage { violate(5, "Message \(number) left after message \(lastMessage).") }
        lastMessage = number
        let message = world.messages[number]
        if message.link != nil { violate(4, "Message \(number) left twice.") }
        if message.isNotSent { violate(4, "Message \(number) was reported not sent, and left.") }
        if let livesUntil = message.livesUntil, livesUntil <= now {
            violate(5, "Message \(number) left after its time to live.")
        }
        world.messages[number].link = id
        client.left(message.call)
    }

    /// A wish that the dialect has no word for is rejected without the server.
    func couldNotEncode(_ outbound: Outbound) {
        if case .subscribe(let channel) = outbound { unencodable.insert(channel) }
    }

    private func wrote(_ ids: [SendID]) {
        guard before.state == .open, let last = ids.map(\.number).max() else { return }
        while let first = unwritten.first, first.id.number <= last {
            unwrittenBytes -= first.bytes
            unwritten.removeFirst()
        }
    }

    func reachedServer(_ outbound: Outbound, on pipe: Pipe) {
        guard pipe.id == link, case .subscribe(let channel) = outbound else { return }
        received[channel, default: 0] += 1
    }

    /// 6: Only the reply to the latest asking confirms a wish; a rejection rests until asked again.
    private func subscription(_ channel: String, _ status: SubscriptionStatus) {
        let isAnswer = !confirmed.contains(channel) && (status.isConfirmed || status.rejection != nil)
        if isAnswer, unencodable.remove(channel) == nil {
            if received[channel, default: 0] != asked[channel, default: 0] || asked[channel] == nil {
                violate(6, "\(channel) is answered although the server has not got the latest asking.")
            }
        }
        if status.isConfirmed {
            confirmed.insert(channel)
            if let lostAt = lost[channel] {
                violate(6, "\(channel) was lost at \(lostAt), and is confirmed anew without a gap.")
            }
            wasConfirmed.insert(channel)
        } else if wasConfirmed.contains(channel), lost[channel] == nil {
            lost[channel] = now
        }
        if !wishes.inOrder.contains(channel), status.rejection == nil {
            wasConfirmed.remove(channel)
            lost[channel] = nil
        }
        if status.rejection != nil {
            wishes.reject(channel)
            forgetWritten(channel)
        }
    }

    // MARK: After everything is performed

    func didPerform() {
        let engine = client.view
        let policy = client.configuration.outbox
        let isOver = engine.outboxCount > policy.maximumMessages || engine.outboxBytes > policy.maximumBytes
        if isOver, policy.overflow != .wait {
            violate(5, "The outbox holds \(engine.outboxCount) messages of \(engine.outboxBytes) bytes.")
        }
        if engine.subscriptions != wishes.inOrder {
            violate(6, "The wishes are \(wishes.inOrder), and the client knows \(engine.subscriptions).")
        }
        if client.state == .open { checkOpen() }
        // A process that slept is late itself.
        if client.suspendedUntil > now.advanced(by: .seconds(-1)) { return }
        for (id, call) in client.calls {
            if let deadline = call.deadline, deadline < now {
                violate(4, "\(call.kind) (\(id)) is not resolved within its limit.")
            }
        }
    }

    private func checkOpen() {
        if unwrittenBytes < client.configuration.writeWindow, client.view.outboxCount > 0 {
            violate(5, "The link takes more, and \(client.view.outboxCount) messages stay in the outbox.")
        }
        let missing = wishes.inOrder.filter { !written.contains($0) }
        if !missing.isEmpty { violate(6, "The wishes \(missing) are not written on the open link.") }
        if let pausedAt {
            if pausedAt.duration(to: now) > client.configuration.pauseLimit, !wasAsleep(since: pausedAt) {
                violate(11, "Reading is paused for \(pausedAt.duration(to: now)).")
            }
        } else if let heartbeat = client.configuration.heartbeat, let limit = heartbeat.limit {
            let silence = lastLife.duration(to: now)
            if silence > heartbeat.interval + limit, !wasAsleep(since: lastLife) {
                violate(7, "The link is silent for \(silence), and still open.")
            }
        }
    }

    private func wasAsleep(since instant: Instant) -> Bool { client.suspendedUntil > instant }

    // MARK: Calls (4, 12)

    func resolved(_ id: CallID, _ call: WorldClient.Call, _ result: Result<Answer, SenteError>) {
        switch (call.kind, result) {
        case (.message(let number, _), .success(let answer)): checkAnswer(number, answer)
        case (.message(let number, _), .failure(let error)): checkFailure(number, error)
        case (.ping, .success(.roundTrip(let time))):
            if time != call.madeAt.duration(to: now) {
                violate(12, "A ping of \(call.madeAt.duration(to: now)) got a pong of \(time).")
            }
        case (.connect, .success):
            if client.state != .open { violate(4, "connect() returned while \(client.state).") }
        case (.connect, .failure):
            if client.state == .open { violate(4, "connect() threw while open.") }
        default: break
        }
    }

    private func checkAnswer(_ number: Int, _ answer: Answer) {
        let message = world.messages[number]
        switch answer {
        case .written:
            if message.link == nil { violate(4, "Message \(number) is written, and never left.") }
        case .published(let receipt):
            if message.reachedServer != 1 {
                violate(4, "Message \(number) is acknowledged, and was not received.")
            }
            if message.treatment != .published(messageID: receipt.messageID ?? "") {
                violate(
                    12, "Message \(number) was \(message.treatment as Any), and its receipt says \(receipt).")
            }
        case .value(let value):
            if message.reachedServer != 1 {
                violate(4, "Message \(number) is answered, and was not received.")
            }
            if world.wire.answered(by: value) != number {
                violate(12, "Message \(number) got the answer \(value).")
            }
        default: violate(12, "Message \(number) got \(answer).")
        }
    }

    private func checkFailure(_ number: Int, _ error: SenteError) {
        let message = world.messages[number]
        switch error.outcome {
        case .notSent?:
            world.messages[number].isNotSent = true
            if message.link != nil || message.reachedServer > 0 {
                violate(4, "Message \(number) left, and is reported not sent: \(error)")
            }
        case .unknown?:
            if message.link == nil {
                violate(4, "Message \(number) never left, and is reported unknown: \(error)")
            }
        case .acknowledged?:
            if message.reachedServer != 1 {
                violate(4, "Message \(number) is acknowledged, and was not received: \(error)")
            }
        case .written?, nil: violate(4, "Message \(number) failed without an outcome: \(error)")
        }
        switch (error.code, message.treatment) {
        case (.rejected, .refused?), (.noSubscribers, .forwarded(_, 0)?): break
        case (.rejected, _), (.noSubscribers, _):
            violate(12, "Message \(number) was \(message.treatment as Any), and is told \(error).")
        case (.remoteError, _):
            if error.details?["answer"]?.integerValue != Int64(number) {
                violate(12, "Message \(number) is told the error \(error.details as Any).")
            }
        default: break
        }
    }

    /// 6: A message comes once through a handle, a request once through all; live ones keep the server's order.
    func delivered(_ element: InboxElement, in inbox: InboxID) {
        switch element {
        case .message(let message):
            guard let number = message.data["n"]?.integerValue.map({ Int($0) }),
                world.messages.indices.contains(number)
            else { return }
            if !seen[inbox, default: []].insert(number).inserted, !world.deliversWithoutID {
                violate(6, "Message \(number) came twice through \(inbox).")
            }
            guard !message.isRetained, let arrival = world.messages[number].arrival else { return }
            if arrival <= lastArrival[inbox, default: -1] {
                violate(6, "Message \(number) came out of order through \(inbox).")
            }
            lastArrival[inbox] = arrival
        case .request(let request):
            if !requests.insert(request.id).inserted { violate(6, "The request \(request.id) came twice.") }
        case .event: break
        }
    }
}
