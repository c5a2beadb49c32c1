// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// The whole client but for the doing: a session, and on each link the dialect that reads and spells for it.
///
/// Pure, so that a virtual world runs it as it is. Whoever drives it feeds `handle` with what happened, performs the
/// effects in order, and turns a `transmit` into messages with `encode`.
package struct ClientEngine: Sendable {
    private var session: Session
    private let detector: DialectDetector
    private let sizes: SizeLimits
    private var metrics: MetricsCollector
    /// Reads and spells on the link that was greeted last, or is being greeted.
    private var coder: (link: LinkID, coder: any DialectCoder)?

    package init(
        configuration: SessionConfiguration, detector: DialectDetector = DialectDetector(),
        sizes: SizeLimits = SizeLimits(), random: Generator, at now: Moment
    ) {
        session = Session(configuration: configuration, random: random)
        self.detector = detector
        self.sizes = sizes
        metrics = MetricsCollector(at: now.instant)
    }

    package var status: ConnectionStatus { session.status }
    package var deadline: Instant? { session.deadline }
    package var subscriptions: [String] { session.subscriptions.wished }
    /// Where the latest attempt went, when there was a choice.
    package var endpoint: String? { session.endpoints.currentURL }
    package var outboxCount: Int { session.outbox.count }
    package var outboxBytes: Int { session.outbox.bytes }
    /// Why nothing can be queued now, if so.
    package var refusal: SenteError? { session.refusalToQueue() }

    package func subscription(_ channel: String) -> SubscriptionStatus? {
        session.subscriptions.status(of: channel)
    }

    /// What an app or a provider did, or that the time has come.
    package mutating func handle(_ input: Input, at now: Moment, into effects: inout [Effect]) {
        session.handle(input, at: now, into: &effects)
    }

    /// Brings a reading up to date.
    ///
    /// It changes nothing, but is `mutating`: to call a getter of another module, a caller copies the whole engine first.
    package mutating func refresh(_ reading: inout Reading) {
        reading.deadline = session.deadline
        if reading.subscriptionsVersion != session.subscriptions.version {
            reading.subscriptionsVersion = session.subscriptions.version
            reading.subscriptions = session.subscriptions.wished
        }
        reading.metrics = metrics
        reading.gauges.outboxMessages = session.outbox.count
        reading.gauges.outboxBytes = session.outbox.bytes
        reading.gauges.pendingRequests = session.calls.pendingCount
        reading.oldestInOutbox = session.outbox.oldest?.queuedAt
    }

    /// What the client has done so far, in numbers.
    package func metrics(at now: Moment) -> ClientMetrics {
        var reading = Reading(at: now)
        var engine = self
        engine.refresh(&reading)
        return reading.metrics(at: now.instant, confirmed: session.subscriptions.confirmedCount)
    }

    /// What a link says of itself.
    package mutating func handle(
        _ report: LinkReport, of link: LinkID, at now: Moment, into effects: inout [Effect]
    ) {
        switch report {
        case .opened: session.handle(.opened(link), at: now, into: &effects)
        case .received(let messages): received(messages, on: link, at: now, into: &effects)
        case .progress: session.handle(.progressed(link), at: now, into: &effects)
        case .wrote(let ids): session.handle(.wrote(link, ids), at: now, into: &effects)
        case .answered(let id, let message):
            session.handle(.wrote(link, [id]), at: now, into: &effects)
            received([message], on: link, at: now, into: &effects)
        case .refused(let refusal): session.handle(.refused(link, refusal), at: now, into: &effects)
        case .closed(let end): session.handle(.closed(link, end), at: now, into: &effects)
        }
    }

    /// Spells what a `transmit` holds.
    ///
    /// What cannot be said goes back to the session, which tells the call.
    package mutating func encode(
        _ batch: [Transmission], for link: LinkID, at now: Moment, into effects: inout [Effect]
    ) -> [(SendID, Message)] {
        guard var current = coder, current.link == link else { return [] }
        var messages: [(SendID, Message)] = []
        messages.reserveCapacity(batch.count)
        var bytes = 0
        var large = 0
        for transmission in batch {
            do throws(SenteError) {
                let message = try current.coder.encode(transmission.outbound, at: now)
                bytes += message.bytes.count
                if message.bytes.count >= sizes.largeMessage { large += 1 }
                messages.append((transmission.id, message))
            } catch {
                session.handle(.unsayable(link, transmission.id, error), at: now, into: &effects)
            }
        }
        coder = current
        metrics.record(.transmitted(messages: messages.count, bytes: bytes, large: large), at: now.instant)
        return messages
    }

    package mutating func take(_ inbox: InboxID) -> [InboxElement] {
        session.take(inbox)
    }

    package mutating func record(_ signal: SessionSignal, at now: Moment) {
        metrics.record(signal, at: now.instant)
    }

    private mutating func received(
        _ messages: [Message], on link: LinkID, at now: Moment, into effects: inout [Effect]
    ) {
        guard session.isCurrent(link) else { return }
        var bytes = 0
        var large = 0
        for message in messages {
            let size = message.bytes.count
            bytes += size
            if size >= sizes.largeMessage { large += 1 }
            for inbound in decode(message, on: link, at: now, into: &effects) {
                session.handle(.received(link, inbound, size: size), at: now, into: &effects)
            }
        }
        metrics.record(.received(messages: messages.count, bytes: bytes, large: large), at: now.instant)
    }

    /// The first message of a link shows who speaks; it fixes dialect and format.
    private mutating func decode(
        _ message: Message, on link: LinkID, at now: Moment, into effects: inout [Effect]
    ) -> [Inbound] {
        if coder?.link != link {
            do throws(SenteError) {
                let found = try detector.detect(message, sizes: sizes)
                coder = (link, found)
                session.speaks(found.dialect, found.format)
            } catch {
                session.handle(.mismatched(link, error), at: now, into: &effects)
                return []
            }
        }
        return coder?.coder.decode(message) { session.traffic.pending.isPending($0) } ?? []
    }
}

extension ClientEngine {
    /// What others than the driver may read of a client, as after a turn.
    package struct Reading: Sendable {
        package fileprivate(set) var deadline: Instant?
        /// Wished, in order.
        package fileprivate(set) var subscriptions: [String] = []
        fileprivate var subscriptionsVersion = 0
        fileprivate var metrics: MetricsCollector
        /// Those of the outbox and the calls.
        package fileprivate(set) var gauges = MetricsCollector.Gauges()
        /// Since when the oldest message of the outbox waits.
        fileprivate var oldestInOutbox: Instant?

        package init(at now: Moment) {
            metrics = MetricsCollector(at: now.instant)
        }

        /// As of `now`; `confirmed` is how many channels are.
        package func metrics(at now: Instant, confirmed: Int) -> ClientMetrics {
            var gauges = gauges
            gauges.outboxOldestAge = oldestInOutbox.map { $0.duration(to: now) }
            gauges.subscriptionsWished = subscriptions.count
            gauges.subscriptionsConfirmed = confirmed
            return metrics.snapshot(at: now, gauges: gauges)
        }
    }
}
