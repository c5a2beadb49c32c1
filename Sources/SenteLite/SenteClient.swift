// SPDX-License-Identifier: Apache-2.0

import SenteBase
public import SenteCore
package import SenteTransport
import SenteWire

/// A client of one realtime server: a connection that is kept, subscriptions that are restored, and messages
/// whose outcome is known.
///
/// ```swift
/// let client = try SenteClient("ws://127.0.0.1:3000/")
/// try await client.connect()
/// for await message in try await client.subscribe("news") { print(message.data) }
/// ```
///
/// A client is made closed. It lives until it is released, which disconnects it: keep it. Live sequences and
/// pending calls keep it; states and registrations do not. All of it may be used from any thread.
public final class SenteClient: Sendable {
    /// What the client was made with.
    public var configuration: Configuration { setup.configuration }
    private let setup: LinkSetup
    let driver: Driver
    let host: any Host
    private let durables: DurableMessages?
    // Told apart once, for every message asks.
    private let largeData: LargeDataSettings?
    /// `timeouts.request`.
    let requestLimit: Duration
    private let leavePath: (@Sendable () -> Void)?

    /// Makes a client for a `ws:` URL; nothing is opened yet.
    ///
    /// Throws `invalidArgument`, naming what is wrong with the URL or a setting, `unavailable` when the
    /// system has no thread or descriptor left, and `storeFailed` when `outboxStore` cannot be read.
    public convenience init(_ url: String, configuration: Configuration = .init()) throws(SenteError) {
        try self.init(
            url, configuration: configuration, host: try configuration.loop.host(),
            transport: configuration.transport.transport)
    }

    /// A client on another host and transport; `seed` is for jitter and identifiers.
    package init(
        _ url: String, configuration: Configuration, host: any Host, transport: any Transport,
        seed: UInt64? = nil
    ) throws(SenteError) {
        try configuration.check()
        var configuration = configuration
        configuration.completeClientID(for: url) { host.entropy.uuid().description }
        let setup = LinkSetup(url: url, configuration: configuration)
        if let problem = setup.problem { throw SenteError(.invalidArgument, problem) }
        let engine = ClientEngine(
            configuration: configuration.session(for: url), sizes: configuration.limits,
            random: Generator(seed: seed ?? host.entropy.seed())
        ) { (first, sizes) throws(SenteError) in try setup.detector.detect(first, sizes: sizes) }
        self.setup = setup
        largeData = configuration.largeData?.settings
        requestLimit = configuration.timeouts.request
        self.host = host
        var durables: DurableMessages?
        if let store = configuration.outboxStore, let clientID = configuration.clientID {
            durables = try DurableMessages(store, for: clientID)
        }
        self.durables = durables
        driver = Driver(
            engine: engine, setup: setup, durables: durables, host: host, transport: transport)
        durables?.restore(to: driver.submissions)
        configuration.log?.follow(driver.signals)
        leavePath = configuration.networkPath.source(on: host)?.observe {
            [submissions = driver.submissions] change in
            submissions.post([.input(.pathChanged(change))])
        }
    }

    deinit {
        leavePath?()
        driver.closures.finish()
        driver.board.finish()
        driver.submissions.close()
    }

    // MARK: The connection

    /// Where the client stands, as of the loop's last turn.
    public var state: ConnectionState { driver.board.state }

    /// Everything it says of its connection, as of the loop's last turn.
    public var status: ConnectionStatus { driver.board.status }

    /// Each status from the current one on, for any number of consumers.
    ///
    /// It does not keep the client, and ends with it.
    public var states: States { States { [board = driver.board] in board.makeIterator() } }

    /// Runs `body` at each change of the status, in order, one closure of the client at a time, never on the
    /// loop.
    @discardableResult
    public func onStateChange(
        _ body: @escaping @Sendable (_ old: ConnectionStatus, _ new: ConnectionStatus) -> Void
    ) -> Registration {
        driver.closures.register(.plain { change in body(change.old, change.new) })
    }

