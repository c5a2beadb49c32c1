// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteCore
public import SenteSignals
public import SenteTelemetry
import SenteTransport
public import SenteWire

/// Sends signals to the server that a client is connected to, as `[:tel/batch [{…} …]]`; in maps as
/// `{"type":"tel/batch","signals":[…]}`.
///
/// ```swift
/// telemetry.add(RemoteHandler(client), as: "server")
/// ```
///
/// They wait, within bounds, while there is no connection. What may have arrived is never sent again, so each arrives once at
/// most. What could not go, for want of room or because all ends, goes to the local handler, and so does what nobody knows of,
/// whether it arrived. Secrets are replaced by `…` before they leave, and nothing tells of its own sending.
///
/// It does not keep the client.
public final class RemoteHandler: TelemetryHandler {
    /// Where signals go.
    public enum Mode: String, Sendable, CaseIterable {
        /// To the local handler alone.
        case local
        /// To the server; to the local handler what cannot go there.
        case remote
        /// To both.
        case hybrid
    }

    /// How signals are sent.
    public struct Settings: Sendable {
        /// Where signals go.
        ///
        /// The default is `remote`.
        public var mode = Mode.remote
        /// Which signals go to the server.
        ///
        /// The default is errors, warnings, user actions and performance.
        public var include = RemoteInclude.documented
        /// How many go at once; fewer go when the oldest has waited for `interval`.
        ///
        /// The default is 10.
        public var batch = 10
        /// How long a signal waits for others.
        ///
        /// The default is 1 s.
        public var interval = Duration.seconds(1)
        /// How many wait for a connection at most; the oldest make room.
        ///
        /// The default is 1,000.
        public var maximumCount = 1_000
        /// How many bytes these have at most.
        ///
        /// The default is 1 MiB.
        public var maximumBytes = 1 << 20
        /// How long the server may take to answer a batch; nil asks for no answer, and what was handed to the network counts as
        /// sent.
        ///
        /// Ask only a server that answers these events, in a dialect that has replies. The default is nil.
        public var answerLimit: Duration?
        /// What is hidden.
        ///
        /// The default hides the fields that `Redaction.secretWords` mark.
        public var redaction = Redaction()

        /// The defaults.
        public init() {}
    }

    private struct State {
        var batcher: RemoteBatcher
        weak var client: (any RealtimeClient)?
        var alarm: Task<Void, Never>?
        /// When the last batch was under way, in milliseconds since 1970.
        var sending: ClosedRange<Int64>?
        var tasks: [Task<Void, Never>] = []
    }

    private let settings: Settings
    private let local: any TelemetryHandler
    private let pause: @Sendable (Duration) async throws -> Void
    private let now: @Sendable () -> Instant
    private let state: LockedValue<State>
    private let wake: AsyncStream<Void>.Continuation

    /// Makes a handler that sends through a client.
    ///
    /// - Parameters:
    ///   - client: Connects when the app says so; it is not kept.
    ///   - settings: How signals are sent.
    ///   - local: Takes what does not go to the server. The default writes lines to standard error.
    ///   - clock: Measures `interval`. The default is the system's; a test gives its world's.
    public init(
        _ client: any RealtimeClient, _ settings: Settings = Settings(),
        local: some TelemetryHandler = StandardErrorHandler(), clock: some Clock<Duration> = ContinuousClock()
    ) {
        self.settings = settings
        self.local = local
        let start = clock.now
        now = { Instant(nanoseconds: 0).advanced(by: start.duration(to: clock.now)) }
        pause = { try await clock.sleep(until: clock.now.advanced(by: $0), tolerance: nil) }
        state = LockedValue(
            State(
                batcher: RemoteBatcher(
                    .init(
                        count: settings.batch, interval: settings.interval,
                        maximumCount: settings.maximumCount, maximumBytes: settings.maximumBytes)),
                client: client))
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.wake = wake
        let states = client.states
        let following = Task { [weak self] in
            for await status in states { self?.follow(status) }
            self?.follow(ConnectionStatus())
        }
        let sending = Task { [weak self] in
            for await _ in wakes { await self?.sendWhatIsDue() }
        }
        state.withLock { $0.tasks = [following, sending] }
    }

    deinit {
        wake.finish()
        for task in state.withLock({ $0.tasks + [$0.alarm].compactMap { $0 } }) { task.cancel() }
    }

