// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// The whole client but for the doing: a session, and on each link the dialect that reads and spells for it.
///
/// Pure, so that a virtual world runs it as it is. Whoever drives it feeds `handle` with what happened, performs the
/// effects in order. There is one of a client: it cannot be copied, and so never is by the way.
package struct ClientEngine: ~Copyable, Sendable {
    private var session: Session
    private let detect: Detection
    private let sizes: SizeLimits
    /// What came and went and was told to nobody: `refresh` counts it.
    private var untold = (received: MetricsCollector.Volume(), sent: MetricsCollector.Volume())

    /// Makes what reads and writes on a link of its first message; throws when nobody here understands it.
    package typealias Detection =
        @Sendable (_ first: Message, _ sizes: SizeLimits) throws(SenteError) -> any DialectCoder

    package init(
        configuration: SessionConfiguration, sizes: SizeLimits = SizeLimits(), random: Generator,
        detect: @escaping Detection
    ) {
        session = Session(configuration: configuration, random: random)
        self.detect = detect
        self.sizes = sizes
    }

    package var status: ConnectionStatus { session.status }
    package var deadline: Instant? { session.deadline }
    package var subscriptions: [String] { session.subscriptions.wished.map(\.text) }
    /// What reads and writes on the link of the latest greeting.
    package var coder: (any DialectCoder)? { session.coder }
    /// Where the latest attempt went, when there was a choice.
    package var endpoint: String? { session.endpoints.currentURL }
    /// The largest message that may go, where that is more than plain ones may have; else 0.
    package var largestMessage: Int { session.largestMessage }
    package var outboxCount: Int { session.outbox.count }
    package var outboxBytes: Int { session.outbox.bytes }
    /// Whether something in here waits for the app to consume what it was handed.
    package var awaitsConsumption: Bool {
        session.storageAwaitsConsumption || session.followers.awaitConsumption
    }
    package var flowLoad: FlowLoad { session.flowLoad }
    /// Why nothing can be queued now, if so.
    package var refusal: SenteError? { session.refusalToQueue() }

    package func subscription(_ channel: String) -> SubscriptionStatus? { wish(WireName(channel))?.status }

    /// Where the wish for a channel stands; nil when there is none.
    package func wish(_ channel: WireName) -> WishStatus? {
        session.subscriptions.wish(for: channel) ?? session.followers.status(of: channel)
    }

    /// What an app or a provider did, or that the time has come.
    package mutating func handle(_ input: consuming Input, at now: Moment, into effects: inout [Effect]) {
        let before = effects.count
        session.handle(input, at: now, into: &effects)
        countTransmitted(in: &effects, from: before)
    }

    /// Brings a reading up to date.
    ///
    /// What happened, effects tell (`record`, `subscription`), and the reading is told by `note`: so no turn costs more than
    /// what happened in it.
    package mutating func refresh(_ reading: inout Reading, at now: Instant) {
        if untold.received.messages > 0 {
            reading.metrics.count(received: untold.received, at: now)
            untold.received = MetricsCollector.Volume()
        }
        if untold.sent.messages > 0 {
            reading.metrics.count(sent: untold.sent, at: now)
            untold.sent = MetricsCollector.Volume()
        }
        reading.deadline = session.deadline
        reading.load = session.outbox.load + session.stored.load
        reading.gauges.outboxMessages = session.outbox.count
        reading.gauges.outboxBytes = session.outbox.bytes
        reading.gauges.pendingRequests = session.calls.pendingCount
        reading.oldestInOutbox = session.outbox.oldestQueuedAt
    }

    /// Tables in which nothing is any more keep no room for what was.
    package mutating func giveBackMemory() {
        session.calls.giveBackMemory()
        session.outbox.giveBackMemory()
        session.traffic.pending.giveBackMemory()
    }

    /// Several messages of the app come in one turn, and may go together.
    package mutating func beginGathering() { session.beginGathering() }

    /// The turn is over: what was gathered goes.
    package mutating func endGathering(at now: Moment, into effects: inout [Effect]) {
        let before = effects.count
        session.endGathering(at: now, into: &effects)
        countTransmitted(in: &effects, from: before)
    }

    /// What a link says of itself, all of one wake-up; after it whatever is due is done.
    ///
    /// A process that slept finds its answers and its overdue timers at one time: an answer that has been read is not late.
    package mutating func handle(
        _ reports: [LinkReport], of link: LinkID, at now: Moment, into effects: inout [Effect]
    ) {
        let before = effects.count
        for index in reports.indices { accept(reports[index], of: link, at: now, into: &effects) }
        session.expire(at: now, into: &effects)
        countTransmitted(in: &effects, from: before)
    }

    private mutating func accept(
        _ report: LinkReport, of link: LinkID, at now: Moment, into effects: inout [Effect]
    ) {
        switch report {
        case .opened(let opening):
            if opening.isDeflated { session.deflatedLink = link }
            session.accept(.opened(link), at: now, into: &effects)
        case .received(let messages): received(messages, on: link, at: now, into: &effects)
        case .progress: session.accept(.progressed(link), at: now, into: &effects)
        case .wrote(let ids): session.accept(.wrote(link, ids), at: now, into: &effects)
        case .answered(let id, let message):
            session.accept(.wrote(link, [id]), at: now, into: &effects)
            received([message], on: link, at: now, into: &effects)
        case .refused(let refusal): session.accept(.refused(link, refusal), at: now, into: &effects)
        case .closed(let end): session.accept(.closed(link, end), at: now, into: &effects)
        }
    }

    /// Tells of requests no less than this level, a number; at first everything.
    package mutating func tell(from level: Int) {
        session.signalFloor = level
    }

    package mutating func take(_ inbox: InboxID) -> [InboxElement] {
        session.take(inbox)
    }

    /// What comes next of a stream, for a consumer who asks.
    package mutating func takePiece(
        of stream: String, at now: Moment, into effects: inout [Effect]
    ) -> StreamTake {
        let before = effects.count
        defer { countTransmitted(in: &effects, from: before) }
        return session.takePiece(of: stream, at: now, into: &effects)
    }

    private mutating func received(
        _ messages: [Message], on link: LinkID, at now: Moment, into effects: inout [Effect]
    ) {
        guard session.isCurrent(link) else { return }
        var volume = MetricsCollector.Volume()
        for message in messages {
            let size = message.bytes.count
            volume.add(size, largeFrom: sizes.largeMessage)
            guard !session.unpacks(message, of: link) else {
                session.accept(.arrived(link, message), at: now, into: &effects)
                continue
            }
            let inbounds = decode(message, on: link, at: now, into: &effects)
            if session.readsStream {
                volume.messages += inbounds.count - 1
                hear(inbounds, sizes: inbounds.weights, on: link, at: now, into: &effects)
            } else {
                session.accept(
                    .heard(link, Session.Heard(inbounds: inbounds, size: size)), at: now, into: &effects)
            }
        }
        if session.wants(.trace) {
            effects.append(
                .record(.received(messages: volume.messages, bytes: volume.bytes, large: volume.large)))
        } else {
            untold.received.add(volume)
        }
    }

    /// All that a piece of a stream completes.
    ///
    /// Each counts what it weighs: it may have begun many pieces ago, and a piece may hold ten thousand of them.
    private mutating func hear(
        _ inbounds: [Inbound], sizes: [Int], on link: LinkID, at now: Moment, into effects: inout [Effect]
    ) {
        for (inbound, size) in zip(inbounds, sizes) {
            session.accept(.received(link, inbound, size: size), at: now, into: &effects)
        }
    }

    /// The first message of a link shows who speaks; it fixes dialect and format.
    private mutating func decode(
        _ message: Message, on link: LinkID, at now: Moment, into effects: inout [Effect]
    ) -> [Inbound] {
        if let inbounds = session.decode(message, on: link) { return inbounds }
        do throws(SenteError) {
            session.speaks(try detect(message, sizes), on: link)
            return session.decode(message, on: link) ?? []
        } catch {
            if error.closeCode == .messageTooBig { return [.tooLarge(error.message)] }
            session.accept(.mismatched(link, error), at: now, into: &effects)
            return []
        }
    }

    /// Says how much of what these effects transmit.
    private mutating func countTransmitted(in effects: inout [Effect], from start: Int) {
        var volume = MetricsCollector.Volume()
        for index in start..<effects.count {
            guard case .transmit(_, let batch) = effects[index] else { continue }
            for one in batch { volume.add(one.message.bytes.count, largeFrom: sizes.largeMessage) }
        }
        guard volume.messages > 0 else { return }
        if session.wants(.trace) {
            effects.append(
                .record(.transmitted(messages: volume.messages, bytes: volume.bytes, large: volume.large)))
        } else {
            untold.sent.add(volume)
        }
    }
}

