// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// The session that goes on over links: what was counted, the time without a link, and what goes again.
extension Session {
    /// A link that asks to go on with the session of the one before.
    struct Resuming: Sendable {
        var identity: Identity
        /// What came before the answer: it counts only if the answer is no.
        var held: [(inbound: Inbound, size: Int)] = []
        var heldBytes = 0
    }

    /// The session that the server names now, if it keeps any.
    mutating func begin(_ fields: MapFrame, _ features: FlowFeatures) {
        guard let granted = features.resumption, let session = fields.text("session") else {
            return stopCounting()
        }
        resumption?.begin(session, granted)
    }

    // MARK: Counts

    /// Whether messages of a link are counted.
    ///
    /// Inlined, for whoever calls it while it changes the session copies all of it first.
    @inline(__always)
    package func counts(_ link: LinkID) -> Bool {
        guard resumption?.session != nil, case .open(let open) = state else { return false }
        return open.link == link
    }

    /// All of one counted message was heard.
    mutating func heard(_ link: LinkID, isUnreadable: Bool, size: Int) {
        guard counts(link) else { return }
        // Both ends would count differently from here on, but for what went before and was as unreadable then.
        if isUnreadable, resumption?.repeatsDue == 0 {
            closeLink(link, .invalidData)
            return ended(
                link,
                .failed(
                    LinkFailure(
                        .protocolViolation,
                        FlowViolation(.invalidData, "It sent a message that cannot be read.").message,
                        closeCode: .invalidData)))
        }
        let instant = now.instant
        resumption?.count(bytes: size, at: instant)
    }

    /// The server's count of what it has.
    mutating func acknowledged(_ fields: MapFrame, on link: LinkID) {
        guard resumption?.session != nil else { return }
        guard let count = fields.integer("received").flatMap(UInt64.init(exactly:)),
            resumption?.allows(count) == true
        else {
            return violated(
                "It acknowledged what was never sent, or less than before.", on: link, .policyViolation)
        }
        letGo(count)
        drain()
    }

    /// What the server has need not go again; who waited for no more than that is done.
    private mutating func letGo(_ count: UInt64) {
        var ends: [CallID] = []
        resumption?.acknowledge(count) { ends.append($0) }
        for call in ends where calls[call]?.purpose.endsWritten == true {
            resolve(call, .success(.written))
        }
    }

    /// The link goes on, and the server says no more what it has: what was written is done.
    mutating func stopCounting() {
        guard let sent = resumption?.sent else { return }
        let unwritten = traffic.window.calls
        var ends: [CallID] = []
        resumption?.acknowledge(sent) { ends.append($0) }
        resumption = nil
        for call in ends where calls[call]?.purpose.endsWritten == true && !unwritten.contains(call) {
            resolve(call, .success(.written))
        }
    }

    /// Tells the server what has come.
    mutating func acknowledge() {
        guard case .open(let open) = state, traffic.flow?.features?.resumption != nil,
            let received = resumption?.takeAck()
        else { return }
        sayHeard(.ack(received: received), on: open.link)
    }

    // MARK: Going on

    /// The link is gone, and the session waits for another.
    ///
    /// False when it cannot.
    mutating func park(_ error: SenteError, heardAt: Instant) -> Bool {
        guard case .reconnecting = state, let features = resumption?.features else { return false }
        let until = now.instant.advanced(by: features.window)
        resumption?.parking = Resumption.Parking(error: error, heardAt: heardAt, until: until)
        traffic.window = WriteWindow()
        traffic.keepAlive = nil
        traffic.flow = nil
        traffic.packing = LinkPacking()
        traffic.pending.forgetPings()
        for call in calls.all(where: \.purpose.isPing) { resolve(call, .failure(error)) }
        return true
    }