    /// Runs `body` on the main actor at each change of the status, in order.
    @discardableResult
    public func onStateChange(
        mainActor body:
            @escaping @MainActor @Sendable (_ old: ConnectionStatus, _ new: ConnectionStatus) -> Void
    ) -> Registration {
        driver.closures.register(.awaited { change in await body(change.old, change.new) })
    }

    /// What the client does and meets, as data: states with their causes, attempts, errors, gaps, drops.
    ///
    /// ```swift
    /// for await signal in client.signals where signal.level >= .warn { print(signal) }
    /// ```
    public var signals: Signals { Signals(driver.signals) }

    /// Connects, and waits until the client is open; returns at once when it is.
    ///
    /// While the client connects already this joins in; during `closing` it starts anew once closed.
    ///
    /// - Parameter timeout: How long to wait; nil waits for ever. The default is 30 s.
    /// - Throws: `timedOut` or `cancelled`, which end the waiting and not the connecting; whatever made the
    ///   client give up (`failed`); `disconnected` when `disconnect()` wins.
    public func connect(timeout: Duration? = .seconds(30)) async throws(SenteError) {
        _ = try await call { .connect($0, limit: timeout) }
    }

    /// Disconnects, in every state, and returns when the client is closed.
    ///
    /// What waits to be sent resolves *not sent*, what is under way *unknown*; nothing comes back afterwards,
    /// and wishes stay. It takes at most `timeouts.close`, also when the task is cancelled.
    public func disconnect() async {
        await driver.submissions.perform { .disconnect($0) }
    }

    /// Connects anew at once, whatever the backoff says; an open connection is replaced.
    public func reconnect() {
        driver.submissions.post(.reconnect)
    }

    /// Sends the dialect's ping; how long its answer took.
    ///
    /// - Throws: `notConnected` unless open, `timedOut` after `timeouts.request`, `connectionLost`,
    ///   `cancelled`.
    public func ping() async throws(SenteError) -> Duration {
        let answer = try await call { .ping($0) }
        guard case .roundTrip(let time) = answer else { throw .mismatched(answer) }
        return time
    }

    /// What the client has done so far, in numbers, as of the loop's last turn.
    public var metrics: ClientMetrics { driver.board.metrics(at: host.now.instant) }
}

// MARK: Calls

extension SenteClient {
    /// Posts a command and waits for its answer; cancelling the task cancels the call.
    ///
    /// With an outbound's weight it counts in the outbox's bounds, and is refused on this thread when that is
    /// full.
    func call(
        weight: Int? = nil, receiver: (InboxID, any InboxReceiver)? = nil, as known: CallID? = nil,
        durable: String? = nil, isolation: isolated (any Actor)? = #isolation, _ command: (CallID) -> Command
    ) async throws(SenteError) -> Answer {
        let submissions = driver.submissions
        guard !Task.isCancelled else {
            forget(durable, .cancelledBeforehand)
            throw counted(.cancelledBeforehand)
        }
        let call = known ?? submissions.makeCall()
        let result: Result<Answer, SenteError> = await withTaskCancellationHandler {
            await withUnsafeContinuation(isolation: isolation) { continuation in
                if let weight {
                    let refusal = submissions.submit(
                        call, .task(continuation), command(call), weight: weight)
                    if let refusal {
                        forget(durable, refusal)
                        return continuation.resume(returning: .failure(refusal))
                    }
                } else {
                    var entries = [SubmissionQueue.Entry.call(call, .task(continuation), command(call))]
                    if let (inbox, receiver) = receiver { entries.insert(.receiver(inbox, receiver), at: 0) }
                    submissions.post(entries)
                }
                // The handler may have run before there was a call to cancel.
                if Task.isCancelled { submissions.post(.cancel(call)) }
            }
        } onCancel: {
            submissions.post(.cancel(call))
        }
        return try result.get()
    }