extension ClientEngine {
    /// What others than the driver may read of a client, as after a turn.
    package struct Reading: Sendable {
        package fileprivate(set) var deadline: Instant?
        fileprivate var wishes: [WireName: WishStatus] = [:]
        fileprivate var metrics: MetricsCollector
        /// How much waits in the outbox.
        package fileprivate(set) var load = OutboxPolicy.Load()
        /// Those of the outbox and the calls.
        package fileprivate(set) var gauges = MetricsCollector.Gauges()
        /// Since when the oldest message of the outbox waits.
        fileprivate var oldestInOutbox: Instant?

        package init(at now: Moment) {
            metrics = MetricsCollector(at: now.instant)
        }

        package mutating func note(_ signal: SessionSignal, at now: Instant) {
            metrics.record(signal, at: now)
        }

        /// A wish is new, stands otherwise, or is gone.
        package mutating func note(_ wish: WishStatus?, for channel: WireName) {
            wishes[channel] = wish
        }

        package func subscription(_ channel: String) -> SubscriptionStatus? {
            wishes[WireName(channel)]?.status
        }

        /// Wished, in order; a rejected one is not among them.
        package var subscriptions: [String] {
            wishes.filter { $0.value.status.rejection == nil }.sorted { $0.value.place < $1.value.place }
                .map(\.key.text)
        }

        package func metrics(at now: Instant) -> ClientMetrics {
            var gauges = gauges
            gauges.outboxOldestAge = oldestInOutbox.map { $0.duration(to: now) }
            gauges.subscriptionsWished = wishes.values.count { $0.status.rejection == nil }
            gauges.subscriptionsConfirmed = wishes.values.count(where: \.status.isConfirmed)
            return metrics.snapshot(at: now, gauges: gauges)
        }
    }
}
