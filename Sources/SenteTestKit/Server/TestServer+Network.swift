// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteSocket
import SenteTransport
import SenteWire

/// What a server does about its connections, on the queue of its world.
extension TestServer {
    func arrive(_ id: ConnectionID, _ request: LinkRequest) {
        let http = HTTPRequest(request)
        let now = time.now
        let isHere = state.withLock { state in
            let headers = request.headers.map { SenteError.Header(name: $0.name, value: $0.value) }
            state.attempts.append(Attempt(url: request.url, headers: headers))
            return state.isUp && Network.isSame(state.url, request.url)
        }
        guard isHere else {
            return end(id) { $0.fail(LinkFailure(.unreachable, "The connection was refused.")) }
        }
        switch state.withLock({ $0.session.admit(http, at: now) }) {
        case .answer(let refusal): end(id) { $0.refuse(refusal) }
        case .disconnect: end(id) { $0.fail(LinkFailure(.lost, "The server ended the connection.")) }
        case .upgrade:
            network.toClient(id) { $0.open() }
            let handshake = state.withLock { state in
                state.connections.insert(id)
                return HandshakeInfo(
                    target: http.target, uid: state.uid, handshakeData: state.handshakeData)
            }
            network.setSilent(state.withLock { $0.faults.isSilent }, id)
            handle(.connected(id, handshake))
        }
    }

    func receive(_ messages: [Message], on id: ConnectionID) {
        for message in messages {
            let (isHere, endsNow) = state.withLock { state -> (Bool, Bool) in
                guard state.connections.contains(id) else { return (false, false) }
                let isOfApp = state.record.note(message, state.session.read(message), dialect, format)
                guard isOfApp, let left = state.ending?.messages else { return (true, false) }
                state.ending?.messages = left - 1
                return (true, left <= 1)
            }
            guard isHere else { return }
            handle(.received(id, message))
            if endsNow { endAll() }
        }
    }

    /// Ends every connection as `disconnects` said.
    func endAll() {
        let ending = state.withLock { state in
            defer { state.ending = nil }
            return state.ending
        }
        if let code = ending?.code {
            handle(.command(.close(nil, code, reason: "")))
        } else {
            handle(.command(.drop(nil)))
        }
    }

    func closed(_ id: ConnectionID, _ code: CloseCode, reason: String) {
        lost(id)
        if !state.withLock({ $0.faults.isSilent }) { end(id) { $0.close(code, reason: reason) } }
    }

    func lost(_ id: ConnectionID) {
        guard state.withLock({ $0.connections.remove(id) }) != nil else { return }
        handle(.closed(id))
    }

    // MARK: The session

    func handle(_ input: ServerInput) {
        advance { state, now, effects in state.session.handle(input, at: now, into: &effects) }
    }

    /// A step of the session, or of its streams, and what follows from it.
    func advance(_ body: (inout State, Moment, inout [ServerEffect]) -> Void) {
        let now = time.now
        let effects = state.withLock { state -> [ServerEffect] in
            guard state.isUp else { return [] }
            var effects: [ServerEffect] = []
            body(&state, now, &effects)
            return effects
        }
        for effect in effects { perform(effect) }
        // Virtual time stands still for large values.
        for case .work(let work) in effects { handle(.worked(work.done())) }
        // A network in memory takes whatever there is, but what was decided before goes first.
        for case .awaitRoom(let id) in effects { handle(.room(id)) }
        setAlarm()
    }

    private func setAlarm() {
        let old = state.withLock { state -> VirtualTime.Ticket? in
            let due =
                state.isUp ? [state.session.deadline, state.desk.deadline].compactMap(\.self).min() : nil
            guard due != state.alarm?.due else { return nil }
            let old = state.alarm?.ticket
            state.alarm = due.map { due in
                (
                    time.add(.world, at: due) { [weak self] in
                        self?.state.withLock { $0.alarm = nil }
                        self?.advance { state, now, effects in
                            state.desk.expire(in: &state.session, at: now, into: &effects)
                        }
                        self?.handle(.timerFired)
                    }, due
                )
            }
            return old
        }
        if let old { time.remove(old) }
    }

    private func perform(_ effect: ServerEffect) {
        switch effect {
        case .send(let id, let message): network.toClient(id) { $0.send([message]) }
        case .close(let id, let code, let reason, _):
            end(id) { $0.close(code, reason: reason) }
        case .drop(let id): end(id) { $0.fail() }
        case .flood(let id, var flood):
            while let message = flood.next() { network.toClient(id) { $0.send([message]) } }
        case .ask(let id, let frame): answer(dialect.event(frame), frame, nil, to: id)
        case .tell(let told):
            guard told.event[0]?.keywordValue?.namespace != "chsk" else { return }
            answer(try? Event(validating: told.event), told.event, told.callback, to: told.connection)
        case .serve(let request): answer(request)
        case .stream(let id, let name, let event): perform(event, of: name, on: id)
        case .agreedOnStreams(let id):
            for download in streams.downloads { offer(download, to: .connection(id)) }
        case .subscription(let id, let channel, let isThere):
            advance { state, now, effects in
                state.desk.note(
                    id, isSubscribed: isThere, to: channel, in: &state.session, at: now, into: &effects)
            }
        case .record, .remoteSignals, .awaitRoom, .work, .pauseReading, .resumeReading: break
        }
    }

    private func end(_ id: ConnectionID, _ body: @escaping @Sendable (InMemoryPeer) -> Void) {
        state.withLock { _ = $0.connections.remove(id) }
        network.toClient(id) { [network] peer in
            body(peer)
            network.forget(id)
        }
    }

    // MARK: Answers

    private func answer(_ event: Event?, _ frame: Value, _ callback: Value?, to id: ConnectionID) {
        guard let event, let body = state.withLock({ $0.answers.events[event.id] }) else {
            return handle(.command(.echo(frame, callback: callback, to: id)))
        }
        app.start { [weak self] in
            guard let value = await body(event), let self else { return }
            order(dialect.reply(value, to: event, callback, id))
        }
    }

    private func answer(_ request: ServedRequest) {
        let name = request.channel.stringValue ?? ""
        guard let body = state.withLock({ $0.answers.requests[name] }) else { return }
        app.start { [weak self] in
            let (data, isError) = await ScriptedAnswers.result { try await body(request.data) }
            self?.order(.answer(data, requestID: request.id, isError: isError))
        }
    }
}
