// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Data that is too large to be sent: it is stored first, or fetched before it is handed over, in the order of its channel.
extension Session {
    // MARK: Out

    /// Whether a message waits, where there is a storage: for its data to be stored, or behind one of its channel for which that holds.
    mutating func waitsForStorage(
        _ outbound: Outbound, _ options: SendOptions, for call: CallID
    ) -> Bool {
        // What the app wants to survive the process has its place in another order, that of its store.
        guard !options.durable else { return false }
        let data = largeData[0].settings.storedData(of: outbound, options)
        let place = outbound.orderedPlace.map { LargeMessages.Ahead(place: $0, priority: options.priority) }
        guard data != nil || largeData[0].sends.holds(place) else { return false }
        let weight = data?.weight ?? outbound.weight
        if let code = refusal(ofLarge: data != nil, weighing: weight) {
            drop(call, code)
            return true
        }
        largeData[0].sends.append(
            LargeData.Send(call: call, outbound: outbound, options: options), at: place, weighing: weight,
            data.map { .store($0) })
        beginStorageWork()
        return true
    }

    /// Large ones have bounds of their own; what waits behind them counts as if it were in the outbox.
    private func refusal(ofLarge isLarge: Bool, weighing weight: Int) -> SenteError.Code? {
        let sends = largeData[0].sends
        if isLarge {
            let hasRoom =
                sends.large.count == 0
                || sends.large.count < LargeDataSettings.maximumWaiting
                    && sends.large.weight + weight <= largeData[0].settings.maximumBytes
            return hasRoom ? nil : .outboxFull
        }
        let load = outbox.load + OutboxPolicy.Load(messages: sends.others.count, bytes: sends.others.weight)
        switch configuration.outbox.admission(of: weight, beside: load, largest: largestMessage) {
        case .accepted, .waits: return nil
        case .refused(let code): return code
        case .replacesOldest: return .outboxFull
        }
    }

    /// A call ends that waits here; false when it does not.
    mutating func stopStoring(_ call: CallID) -> Bool {
        guard !largeData.isEmpty else { return false }
        let (gone, calledOff) = largeData[0].sends.remove { $0.call == call }
        guard !gone.isEmpty else { return false }
        callOff(calledOff)
        beginStorageWork()
        releaseSends()
        return true
    }

    /// Nothing will be sent any more.
    mutating func emptyLargeSends(_ error: SenteError) {
        guard !largeData.isEmpty else { return }
        let (gone, calledOff) = largeData[0].sends.remove { _ in true }
        callOff(calledOff)
        for send in gone {
            effects.append(.record(.dropped(reason: error.code)))
            resolve(send.call, .failure(error.with(outcome: .notSent)))
        }
    }

    /// What nothing holds back any more goes where it would have gone at once.
    private mutating func releaseSends() {
        for send in largeData[0].sends.takeReady() { queue(send.outbound, send.options, for: send.call) }
    }

    // MARK: In

    /// Whether something waits, where there is a storage: for what its reference names, or behind something of its channel for which that holds.
    mutating func waitsForStorage(_ inbound: Inbound, _ size: Int) -> Bool {
        guard largeData[0].settings.isAutomatic, let (name, data) = inbound.addressed
        else { return false }
        let place = LargeMessages.Ahead(place: name, priority: .normal)
        let reference = wantedReference(data)
        guard reference != nil || largeData[0].arrivals.holds(place) else { return false }
        largeData[0].arrivals.append(
            LargeData.Arrival(inbound: inbound, size: size), at: place, weighing: reference?.size ?? size,
            reference.map { .fetch($0) })
        endFetchingIfFull(place)
        beginStorageWork()
        return true
    }

    /// The reference that is to be fetched; one that makes no sense, or names too much, is handed over as it came.
    private mutating func wantedReference(_ data: Value) -> LargeDataReference? {
        do throws(SenteError) {
            guard let reference = try LargeDataReference.read(data) else { return nil }
            let limit = largeData[0].settings.maximumBytes
            guard reference.size <= limit else { throw .tooLargeToFetch(reference.size, limit: limit) }
            return reference
        } catch {
            effects.append(.record(.largeData(.failed(error))))
            return nil
        }
    }

    /// What waits here is bounded as an inbox is, for each channel; beyond that, nothing is fetched that would hold up more.
    private mutating func endFetchingIfFull(_ place: LargeMessages.Ahead) {
        let load = largeData[0].arrivals.load(of: place)
        let policy = configuration.inbox
        guard load.count > policy.maximumMessages || load.weight > policy.maximumBytes else { return }
        callOff(largeData[0].arrivals.giveUp(place))
        let error = SenteError(
            .quotaExceeded,
            "More came behind references than an inbox holds before the storage had answered: the references were "
                + "handed over as they came. Fetch them by hand, or raise `inbox`.")
        effects.append(.record(.largeData(.failed(error))))
        releaseArrivals()
    }

    /// After `disconnect()` nothing is handed over any more.
    mutating func dropArrivals() {
        guard !largeData.isEmpty else { return }
        let (gone, calledOff) = largeData[0].arrivals.remove { _ in true }
        callOff(calledOff)
        for _ in gone { ignore(.unheard) }
    }

    private mutating func releaseArrivals() {
        for arrival in largeData[0].arrivals.takeReady() { handOver(arrival.inbound, size: arrival.size) }
    }

    // MARK: By hand