    /// Sends through the outbox and waits for what `awaited` says.
    func submit(
        _ outbound: consuming Outbound, _ options: SendOptions = SendOptions(), limit: Duration? = nil,
        answerLimit: Duration? = nil, awaits awaited: Awaited, as known: CallID? = nil
    ) async throws(SenteError) -> Answer {
        let said = outbound.headed(by: options.headers)
        let (call, weight) = try begin(said, options)
        let id = try keep(said, options, awaited)
        let trace = nextTrace
        return try await self.call(weight: weight, as: known ?? call, durable: id) {
            .submit(
                $0,
                Submission(
                    said, weight: weight, options: options, limit: limit, answerLimit: answerLimit,
                    awaits: awaited, id: id, trace: trace))
        }
    }

    /// Keeps a durable message before it is sent, and gives its id; nil for any other.
    func keep(
        _ outbound: Outbound, _ options: SendOptions, _ awaited: Awaited
    ) throws(SenteError) -> String? {
        guard options.durable else { return nil }
        return try counted { () throws(SenteError) in
            guard options.headers.isEmpty else {
                throw SenteError(
                    .invalidArgument, "A durable message carries no headers: leave one of both out.",
                    outcome: .notSent)
            }
            guard let durables else {
                throw SenteError(
                    .invalidArgument,
                    "A durable message needs a place: give the configuration an `outboxStore`.",
                    outcome: .notSent)
            }
            let id = host.entropy.uuid().description
            try durables.keep(outbound, options, awaited, id: id)
            return id
        }
    }

    /// A durable message was refused after it was kept.
    func forget(_ id: String?, _ refusal: SenteError) {
        guard let id else { return }
        durables?.settled(id, .failure(refusal), driver.submissions)
    }

    /// Checks a message, weighs it, and gives its call a number.
    func begin(_ outbound: Outbound, _ options: SendOptions) throws(SenteError) -> (CallID, weight: Int) {
        let (call, spoken, largest) = driver.submissions.beginCall()
        guard largeData != nil, let standIn = try standIn(for: outbound, options) else {
            return (call, try check(outbound, by: spoken, largest: largest))
        }
        _ = try check(outbound, by: spoken, largest: .max)
        return (call, standIn.weight)
    }

    /// What takes the room of a message whose data is stored first.
    private func standIn(for outbound: Outbound, _ options: SendOptions) throws(SenteError) -> Outbound? {
        guard let settings = largeData else { return nil }
        return try counted { () throws(SenteError) in try settings.standIn(for: outbound, options) }
    }

    func check(_ outbound: Outbound) throws(SenteError) {
        let submissions = driver.submissions
        _ = try check(outbound, by: submissions.dialect, largest: submissions.largestMessage)
    }

    /// By the dialect of the last greeting; before the first, by the configured one, if any.
    ///
    /// Returns the weight.
    private func check(
        _ outbound: Outbound, by spoken: Dialect?, largest: Int
    ) throws(SenteError) -> Int {
        var limits = configuration.limits
        limits.outgoingMessage = max(limits.outgoingMessage, largest)
        return try counted { () throws(SenteError) in
            try Dialect.check(outbound, for: spoken ?? configuration.dialect, limit: limits)
        }
    }

    /// Runs what may refuse a call on the caller's thread: a refusal counts in the metrics as any other error does.
    func counted<Result>(_ body: () throws(SenteError) -> Result) throws(SenteError) -> Result {
        do throws(SenteError) {
            return try body()
        } catch {
            throw counted(error)
        }
    }

    func counted(_ error: SenteError) -> SenteError {
        driver.submissions.refused(error)
        return error
    }
}

extension SenteError {
    static let cancelledBeforehand = SenteError(
        .cancelled, "The task was cancelled before the call.", outcome: .notSent)

    /// An answer of another kind than was asked for; no server can cause it.
    static func mismatched(_ answer: Answer) -> SenteError {
        SenteError(
            .protocolMismatch,
            "The answer is not one to this call. That is a fault of this package: please report it.",
            underlying: String(describing: answer))
    }
}

extension Entropy {
    func seed() -> UInt64 {
        withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { buffer in
            fill(buffer)
            return buffer.loadUnaligned(as: UInt64.self)
        }
    }

    /// A random UUID (RFC 9562 §5.4).
    func uuid() -> UniqueID {
        UniqueID(
            high: seed() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000,
            low: seed() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }
}
