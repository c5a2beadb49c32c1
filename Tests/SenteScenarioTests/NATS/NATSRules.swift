// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore

/// The twelve rules as they read for NATS, checked against one client after every step.
///
/// Its own idea of what a client owes comes from the app's commands, the bytes that the client writes and those that its node
/// wrote, never from the engine.
final class NATSRules {
    unowned let app: NATSApp
    unowned let world: NATSWorld
    var now: Instant { world.now.instant }
    private(set) var wantsLink = false
    private(set) var wishes = WishModel()
    var inboxes: [InboxID: Handle] = [:]

    // The link that counts
    private(set) var link: LinkID?
    var model = NATSLinkModel()
    var isTold = false
    private var lastLife = Instant.distantPast
    private var isPaused = false
    private var openedAt: Instant?
    private var retries = 0
    private var leftUntil = Instant.distantPast
    private var lastState = ConnectionState.closed
    var lastWritten = -1

    /// What is known of the step that runs.
    struct Step {
        let number: Int
        var before = ConnectionState.closed
        var linkBefore: LinkID?
        /// What must not change, where a link speaks that does not count.
        var untouched: (ConnectionStatus, Instant?)?
        /// What the node's PONGs answer, and whether they refuse it.
        var granted: [(owed: NATSLinkModel.Owed, isRefused: Bool)] = []
        /// Wishes that the node let go of.
        var taken: [String] = []
        /// The messages whose calls were open before, and those that are resolved.
        var openCalls: Set<Int> = []
        var resolved: Set<Int> = []
        var told: [String: SubscriptionStatus] = [:]
        var pings = 0
        var pongs = 0
        /// The node broke its protocol.
        var isBroken = false
        /// The service that is to end in good order.
        var draining: InboxID?
        /// The link's last word is among what was reported.
        var isEnding = false
    }

    var step = Step(number: 0)
    /// The node has refused what its next PONG answers.
    private var isRefused = false

    init(_ app: NATSApp) {
        self.app = app
        world = app.world
    }

    var handles: [InboxID] { inboxes.keys.sorted { $0.number < $1.number } }

    func violate(_ rule: Int, _ text: String) { world.violate(rule, "\(app): \(text)") }

    // MARK: What the node says

    /// These words are about to be whole.
    func willRead(_ words: [NATSServerWord], on link: LinkID) {
        guard link == self.link else { return }
        lastLife = now
        for word in words {
            switch word {
            case .info(let json): if json.contains("\"ldm\":true") { leaves() }
            case .ping: step.pings += 1
            case .error(let text): complained(text)
            case .raw: step.isBroken = true
            case .pong:
                guard let owed = model.takeOwed() else {
                    step.isBroken = true
                    continue
                }
                step.granted.append((owed, isRefused))
                isRefused = false
            case .message(let message, let sid):
                if case .wish(let name)? = model.places[sid] { expect(message, name, link) }
                if let name = model.leaving[sid] { expectLast(message, name, sid) }
            }
        }
    }

    /// It belongs to what the next PONG answers, or it takes a subscription, which it names by its number.
    private func complained(_ text: String) {
        guard let mark = text.firstRange(of: "(sid \"") else { return isRefused = true }
        let sid = String(text[mark.upperBound...].prefix { $0 != "\"" })
        guard case .wish(let name)? = model.places[sid] else { return }
        world.coverage.count("rule", "permission taken")
        model.refused(name, sid)
        step.taken.append(name)
    }

    private func leaves() {
        world.coverage.count("fault", "told to leave")
        leftUntil = now.advanced(by: .seconds(45))
    }

    private func expect(_ message: NATSPublication, _ name: String, _ link: LinkID) {
        guard let number = message.number, app.state == .open else { return }
        let said = world.messages[number]
        let isOwn = said.client == app.number && message.header("Sente-Sender") != nil
        if isOwn, said.link == link { return }
        for inbox in inboxes.keys where inboxes[inbox]?.wish == name {
            let isOptional = isOwn || inboxes[inbox]?.isService == true
            inboxes[inbox]?.expected.append(
                Expected(number: number, step: step.number, isOptional: isOptional))
        }
    }

    /// The node had not heard of the service's end.
    private func expectLast(_ message: NATSPublication, _ name: String, _ sid: String) {
        guard let number = message.number, app.state == .open else { return }
        for inbox in inboxes.keys where inboxes[inbox]?.leavesBy == sid {
            world.coverage.count("rule", "asked while leaving")
            inboxes[inbox]?.expected.append(Expected(number: number, step: step.number, isOptional: true))
        }
    }