    mutating func fetch(_ call: CallID, _ reference: LargeDataReference) {
        calls.add(call, Call(purpose: .fetch, phase: .waiting))
        guard !largeData.isEmpty else {
            let text = "There is no storage to fetch from: give the configuration a `largeData`."
            return resolve(call, .failure(SenteError(.invalidArgument, text)))
        }
        let limit = largeData[0].settings.maximumBytes
        guard reference.size <= limit else {
            return resolve(call, .failure(.tooLargeToFetch(reference.size, limit: limit)))
        }
        largeData[0].fetches.append(call, at: nil, weighing: reference.size, .fetch(reference))
        beginStorageWork()
    }

    mutating func stopFetching(_ call: CallID) {
        callOff(largeData[0].fetches.remove { $0 == call }.calledOff)
        beginStorageWork()
    }

    // MARK: The storage

    /// The storage is done with one piece of work.
    mutating func storageDone(_ id: StorageID, _ outcome: StorageOutcome) {
        guard !largeData.isEmpty else { return }
        if let since = largeData[0].sends.end(id, { $0.take(outcome) }) {
            note(outcome, since: since)
            if case .failed(let error) = outcome { couldNotStore(error) }
        } else if let since = largeData[0].arrivals.end(id, { $0.take(outcome) }) {
            note(outcome, since: since)
        } else if let since = largeData[0].fetches.end(id, { _ in }) {
            note(outcome, since: since)
            for call in largeData[0].fetches.takeReady() { fetched(call, outcome) }
        }
        beginStorageWork()
        releaseSends()
        releaseArrivals()
    }

    private mutating func note(_ outcome: StorageOutcome, since start: Instant) {
        let time = start.duration(to: now.instant)
        let signal: LargeDataSignal =
            switch outcome {
            case .stored(let reference): .stored(bytes: reference.size, time)
            case .fetched(let value): .fetched(bytes: value.weight, time)
            case .failed(let error): .failed(error)
            }
        effects.append(.record(.largeData(signal)))
    }

    /// The call whose data was to be stored has failed, and nothing of it was sent.
    private mutating func couldNotStore(_ error: SenteError) {
        for send in largeData[0].sends.remove(where: \.hasFailed).elements {
            effects.append(.record(.dropped(reason: error.code)))
            resolve(send.call, .failure(error.with(outcome: .notSent)))
        }
    }

    private mutating func fetched(_ call: CallID, _ outcome: StorageOutcome) {
        switch outcome {
        case .fetched(let value): resolve(call, .success(.value(value)))
        case .failed(let error): resolve(call, .failure(error))
        case .stored: break
        }
    }

    /// Work has taken too long.
    mutating func expireStorageWork() {
        while let id = largeData.first?.overdue(at: now.instant) {
            callOff([id])
            let error = SenteError(
                .timedOut,
                "The storage was not done within \(largeData[0].settings.timeout.readable): see whether it can be reached, or "
                    + "raise `largeData.timeout`.")
            storageDone(id, .failed(error))
        }
    }

    /// Whatever may begin does: something ended, came, or was consumed.
    mutating func beginStorageWork() {
        let (instant, inboxes) = (now.instant, inboxes)
        let begun = largeData[0].begin(at: instant, roomOfInbox: configuration.inbox.maximumBytes) {
            inboxes.leastLoad(of: $0.filters)
        }
        for (id, work) in begun { effects.append(.storage(id, work)) }
    }

    /// Whether something waits for the app to consume what it has.
    var storageAwaitsConsumption: Bool { !largeData.isEmpty && largeData[0].arrivals.isWaiting }

    private mutating func callOff(_ work: [StorageID]) {
        for id in work { effects.append(.cancelStorage(id)) }
    }
}

extension LargeData.Send {
    /// What is stored goes as a reference.
    fileprivate mutating func take(_ outcome: StorageOutcome) {
        switch outcome {
        case .stored(let reference): outbound = outbound.with(data: reference.value)
        case .failed: hasFailed = true
        case .fetched: break
        }
    }
}

extension LargeData.Arrival {
    /// What was fetched stands in place of its reference; if nothing could be, the reference stays.
    fileprivate mutating func take(_ outcome: StorageOutcome) {
        guard case .fetched(let value) = outcome else { return }
        inbound = inbound.with(data: value)
        size = max(size, value.weight)
    }
}

extension Inbound {
    /// Who hears it.
    fileprivate var filters: [InboxFilter] {
        switch self {
        case .delivery(let message): [.channel(WireName(message.channel))]
        case .request(let request): [.requests(WireName(request.channel))]
        case .event(let event): [.event(event.id), .allEvents]
        default: []
        }
    }

    /// Where it keeps its order, and what it says; nil for what is no message, request or event.
    fileprivate var addressed: (WireName, Value)? {
        switch self {
        case .delivery(let message): (WireName(message.channel), message.data)
        case .request(let request): (WireName(request.channel), request.data)
        case .event(let event): (WireName(event.id.text), event.data)
        case .mistraced, .greeting, .reply, .subscriptionLost, .ping, .pong, .failure, .answering,
            .pongAcknowledged, .flow, .noise, .undecodable, .tooLarge, .violation, .challenge, .refused,
            .endpoints, .leaving, .jetStream:
            nil
        }
    }

    fileprivate func with(data: Value) -> Inbound {
        switch self {
        case .delivery(var message):
            message.data = data
            return .delivery(message)
        case .request(var request):
            request.data = data
            return .request(request)
        case .event(let event): return .event(event.with(data: data))
        default: return self
        }
    }
}

extension SenteError {
    /// A reference says that more is there than may be fetched.
    package static func tooLargeToFetch(_ size: Int, limit: Int) -> SenteError {
        SenteError(
            .messageTooLarge,
            "A reference names \(size) bytes, and `largeData.maximumBytes` is \(limit): raise it if the sender is to be "
                + "trusted.")
    }
}
