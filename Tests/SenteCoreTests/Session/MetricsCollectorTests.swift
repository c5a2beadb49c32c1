// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Metrics")
struct MetricsCollectorTests {
    private static func at(_ seconds: Double) -> Instant {
        Instant(nanoseconds: 5_000_000_000).advanced(by: .seconds(seconds))
    }

    private static func collector(_ signals: [(Double, SessionSignal)]) -> MetricsCollector {
        var collector = MetricsCollector(at: at(0))
        for (time, signal) in signals { collector.record(signal, at: at(time)) }
        return collector
    }

    private static func metrics(at time: Double, _ signals: [(Double, SessionSignal)]) -> ClientMetrics {
        collector(signals).snapshot(at: at(time), gauges: MetricsCollector.Gauges())
    }

    @Test("of a new client are all zero but its uptime")
    func fresh() {
        var expected = ClientMetrics()
        expected.connection.uptime = .seconds(3)
        #expect(Self.metrics(at: 3, []) == expected)
    }

    @Test("count messages, bytes and large messages in each direction")
    func traffic() {
        let metrics = Self.metrics(
            at: 1,
            [
                (0, .received(messages: 3, bytes: 300, large: 1)),
                (0.5, .received(messages: 1, bytes: 7, large: 0)),
                (0.5, .transmitted(messages: 2, bytes: 50, large: 2)),
            ])
        #expect(metrics.received.messages == 4)
        #expect(metrics.received.bytes == 307)
        #expect(metrics.received.largeMessages == 1)
        #expect(metrics.sent.messages == 2)
        #expect(metrics.sent.bytes == 50)
        #expect(metrics.sent.largeMessages == 2)
    }

    @Test("count attempts and reconnects and add up the time connected")
    func connection() {
        let signals: [(Double, SessionSignal)] = [
            (0, .attemptStarted), (1, .linkEnded(SenteError(.unreachable, "No."))),
            (2, .attemptStarted), (3, .opened(timeToOpen: .seconds(1), isReconnect: false)),
            (10, .linkEnded(SenteError(.connectionLost, "Lost."))), (10, .failed(.connectionLost)),
            (11, .attemptStarted), (11.5, .opened(timeToOpen: .milliseconds(500), isReconnect: true)),
        ]
        let metrics = Self.metrics(at: 20, signals)
        #expect(metrics.connection.attempts == 3)
        #expect(metrics.connection.reconnects == 1)
        #expect(metrics.connection.uptime == .seconds(20))
        #expect(metrics.connection.connectedTime == .seconds(7 + 8.5))
        #expect(metrics.connection.timeToOpen == .milliseconds(500))
        #expect(metrics.errors == [.unreachable: 1, .connectionLost: 2])
        #expect(metrics.connection.losses == [.connectionLost: 1])

        let ended = Self.metrics(at: 40, signals + [(21, .linkEnded(nil)), (22, .linkEnded(nil))])
        #expect(ended.connection.connectedTime == .seconds(7 + 9.5))
        #expect(ended.errors == metrics.errors)
    }

    @Test("count drops by reason, errors by code, and what inboxes, parsers and servers lost")
    func losses() {
        let metrics = Self.metrics(
            at: 1,
            [
                (0, .dropped(reason: .expired)), (0, .dropped(reason: .expired)),
                (0, .dropped(reason: .outboxFull)),
                (0, .failed(.timedOut)), (0, .missed(5)), (0, .missed(2)), (0, .undecodable("why")),
                (0, .undecodable("why", .format)), (0, .refused(.outboxFull)), (0, .refused(.timedOut)),
                (0, .serverError("x")), (0, .serverError("y")),
            ] + IgnoredReason.allCases.map { (0, .ignored($0)) } + [(0, .ignored(.lateReply))])
        #expect(metrics.outbox.drops == [.expired: 2, .outboxFull: 1])
        #expect(metrics.errors == [.timedOut: 2, .outboxFull: 1])
        #expect(metrics.refusedCalls == 2)
        #expect(metrics.missed == 7)
        #expect(metrics.undecodable == 2)
        #expect(metrics.undecodableReasons == [.shape: 1, .format: 1])
        #expect(metrics.serverErrors == 2)
        let ignored = metrics.ignored
        #expect(ignored.lateReplies == 2 && ignored.repeated == 1 && ignored.overdueRequests == 1)
        #expect(ignored.unservedRequests == 1 && ignored.surplusPings == 1 && ignored.unheard == 1)
        #expect(ignored.malformedTraces == 1)
    }

    @Test("show what the session knows at that moment")
    func gauges() {
        var gauges = MetricsCollector.Gauges()
        gauges.outboxMessages = 3
        gauges.outboxBytes = 99
        gauges.outboxOldestAge = .seconds(4)
        gauges.subscriptionsWished = 5
        gauges.subscriptionsConfirmed = 2
        gauges.pendingRequests = 6
        let metrics = Self.collector([]).snapshot(at: Self.at(0), gauges: gauges)
        #expect(metrics.outbox.messages == 3)
        #expect(metrics.outbox.bytes == 99)
        #expect(metrics.outbox.oldestAge == .seconds(4))
        #expect(metrics.subscriptions.wished == 5)
        #expect(metrics.subscriptions.confirmed == 2)
        #expect(metrics.pendingRequests == 6)
    }