    // MARK: Before a step

    func willHandle(_ cause: RuleBook.Cause) {
        step.before = app.state
        step.linkBefore = link
        for call in app.calls.values {
            if case .message(let number) = call.kind { step.openCalls.insert(number) }
        }
        switch cause {
        case .reports(let reports, let id):
            if id != link, app.deadline.map({ $0 > now }) ?? true {
                step.untouched = (app.status, app.deadline)
            }
            if id == link, reports.contains(.progress) { lastLife = now }
        case .input(.command(let command)): follow(command)
        case .input: break
        }
    }

    private func follow(_ command: Command) {
        switch command {
        case .connect, .reconnect: wantsLink = true
        case .disconnect: wantsLink = false
        case .subscribe(_, let channel, let inbox, let scoped, _):
            _ = wishes.add(channel, inbox, isScoped: scoped, isSubscription: true)
            inboxes[inbox] = Handle(wish: channel)
        case .respond(let channel, let inbox, _):
            _ = wishes.add(channel, inbox, isScoped: true, isSubscription: false)
            inboxes[inbox] = Handle(wish: channel, isService: true)
        case .follow(_, let channel, let inbox, let start):
            inboxes[inbox] = Handle(
                wish: Followers.wish(channel, inbox),
                follows: NATSFollowModel(channel, from: start, of: world.cluster.stream))
        case .unsubscribe(_, let channel):
            wishes.remove(channel)
            inboxes = inboxes.filter {
                $0.value.follows.map { $0.channel != channel }
                    ?? ($0.value.wish != channel || $0.value.isService)
            }
        case .endScope(let inbox):
            _ = wishes.end(inbox)
            inboxes[inbox] = nil
        case .drain(_, let inbox):
            _ = wishes.end(inbox)
            step.draining = inbox
        case .closeInbox(let inbox):
            wishes.close(inbox)
            inboxes[inbox] = nil
        case .cancel(let call):
            switch app.calls[call]?.kind {
            case .subscribe(let channel, let inbox, let scoped)?:
                wishes.close(inbox)
                _ = wishes.release(channel, scope: scoped ? inbox : nil)
                inboxes[inbox] = nil
            case .follow(let inbox)?: inboxes[inbox] = nil
            default: break
            }
        default: break
        }
    }

    // MARK: After a step

    func didHandle(_ cause: RuleBook.Cause, _ effects: [Effect]) {
        if let untouched = step.untouched, untouched != (app.status, app.deadline) || !effects.isEmpty {
            violate(3, "\(cause) changed something: \(effects)")
        }
        if case .reports(let reports, let id) = cause, id == step.linkBefore {
            step.isEnding = reports.contains(where: \.isLast)
        }
        for effect in effects { follow(effect) }
        if step.isEnding, link == step.linkBefore { link = nil }
        if step.isEnding, wantsLink, step.before == .open || step.before == .connecting {
            let isAllowed = [.reconnecting, .connecting].contains(app.state)
            if !isAllowed, !(app.state == .failed && app.status.lastError?.code == .unauthorized) {
                violate(1, "\(cause) led from \(step.before) to \(app.state).")
            }
        }
        if let deadline = app.deadline, deadline <= now {
            violate(9, "The deadline is \(deadline.duration(to: now)) in the past after \(cause).")
        }
        if !wantsLink, app.state != .closing, app.deadline != nil {
            violate(2, "A timer runs although disconnect() was called; the open calls are \(app.calls).")
        }
    }

    private func follow(_ effect: Effect) {
        checkStopped(effect)
        switch effect {
        case .openLink(let id, _):
            if link != nil { violate(3, "\(id) is opened while another link counts.") }
            link = id
            model = NATSLinkModel()
            isTold = false
            isPaused = false
            isRefused = false
        case .abandonLink(let id): if id == link { link = nil }
        case .closeLink(let id, _, _): if id == link, app.state != .closing { link = nil }
        case .transmit(let id, let batch): transmitted(batch, on: id)
        case .resolve(let call, _):
            if case .message(let number)? = app.calls[call]?.kind { step.resolved.insert(number) }
        case .record(.linkEnded): if step.isEnding, link == step.linkBefore { link = nil }
        case .publish(let status): published(status)
        case .subscription(let channel, let status): subscription(channel, status)
        case .pauseReading: isPaused = true
        case .resumeReading:
            isPaused = false
            lastLife = now
        default: break
        }
    }

    /// 2: After `disconnect()` nothing comes back.
    private func checkStopped(_ effect: Effect) {
        guard !wantsLink else { return }
        switch effect {
        case .openLink, .transmit, .ask, .pauseReading, .pingLink:
            violate(2, "\(effect) although disconnect() was called.")
        default: break
        }
    }

