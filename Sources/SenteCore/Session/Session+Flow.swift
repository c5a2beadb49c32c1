// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What the two ends agree on beyond plain messages.
extension Session {
    // MARK: The handshake

    /// What a greeting announces, as far as this client is to use it.
    mutating func announced(by identity: Identity) -> FlowFeatures? {
        guard let capabilities = identity.capabilities, !history.flowFailed,
            !configuration.flow.offer(nil, compressor: configuration.compressor).isEmpty
        else { return nil }
        let announced = FlowFeatures(wire: capabilities) { problem in
            effects.append(.record(.undecodable(problem)))
        }
        return announced.isEmpty ? nil : announced
    }

    /// The client's first message on a link whose server announces something; what follows is counted.
    mutating func sayHandshake(on link: LinkID) {
        resumption = configuration.flow.resumption.map { Resumption(policy: $0) }
        sayHandshake(on: link, resume: nil, within: .seconds(5))
    }

    mutating func sayHandshake(on link: LinkID, resume: ResumeRequest?, within limit: Duration) {
        var offered = configuration.flow.offer(
            coder?.format, sizes: coder?.sizes ?? SizeLimits(), isDeflated: deflatedLink == link,
            compressor: configuration.compressor)
        offered.deduplication = configuration.keepsMessages
        let flow = LinkFlow(
            offered: offered, callback: callbacks.next(using: &random),
            until: now.instant.advanced(by: limit))
        traffic.flow = flow
        say(.handshake(offered: flow.offered, resume: resume, callback: flow.callback), on: link)
    }

    mutating func say(_ word: FlowOutbound, on link: LinkID) {
        guard !traffic.packing.arrivals.isOver else { return }
        do throws(SenteError) {
            effects.append(.transmit(link, [try encode(.flow(word), isKeepAlive: true).transmission]))
        } catch {
            effects.append(.record(.dropped(reason: error.code)))
        }
    }

    /// Tells the server what has come of its messages; one that reads none of it is left, before it fills the memory.
    mutating func sayHeard(_ word: FlowOutbound, on link: LinkID) {
        guard traffic.window.keepAlives < Self.maximumUnwrittenPongs else {
            return violated(
                "It reads nothing of what it is told of its messages.", on: link, .policyViolation)
        }
        say(word, on: link)
    }

    /// A word of flow, or an event of that name where flow does not hold.
    mutating func received(_ frame: FlowFrame, _ size: Int, on link: LinkID) {
        guard let flow = traffic.flow else {
            let event = frame.event
            if !deliver(.event(event, missed: 0), to: .event(event.id), size: size) { ignore(.unheard) }
            return
        }
        let fields = MapFrame(frame.fields)
        switch frame.word {
        case .handshakeAck?:
            guard flow.features == nil, flow.deadline != nil else {
                return violated("It answered a handshake of flow that nobody made, or too late.", on: link)
            }
            answered(fields, flow, on: link)
        case _ where flow.features == nil:
            violated("It used flow before it had agreed to it.", on: link)
        case .ack?: acknowledged(fields, on: link)
        case .chunkAck?:
            guard flow.features?.acknowledgesChunks == true,
                let number = fields.integer("message-id").flatMap(UInt64.init(exactly:))
            else { return violated("It acknowledged parts, which was not agreed on, or none.", on: link) }
            partsHeard(number, on: link)
        case .end?:
            // The link goes on, and whatever is under way on it.
            if resumption?.session != nil { noteLostSession() }
            stopCounting()
            drain()
        case .skip?, nil: break
        case .batch?, .compressed?, .chunkStart?, .chunk?, .chunkEnd?, .chunkAbort?:
            unpack(frame, size, on: link)
        case let word? where word.isStream: heardStream(frame, word, on: link)
        case .some:
            violated("It used a word of flow that was not agreed on.", on: link)
        }
    }

    private mutating func answered(_ fields: MapFrame, _ flow: LinkFlow, on link: LinkID) {
        let features = FlowFeatures(wire: fields["features"] ?? .null) { problem in
            effects.append(.record(.undecodable(problem)))
        }
        if let surplus = features.surplus(over: flow.offered) {
            return violated("It agreed to “\(surplus)”, which was not offered.", on: link)
        }
        if features.resumption != nil, !Resumption.names.contains(fields.text("session")?.utf8.count ?? 0) {
            return violated("It keeps a session and names it by nothing, or by too much.", on: link)
        }
        traffic.flow?.features = features
        traffic.flow?.deadline = nil
        let terms = coder.flatMap { coder in
            PackingTerms(
                features, policy: configuration.flow, format: coder.format, sizes: coder.sizes,
                compressor: configuration.compressor, stopwatch: configuration.stopwatch)
        }
        if let terms { coder?.sizes = terms.limits }
        traffic.packing = LinkPacking(
            terms, losesNothing: features.resumption != nil, largeValue: configuration.largeValue)
        if case .connecting(let attempt) = state, let resuming = attempt.resuming {
            status.features = features
            resumed(fields, features, attempt, resuming, on: link)
            return linkStreams()
        }
        guard !fields.isTrue("resumed") else {
            return violated("It goes on with a session that nobody asked for.", on: link)
        }
        begin(fields, features)
        status.features = features
        publish()
        linkStreams()
        drain()
    }

    /// What the server says does not fit: this link ends, and the session with it.
    mutating func violated(_ why: String, on link: LinkID, _ code: CloseCode = .protocolError) {
        if case .closing = state { return }
        forgetSession()
        closeLink(link, code)
        ended(
            link,
            .failed(
                LinkFailure(
                    .protocolViolation, FlowViolation(code, why).message, closeCode: code)))
    }

    // MARK: Time

    /// When flow wants to be woken.
    var flowDeadline: Instant? {
        // Asked with every step: nothing is copied of what holds on the link, and no session is parked while there is one.
        guard case .open = state else { return resumption?.parking?.until }
        if let deadline = traffic.flow?.deadline { return deadline }
        let packing = traffic.packing.deadline(isGathering: isGathering)
        guard let due = resumption?.ackDeadline else { return packing }
        return packing.map { min($0, due) } ?? due
    }

    mutating func expireFlow() {
        if let parking = resumption?.parking { return loseSession(parking.error) }
        guard traffic.flow?.deadline != nil else {
            gathered(.time)
            expireParts()
            guard let due = resumption?.ackDeadline, due <= now.instant else { return }
            return acknowledge()
        }
        // From now on everything goes plain, for good: what the server may still say of it comes too late.
        traffic.flow?.deadline = nil
        history.flowFailed = true
        stopCounting()
        let why =
            "The server announced flow and did not answer the handshake within 5 s; everything goes plain."
        effects.append(.record(.undecodable(why)))
        refuseStreams()
        drain()
    }
}