    @Test(
        "give the rate over the last ten seconds, and of a younger client since its start",
        arguments: [
            (0.25, 10.0), (1, 10), (5, 2), (8, 1.25), (10, 8), (15, 6.5), (20, 5), (25, 2.5), (30, 0),
            (500, 0),
        ])
    func rates(_ time: Double, _ rate: Double) {
        let signals: [(Double, SessionSignal)] = [
            (0, .received(messages: 10, bytes: 1, large: 0)),
            (9.9, .received(messages: 20, bytes: 1, large: 0)),
            (10, .received(messages: 50, bytes: 1, large: 0)),
        ]
        let metrics = Self.metrics(at: time, signals.filter { $0.0 <= time })
        #expect(abs(metrics.received.messagesPerSecond - rate) < 1e-9)
        #expect(metrics.sent.messagesPerSecond == 0)
    }

    @Test("keep rates apart by direction, also after a long silence")
    func ratesAfterSilence() {
        let signals: [(Double, SessionSignal)] = [
            (1, .received(messages: 10, bytes: 1, large: 0)),
            (101, .transmitted(messages: 40, bytes: 1, large: 0)),
        ]
        #expect(Self.metrics(at: 110, signals).sent.messagesPerSecond == 4)
        #expect(Self.metrics(at: 115, signals).sent.messagesPerSecond == 2)
        #expect(Self.metrics(at: 110, signals).received.messagesPerSecond == 0)
    }

    @Test("keep the last 256 round trips and no more")
    func roundTrips() {
        let signals = (1...1_000).map { (0.0, SessionSignal.roundTrip(.milliseconds($0))) }
        let metrics = Self.metrics(at: 1, signals)
        #expect(metrics.roundTrips.count == 256)
        #expect(metrics.roundTrips.min() == .milliseconds(745))
        #expect(metrics.roundTrips.max() == .milliseconds(1_000))
    }

    @Test("keep the last 256 waits for company and no more, and show what share of them was how long")
    func waits() {
        let signals = (1...1_000).map { (0.0, SessionSignal.flow(.lingered(.milliseconds($0)))) }
        let metrics = Self.metrics(at: 1, signals)
        #expect(metrics.batching.waits.count == 256)
        #expect(metrics.batching.lingerAdded?.p50 == .milliseconds(872))
        #expect(metrics.batching.lingerAdded?.p99 == .milliseconds(998))
        #expect(Self.metrics(at: 1, []).batching.lingerAdded == nil)
    }

    @Test("add up how long compressing took, in vain too")
    func compressing() {
        let metrics = Self.metrics(
            at: 1,
            [
                (0, .flow(.compressed(.done(before: 900, after: 100), .microseconds(30)))),
                (0, .flow(.compressed(.skippedIncompressible, .microseconds(12)))),
                (0, .flow(.compressed(.skippedSmall, .zero))),
            ])
        #expect(
            metrics.compression
                == .init(
                    messages: 1, bytesBefore: 900, bytesAfter: 100, skippedSmall: 1,
                    skippedIncompressible: 1, time: .microseconds(42)))
    }

    @Test("show what is kept of unfinished messages now and at most, and nothing of a link that is over")
    func parts() {
        let signals: [(Double, SessionSignal)] = [
            (0, .flow(.partsSent(3))), (0, .flow(.chunked)), (0, .flow(.partsSent(1))),
            (1, .flow(.partsHeld(.init(messages: 2, bytes: 700, peakBytes: 900)))),
        ]
        #expect(
            Self.metrics(at: 1, signals).chunking
                == .init(messages: 1, chunksSent: 4, incomplete: 2, memory: 700, peakMemory: 900))
        let later: [(Double, SessionSignal)] = [
            (2, .linkEnded(nil)), (3, .flow(.partsHeld(.init(messages: 1, bytes: 5, peakBytes: 5)))),
        ]
        #expect(
            Self.metrics(at: 2, signals + later.prefix(1)).chunking
                == .init(messages: 1, chunksSent: 4, peakMemory: 900))
        #expect(
            Self.metrics(at: 3, signals + later).chunking
                == .init(messages: 1, chunksSent: 4, incomplete: 1, memory: 5, peakMemory: 900))
    }

    @Test("count what went together, what was given up of the server's parts, and what became of sessions")
    func flow() {
        let metrics = Self.metrics(
            at: 1,
            [
                (0, .flow(.batched(messages: 3, reason: .count))),
                (0, .flow(.batched(messages: 2, reason: .idle))),
                (0, .flow(.partsLost(.init(timeouts: 1, evictions: 2, aborts: 3)))),
                (0, .flow(.partsLost(.init(timeouts: 10, evictions: 20, aborts: 30)))),
                (0, .resumed(replayedIn: 1, replayedOut: 2, skipped: 3, missed: 4)),
                (0, .resumed(replayedIn: 10, replayedOut: 20, skipped: 30, missed: 40)),
                (0, .sessionLost),
            ])
        #expect(metrics.batching == .init(batches: 2, messages: 5, reasons: ["count": 1, "idle": 1]))
        #expect(metrics.chunking == .init(timeouts: 11, evictions: 22, aborts: 33))
        #expect(
            metrics.resumption
                == .init(
                    resumed: 2, fresh: 1, replayedIn: 11, replayedOut: 22, skipped: 33, missed: 44))
    }

    @Test("that were taken do not change afterwards")
    func snapshotsStay() {
        var collector = Self.collector([(0, .roundTrip(.seconds(1)))])
        let before = collector.snapshot(at: Self.at(1), gauges: MetricsCollector.Gauges())
        collector.record(.roundTrip(.seconds(9)), at: Self.at(1))
        collector.record(.failed(.timedOut), at: Self.at(1))
        #expect(before.roundTrip?.p99 == .seconds(1))
        #expect(before.errors.isEmpty)
    }
}