    /// Whether a greeting's link asks for the session of the one before, and does so.
    mutating func asksToResume(_ attempt: Attempt, _ identity: Identity, on link: LinkID) -> Bool {
        guard let session = resumption?.session, let resumption, resumption.parking != nil,
            announced(by: identity)?.resumption != nil, resumption.unanswered < 2
        else { return false }
        var attempt = attempt
        attempt.resuming = Resuming(identity: identity)
        attempt.deadline = min(attempt.deadline, now.instant.advanced(by: Self.resumeLimit))
        state = .connecting(attempt)
        let request = ResumeRequest(
            session: session, received: resumption.received, sent: resumption.sent, attempt: link.number)
        sayHandshake(on: link, resume: request, within: Self.resumeLimit)
        return true
    }

    /// How long a server may take to say whether a session goes on.
    static let resumeLimit: Duration = .seconds(2)

    /// Keeps what comes before the server's answer; false when it is more than may be kept.
    mutating func hold(_ inbound: Inbound, _ size: Int) -> Bool {
        guard case .connecting(var attempt) = state, attempt.resuming != nil else { return true }
        attempt.resuming?.held.append((inbound, size))
        attempt.resuming?.heldBytes += size
        state = .connecting(attempt)
        guard let resuming = attempt.resuming else { return true }
        return resuming.held.count <= 4_096 && resuming.heldBytes <= 1 << 20
    }

    mutating func resumed(
        _ fields: MapFrame, _ features: FlowFeatures, _ attempt: Attempt, _ resuming: Resuming,
        on link: LinkID
    ) {
        guard fields.isTrue("resumed") else {
            let (flow, terms) = (traffic.flow, traffic.packing.terms)
            loseSession(resumption?.parking?.error ?? SenteError(.connectionLost, "The session is gone."))
            resumption = configuration.flow.resumption.map { Resumption(policy: $0) }
            begin(fields, features)
            traffic = Traffic()
            traffic.pending = PendingReplies(stampsPongs: !capabilities.answersInOrder)
            traffic.flow = flow
            traffic.packing = LinkPacking(
                terms, losesNothing: features.resumption != nil, largeValue: configuration.largeValue)
            open(attempt, resuming.identity, on: link)
            for (inbound, size) in resuming.held { received(link, inbound, size) }
            return
        }
        guard features.resumption != nil, let received = fields.count64("received"),
            let sent = fields.count64("sent"), let missed = fields.count64("missed"),
            resumption?.allows(received) == true, let known = resumption?.received,
            missed <= sent, known <= sent - missed
        else {
            return violated("It goes on with a session whose counts do not fit.", on: link, .policyViolation)
        }
        let parking = resumption?.parking
        resumption?.parking = nil
        letGo(received)
        resumption?.goOn(sent: sent, missed: missed)
        let repeats = resumption?.repeatsDue ?? 0
        var identity = resuming.identity
        identity.renew(fields)
        status.recovery = .resumed(missed: Int(clamping: missed))
        traffic.window = WriteWindow()
        open(attempt, identity, on: link) { session in
            let (again, skipped) = session.sendAgain(on: link)
            session.effects.append(
                .record(
                    .resumed(
                        replayedIn: Int(clamping: repeats), replayedOut: again, skipped: skipped,
                        missed: Int(clamping: missed))))
            session.noteResumedGap(since: parking?.heardAt, missed: missed)
        }
    }

    /// Sends what the server has not, one by one; what has nothing to say any more goes as a word that only counts.
    private mutating func sendAgain(on link: LinkID) -> (sent: Int, skipped: Int) {
        // Where one is known to be the cause, no other is.
        if resumption?.noteSuspect() == true { history.blamed = [] }
        blameParts()
        var closed: [PendingReplies.SlotKey] = []
        var unknown: [CallID] = []
        let messages =
            resumption?.takeAgain { message, isGivenUp, isSuspect in
                guard isGivenUp || isSuspect, message.outbound != .flow(.skip) else { return nil }
                if let slot = message.slot { closed.append(slot) }
                if !isGivenUp, let call = message.call { unknown.append(call) }
                return Resumption.Kept(outbound: .flow(.skip), bytes: 32)
            } ?? []
        for slot in closed { traffic.pending.close(slot) }
        for call in unknown where calls[call] != nil { resolve(call, .failure(.closedFor(.unknown))) }
        // All of these go before what waits in the outbox.
        isDraining = true
        for message in messages { sendAgain(message, on: link) }
        isDraining = false
        let skipped = messages.count { $0.outbound == .flow(.skip) }
        return (messages.count - skipped, skipped)
    }