    // MARK: States (1, 7, 8)

    private var silenceLimit: Duration { app.configuration.heartbeat?.limit ?? .zero }

    private func published(_ status: ConnectionStatus) {
        let old = lastState
        lastState = status.state
        if old != status.state {
            world.coverage.count("transition", "\(old.rawValue) → \(status.state.rawValue)")
        }
        if old == .open, status.state != .open {
            if let openedAt, openedAt.duration(to: now) >= app.configuration.reconnect.stableTime {
                retries = 0
            }
            openedAt = nil
            if status.lastError?.code == .silent, lastLife.duration(to: now) < silenceLimit {
                violate(7, "The link was called silent after \(lastLife.duration(to: now)).")
            }
        }
        switch status.state {
        case .connecting:
            if old == .closed || old == .failed { retries = 0 }
            if status.attempt != retries + 1 {
                violate(8, "This is attempt \(retries + 1), and the status says \(status.attempt).")
            }
        case .open where old != .open:
            isTold = true
            openedAt = now
            lastLife = now
            if model.written != wishes.inOrder {
                violate(6, "The wishes are \(wishes.inOrder), and \(model.written) is written.")
            }
        case .reconnecting:
            guard let retryAt = status.retryAt else { return }
            retries += 1
            let limit: Duration = now < leftUntil ? .seconds(62) : .seconds(30)
            if now.duration(to: retryAt) > limit { violate(8, "It waits \(now.duration(to: retryAt)).") }
        default: break
        }
    }

    /// 6: The server's word on a wish is told when it came, and not before.
    private func subscription(_ name: String, _ status: SubscriptionStatus) {
        guard !name.contains(" >") else { return followed(name, status) }
        step.told[name] = status
        if status.rejection != nil { wishes.reject(name) }
        let isGranted = step.granted.contains {
            guard case .wish(name, _) = $0.owed else { return false }
            return !$0.isRefused
        }
        if status.isConfirmed, !isGranted { violate(6, "\(name) is confirmed, and no PONG said so.") }
    }

    private func followed(_ name: String, _ status: SubscriptionStatus) {
        for inbox in inboxes.keys where inboxes[inbox]?.wish == name {
            if status.isConfirmed { inboxes[inbox]?.follows?.confirmed(world.cluster.stream) }
            if status.rejection != nil { inboxes[inbox] = nil }
        }
    }

    func didPerform() {
        checkAnswers()
        if step.before == .open, app.state == .open, link == step.linkBefore, step.pongs != step.pings {
            violate(11, "\(step.pings) pings came and \(step.pongs) were answered.")
        }
        if step.isBroken, link != nil, link == step.linkBefore,
            step.before == .open || step.before == .connecting
        {
            violate(10, "The node broke the protocol, and the link goes on.")
        }
        if app.state == .open, !isPaused, lastLife.duration(to: now) > .seconds(26) {
            violate(7, "Nothing came for \(lastLife.duration(to: now)), and the link goes on.")
        }
        for call in app.calls.values where call.deadline.map({ $0 < now }) ?? false {
            violate(4, "\(call) is open after its limit.")
        }
        if link != step.linkBefore {
            for inbox in inboxes.keys {
                for index in inboxes[inbox]?.expected.indices ?? 0..<0
                where inboxes[inbox]?.expected[index].step == step.number {
                    inboxes[inbox]?.expected[index].isOptional = true
                }
            }
        }
        step = Step(number: step.number + 1)
    }

    /// 12: What a PONG answers is answered in that step.
    private func checkAnswers() {
        guard link == step.linkBefore, app.state == .open else { return }
        for name in step.taken where step.told[name]?.rejection == nil {
            violate(12, "The permission for \(name) was taken, and it was not told.")
        }
        for (owed, isRefused) in step.granted {
            switch owed {
            case .wish(let name, let sid):
                guard model.places[sid] == .wish(name) else { continue }
                if isRefused { model.refused(name, sid) }
                guard let status = step.told[name], status.isConfirmed == !isRefused else {
                    violate(12, "\(name) was \(isRefused ? "refused" : "confirmed") and it was not told.")
                    continue
                }
            case .message(let number):
                guard step.openCalls.contains(number) else { continue }
                let isDue = isRefused || world.messages[number].kind == .publish
                if isDue, !step.resolved.contains(number) {
                    violate(12, "The PONG of message \(number) came and its call goes on.")
                }
            case .greeting, .unsubscribe, .other: break
            }
        }
    }
}
