// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// Application events.
extension SenteClient {
    /// Sends an event, and returns when it was handed to the network.
    ///
    /// While the client connects the event waits in the outbox.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - options: How it is sent. The default is as any other.
    /// - Throws: `notConnected`, `outboxFull`, `expired`, `invalidArgument`, `messageTooLarge`, `unencodable`,
    ///   `connectionLost`, `disconnected`, `cancelled`; the error's `outcome` says what became of it.
    public func send(_ event: Event, options: SendOptions = SendOptions()) async throws(SenteError) {
        _ = try await submit(.event(event), options, awaits: .written)
    }

    /// Sends an event, and waits for the server's reply to it.
    ///
    /// Servers of `sente` name the call in their reply. Those of `senteLiteVectors` answer with an event: the reply is the
    /// data of the one that has the same `:request-id` as the data sent, or of the server's `:sente-lite/echo` of it.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - timeout: How long to wait, queueing included.
    ///   - options: How it is sent. The default is as any other.
    /// - Returns: The reply.
    /// - Throws: `unsupported` where the server's dialect has no replies to events (`senteLiteMaps`): use the
    ///   form with `reply:` there; `timedOut`, and what `send` throws.
    public func send(
        _ event: Event, timeout: Duration, options: SendOptions = SendOptions()
    ) async throws(SenteError) -> Value {
        try checkAnswers()
        let answer = try await submit(.event(event), options, limit: timeout, awaits: .reply)
        guard case .value(let value) = answer else { throw .mismatched(answer) }
        return value
    }

    /// Sends an event, and waits for another that answers it: the first for which `reply` holds.
    ///
    /// For servers that answer an event with an event. `reply` runs where the client's closures run, in order
    /// with them; let it look at something that only this call's answer carries.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - timeout: How long to wait, queueing included.
    ///   - options: How it is sent. The default is as any other.
    ///   - reply: Tells the answer.
    /// - Returns: The answer's data.
    /// - Throws: `timedOut`, and what `send` throws.
    public func send(
        _ event: Event, timeout: Duration, options: SendOptions = SendOptions(),
        reply: @escaping @Sendable (Event) -> Bool
    ) async throws(SenteError) -> Value {
        let submissions = driver.submissions
        let call = submissions.makeCall()
        let registration = driver.closures.register(.allEvents) { element in
            guard case .event(let candidate, _) = element, reply(candidate) else { return }
            submissions.post(.settle(call, candidate.data))
        }
        defer { registration.cancel() }
        let answer = try await submit(
            .event(event), options, limit: timeout, awaits: .settlement, as: call)
        guard case .value(let value) = answer else { throw .mismatched(answer) }
        return value
    }

    /// Sends an event without waiting, in the order of the calls.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - options: How it is sent. The default is as any other.
    /// - Returns: What tells the outcome, for those who want to know.
    /// - Throws: `notConnected`, `outboxFull`, `invalidArgument`, `messageTooLarge`, `storeFailed`; nothing was sent then.
    @discardableResult
    public func enqueue(
        _ event: Event, options: SendOptions = SendOptions()
    ) throws(SenteError) -> Delivery {
        try enqueue(.event(event), options, awaits: .written, DeliveryResult())
    }

    /// Refuses what needs a reply where none can come; before the first greeting nobody knows.
    func checkAnswers() throws(SenteError) {
        guard let dialect = driver.submissions.dialect ?? configuration.dialect,
            !dialect.capabilities.answersEvents
        else { return }
        throw counted(
            SenteError(
                .unsupported,
                "Servers of the dialect \(dialect.rawValue) do not answer events: use send(_:timeout:reply:), "
                    + "or request(_:on:).",
                outcome: .notSent))
    }

    func enqueue(
        _ outbound: consuming Outbound, _ options: SendOptions = SendOptions(), limit: Duration? = nil,
        answerLimit: Duration? = nil, awaits awaited: Awaited, _ result: DeliveryResult
    ) throws(SenteError) -> Delivery {
        let said = outbound.headed(by: options.headers)
        let (call, weight) = try begin(said, options)
        let id = try keep(said, options, awaited)
        let submission = Submission(
            said, weight: weight, options: options, limit: limit, answerLimit: answerLimit, awaits: awaited,
            id: id, trace: nextTrace)
        let command = Command.submit(call, submission)
        if let refusal = driver.submissions.submit(call, .delivery(result), command, weight: weight) {
            forget(id, refusal)
            throw refusal
        }
        return Delivery(self, call, result)
    }

    /// Runs `body` for each event of an id, in order, one closure of the client at a time, never on the loop.
    ///
    /// To use the client inside, capture it weakly, or it is never released.
    @discardableResult
    public func on(_ id: Keyword, _ body: @escaping @Sendable (Event) -> Void) -> Registration {
        driver.closures.register(.event(id)) { element in
            if case .event(let event, _) = element { body(event) }
        }
    }

    /// Runs `body` on the main actor for each event of an id, in order.
    @discardableResult
    public func on(
        _ id: Keyword, mainActor body: @escaping @MainActor @Sendable (Event) -> Void
    ) -> Registration {
        driver.closures.register(
            .event(id),
            awaited: { element in
                if case .event(let event, _) = element { await body(event) }
            })
    }

    /// Every application event, for any number of consumers.
    ///
    /// Each `for await` loop hears what comes from its start on.
    public var events: Events { Events(self) }
}