    // MARK: What comes

    /// Takes signals.
    public func handle(_ batch: SignalBatch) throws {
        var refused: [Signal] = []
        if settings.mode != .local {
            let admitted = batch.filter { settings.include.admits($0) && !isOfSending($0) }
            for signal in admitted {
                let value = signal.redacted(by: settings.redaction).value
                let item = RemoteBatcher.Item(value, weight: value.weight)
                let now = now()
                refused += signals(of: state.withLock { $0.batcher.add(item, at: now) })
            }
            if !admitted.isEmpty { wake.yield() }
        }
        if settings.mode != .remote { try local.handle(batch) }
        try giveBack(refused)
    }

    /// What the client says while a batch is under way may be about the batch.
    private func isOfSending(_ signal: Signal) -> Bool {
        guard signal.namespace.hasPrefix("sente-lite"), let sending = state.withLock({ $0.sending }) else {
            return false
        }
        return sending.contains(signal.time / 1_000_000)
    }

    private func follow(_ status: ConnectionStatus) {
        state.withLock { $0.batcher.connectionChanged(isOpen: status.state == .open) }
        wake.yield()
    }

    // MARK: What goes

    private func sendWhatIsDue() async {
        while true {
            let now = now()
            let (batch, client) = state.withLock { ($0.batcher.next(at: now), $0.client) }
            guard let batch else { break }
            let outcome = await send(batch.map(\.value), by: client)
            let end = self.now()
            let refused = state.withLock { $0.batcher.ended(outcome, at: end) }
            try? giveBack(signals(of: refused))
        }
        setAlarm()
    }

    private func send(
        _ values: [Value], by client: (any RealtimeClient)?
    ) async -> RemoteBatcher.Outcome {
        guard let client else { return .notSent }
        let began = Self.milliseconds
        state.withLock { $0.sending = began...Int64.max }
        defer { state.withLock { $0.sending = began...max(began, Self.milliseconds) } }
        let isMaps = client.status.dialect == .senteLiteMaps
        let data: Value = isMaps ? ["signals": .vector(values)] : .vector(values)
        do throws(SenteError) {
            let event = Event("tel/batch", data)
            if let limit = settings.answerLimit {
                _ = try await client.send(event, timeout: limit)
            } else {
                try await client.send(event)
            }
            return .sent
        } catch {
            return error.outcome == .notSent ? .notSent : .unknown
        }
    }

    private func setAlarm() {
        let now = now()
        state.withLock { state in
            state.alarm?.cancel()
            guard let deadline = state.batcher.deadline else { return state.alarm = nil }
            let wait = max(.zero, now.duration(to: deadline))
            state.alarm = Task { [pause, wake] in
                do { try await pause(wait) } catch { return }
                wake.yield()
            }
        }
    }

    // MARK: What cannot go

    private func giveBack(_ signals: [Signal]) throws {
        guard !signals.isEmpty, settings.mode == .remote else { return }
        try local.handle(SignalBatch(signals))
    }

    private func signals(of items: [RemoteBatcher.Item]) -> [Signal] {
        items.compactMap { Signal($0.value, at: 0) }
    }

    /// How many signals wait for the server, or are on their way.
    public var waiting: Int { state.withLock { $0.batcher.count } }

    /// Sends at once what waits for company, and returns when nothing waits any more.
    ///
    /// - Parameter limit: How long it may take. The default is 6 s.
    /// - Returns: Whether nothing waits.
    @discardableResult
    public func drain(within limit: Duration = .seconds(6)) async -> Bool {
        let end = now().advanced(by: limit)
        try? flush()
        while waiting > 0 {
            let rest = now().duration(to: end)
            guard rest > .zero else { return false }
            do { try await pause(min(rest, .milliseconds(20))) } catch { return waiting == 0 }
        }
        return true
    }

    /// Sends at once what waits for company.
    public func flush() throws {
        state.withLock { $0.batcher.hurry() }
        wake.yield()
        try local.flush()
    }

    /// Ends; what waits or is on its way goes to the local handler.
    public func stop() {
        wake.finish()
        let (rest, tasks) = state.withLock { state in
            (state.batcher.takeAll(), state.tasks + [state.alarm].compactMap { $0 })
        }
        for task in tasks { task.cancel() }
        try? giveBack(signals(of: rest))
        local.stop()
    }

    private static var milliseconds: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }
}