    /// What was written once can be written again, unless the server speaks otherwise now: then a word that counts stands for it.
    private mutating func sendAgain(_ message: Resumption.Kept, on link: LinkID) {
        if leavesAnew(message.outbound) { return leaveAnew(message) }
        do throws(SenteError) {
            guard let whole = try whole(message.outbound) else { return leaveAnew(message) }
            sendAgain(message, as: whole, on: link)
        } catch {
            effects.append(.record(.dropped(reason: error.code)))
            if let slot = message.slot { traffic.pending.close(slot) }
            if let call = message.call, calls[call] != nil {
                resolve(call, .failure(error.with(outcome: .notSent)))
            }
            guard let skip = try? encoded(.flow(.skip)) else { return }
            sendAgain(Resumption.Kept(outbound: .flow(.skip), bytes: 32), as: skip, on: link)
        }
    }

    private mutating func sendAgain(_ message: Resumption.Kept, as whole: Message, on link: LinkID) {
        effects.append(.transmit(link, [noted(whole, for: message.call, isKeepAlive: false)]))
        resumption?.keep(message)
    }

    /// Whether a message takes the way of a new one: it is large, or would overtake one that is.
    private func leavesAnew(_ outbound: Outbound) -> Bool {
        guard traffic.packing.isOn, !outbound.isWish else { return false }
        return outbound.weight >= configuration.largeValue
            || traffic.packing.large.ahead.hold(outbound, outbound.weight, .urgent)
    }

    /// A message that the server has not waits as a new one does, and is numbered when it has left.
    private mutating func leaveAnew(_ message: Resumption.Kept) {
        if let slot = message.slot { traffic.pending.close(slot) }
        // A caller who was told that it is written does not wait for it.
        let call = message.call.flatMap { isAwaited($0) ? $0 : nil } ?? numbers.makeInternalCall()
        calls.takenBack(call)
        // Nothing new goes before it on its channel.
        var leaving = Leaving(
            call: call, outbound: message.outbound, priority: .urgent, weight: message.outbound.weight,
            queuedAt: outbox.oldestQueuedAt.map { min($0, now.instant) } ?? now.instant)
        leaving.isRepeat = true
        transmit(leaving)
    }

    /// Wishes stayed confirmed: what came of their channels meanwhile, the session brings.
    private mutating func noteResumedGap(since: Instant?, missed: UInt64) {
        guard let since else { return }
        let gap = ChannelGap(
            since: since, duration: since.duration(to: now.instant), filling: missed == 0 ? .all : .some,
            isResumed: true)
        for channel in subscriptions.confirmed {
            inboxes.note(gap, in: channel)
            effects.append(.gap(channel: channel.text, gap))
        }
    }

    /// The server need not keep the session.
    mutating func sayEnd(on link: LinkID) {
        guard traffic.flow != nil, resumption?.session != nil else { return }
        say(.end, on: link)
    }

    /// Forgets the session, so that what ends next ends with it.
    mutating func forgetSession() {
        if let parking = resumption?.parking { return loseSession(parking.error) }
        if resumption?.session != nil { noteLostSession() }
        resumption = nil
    }

    /// The session is gone, and nobody wanted that: the next connection says so.
    mutating func loseSession(_ error: SenteError) {
        endSession(error)
        noteLostSession()
    }

    mutating func noteLostSession() {
        history.lostSession = true
        effects.append(.record(.sessionLost))
    }
}

extension MapFrame {
    fileprivate func count64(_ field: MapField) -> UInt64? {
        integer(field).flatMap { UInt64(exactly: $0) }
    }
}

extension Identity {
    /// What the server says anew of the connection when a session goes on.
    fileprivate mutating func renew(_ fields: MapFrame) {
        if let name = fields.text("conn-id") { connectionID = name }
        if let uid = fields["uid"] { self.uid = uid }
        if let token = fields.text("csrf-token") { csrfToken = token }
    }
}
