// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("What becomes a signal")
struct SignalMappingTests {
    private static let now = Moment(instant: Instant(nanoseconds: 7), wallMilliseconds: 1_700_000_000_123)
    private static let error = SenteError(.silent, "Nothing came for 25 s.")

    private static let rows: [(SessionSignal, ClientSignal.Level, Keyword, [String: Value])] = [
        (.attemptStarted, .debug, "sente-lite.client/attempt-started", [:]),
        (
            .opened(timeToOpen: .milliseconds(12), isReconnect: true), .info, "sente-lite.client/opened",
            ["time-to-open-ms": 12, "reconnect?": true]
        ),
        (.linkEnded(nil), .info, "sente-lite.client/link-ended", [:]),
        (.linkEnded(error), .warn, "sente-lite.client/link-ended", ["code": "silent"]),
        (
            .received(messages: 2, bytes: 30, large: 0), .trace, "sente-lite.client/received",
            ["messages": 2, "bytes": 30]
        ),
        (
            .transmitted(messages: 1, bytes: 9, large: 0), .trace, "sente-lite.client/transmitted",
            ["messages": 1, "bytes": 9]
        ),
        (
            .resumed(replayedIn: 1, replayedOut: 2, skipped: 3, missed: 0), .info,
            "sente-lite.client/session-resumed",
            ["replayed-in": 1, "replayed-out": 2, "skipped": 3, "missed": 0]
        ),
        (
            .resumed(replayedIn: 0, replayedOut: 0, skipped: 0, missed: 4), .warn,
            "sente-lite.client/session-resumed",
            ["replayed-in": 0, "replayed-out": 0, "skipped": 0, "missed": 4]
        ),
        (.sessionLost, .warn, "sente-lite.client/session-lost", [:]),
        (.dropped(reason: .expired), .warn, "sente-lite.client/message-dropped", ["reason": "expired"]),
        (.failed(.timedOut), .warn, "sente-lite.client/call-failed", ["code": "timedOut"]),
        (.failed(.cancelled), .debug, "sente-lite.client/call-failed", ["code": "cancelled"]),
        (.refused(.outboxFull), .warn, "sente-lite.client/call-refused", ["code": "outboxFull"]),
        (
            .requestSent(id: "r", channel: "api", deliveredTo: 2, remaining: .seconds(5)), .debug,
            "sente-lite.client/rpc-request-sent",
            [
                "request-id": "r", "target-channel-id": "api", "timeout-ms": 5_000,
                "delivery-result": .map([.keyword("delivered-to"): 2]),
            ]
        ),
        (
            .requestSent(id: "r", channel: "api", deliveredTo: nil, remaining: nil), .debug,
            "sente-lite.client/rpc-request-sent", ["request-id": "r", "target-channel-id": "api"]
        ),
        (
            .requestEnded(id: "r", .milliseconds(12)), .debug, "sente-lite.client/rpc-correlation",
            ["request-id": "r", "duration-ms": 12, "error?": false]
        ),
        (
            .requestEnded(id: "r", .milliseconds(12), .connectionLost), .debug,
            "sente-lite.client/rpc-correlation",
            ["request-id": "r", "duration-ms": 12, "error?": true, "code": "connectionLost"]
        ),
        (
            .requestEnded(id: "r", .seconds(5), .timedOut), .warn, "sente-lite.client/rpc-request-expired",
            ["request-id": "r", "age-ms": 5_000]
        ),
        (
            .responseSent(requestID: "r", isError: true), .debug, "sente-lite.client/rpc-response-sent",
            ["request-id": "r", "error?": true]
        ),
        (.missed(5), .warn, "sente-lite.client/inbox-overflow", ["count": 5]),
        (.roundTrip(.milliseconds(3)), .trace, "sente-lite.client/round-trip", ["rtt-ms": 3]),
        (.undecodable("No.", .format), .warn, "sente-lite.client/undecodable", ["reason": "format"]),
        (.serverError("Boom."), .warn, "sente-lite.client/server-error", ["text": "Boom."]),
        (.ignored(.unheard), .debug, "sente-lite.client/ignored", ["reason": "unheard"]),
        (
            .responderFailed(channel: "api", id: "e1", text: "No such table."), .warn,
            "sente-lite.client/responder-failed", ["channel-id": "api", "id": "e1", "text": "No such table."]
        ),
        (.storeFailed("The disk is full."), .warn, "sente-lite.client/store-failed", [:]),
    ]

    private static let ofFlow: [(FlowSignal, ClientSignal.Level, String, [String: Value])] = [
        (.batched(messages: 3, reason: .time), .trace, "batch-sent", ["messages": 3, "reason": "time"]),
        (.lingered(.milliseconds(8)), .trace, "batch-waited", ["waited-ms": 8]),
        (
            .compressed(.done(before: 4_000, after: 900), .milliseconds(2)), .trace, "message-compressed",
            ["before": 4_000, "after": 900, "took-ms": 2]
        ),
        (.compressed(.skippedSmall, .zero), .trace, "message-not-compressed", ["why": "small"]),
        (
            .compressed(.skippedIncompressible, .zero), .trace, "message-not-compressed",
            ["why": "incompressible"]
        ),
        (.partsSent(4), .trace, "parts-sent", ["parts": 4]),
        (.chunked, .trace, "message-chunked", [:]),
        (.partsHeld(.init(messages: 2, bytes: 99)), .trace, "parts-held", ["messages": 2, "bytes": 99]),
        (
            .partsLost(.init(timeouts: 1, evictions: 2, aborts: 3)), .warn, "parts-lost",
            ["timeouts": 1, "evictions": 2, "aborts": 3]
        ),
    ]

    private static let ofLargeData: [(LargeDataSignal, ClientSignal.Level, String, [String: Value])] = [
        (
            .stored(bytes: 7, .milliseconds(30)), .debug, "large-data-stored", ["bytes": 7, "took-ms": 30]
        ),
        (
            .fetched(bytes: 8, .milliseconds(40)), .debug, "large-data-fetched", ["bytes": 8, "took-ms": 40]
        ),
        (.failed(error), .warn, "large-data-failed", ["code": "silent"]),
    ]

    private static let opening = StreamOpening(
        kind: .upload, number: 1, channel: "files", chunkSize: 1_000, totalSize: 4_000)

    private static let ofStreams: [(StreamSignal, ClientSignal.Level, String, [String: Value])] = [
        (.active(2), .trace, "streams-active", ["count": 2]),
        (
            .started(id: "s1", opening), .debug, "stream-started",
            ["stream-id": "s1", "stream-type": "upload", "channel-id": "files", "total-bytes": 4_000]
        ),
        (
            .progress(StreamProgress(of: "s1", opening)), .trace, "stream-progress",
            [
                "stream-id": "s1", "state": "initializing", "bytes": 0, "total-bytes": 4_000,
                "percentage": .double(0), "throughput": .double(0),
            ]
        ),
        (
            .ended(
                id: "s1",
                .completed(StreamReceipt(end: StreamPoint(index: 4, bytes: 4_000), milliseconds: 12))),
            .info, "stream-complete", ["stream-id": "s1", "bytes": 4_000, "duration-ms": 12]
        ),
        (
            .ended(id: "s1", .cancelled(isRemote: false, reason: nil)), .debug, "stream-failed",
            ["stream-id": "s1", "code": "cancelled"]
        ),
        (
            .ended(id: "s1", .cancelled(isRemote: true, reason: "full")), .warn, "stream-failed",
            ["stream-id": "s1", "code": "streamFailed"]
        ),
    ]

    /// All rows, of whatever they are recorded.
    private static var all: [(SessionSignal, ClientSignal.Level, Keyword, [String: Value])] {
        func keyword(_ name: String) -> Keyword { Keyword("sente-lite.client/\(name)") }
        return rows + ofFlow.map { (.flow($0.0), $0.1, keyword($0.2), $0.3) }
            + ofLargeData.map { (.largeData($0.0), $0.1, keyword($0.2), $0.3) }
            + ofStreams.map { (.flow(.stream($0.0)), $0.1, keyword($0.2), $0.3) }
    }

    @Test("Each thing recorded has its level, id and fields", arguments: all.indices)
    func recorded(_ index: Int) {
        let (recorded, level, id, data) = Self.all[index]
        let signal = ClientSignal(recorded, at: Self.now)
        #expect(signal.level == level)
        #expect(signal.id == id)
        #expect(signal.data == data)
        #expect(signal.time == Self.now.wallMilliseconds && signal.instant == Self.now.instant)
        #expect(!signal.message.isEmpty)
    }

    @Test("A wait for the next attempt says how long and why, and giving up says why")
    func statuses() throws {
        let open = ConnectionStatus(state: .open)
        var waiting = ConnectionStatus(state: .reconnecting)
        waiting.attempt = 2
        waiting.lastError = Self.error
        waiting.retryAt = Self.now.instant.advanced(by: .milliseconds(1_500))
        let signals = ClientSignal.signals(of: waiting, after: open, at: Self.now)
        #expect(signals.map(\.id.name) == ["state-changed", "reconnect-scheduled"])
        #expect(signals[0].data == ["from": "open", "to": "reconnecting", "attempt": 2])
        #expect(signals[1].data == ["attempt": 2, "delay-ms": 1_500, "code": "silent"])
        #expect(signals[1].error == Self.error)
        #expect(signals[1].message == "Attempt 2 follows in 1.5 s.")
        var failed = ConnectionStatus(state: .failed)
        failed.lastError = Self.error
        let end = ClientSignal.signals(of: failed, after: waiting, at: Self.now)
        #expect(end.map(\.level) == [.debug, .error])
        #expect(end.last?.message == "The client gave up. Nothing came for 25 s.")
        #expect(ClientSignal.signals(of: failed, after: failed, at: Self.now).isEmpty)
    }

    @Test("A subscription's states, the gap among them")
    func subscriptions() {
        let gap = ChannelGap(since: Self.now.instant, duration: .seconds(3), filling: .some)
        let states: [(SubscriptionState, String, ClientSignal.Level)] = [
            (.subscribing, "subscribing", .debug), (.subscribed, "subscribed", .debug),
            (.refused(Self.error), "subscription-refused", .warn), (.gap(gap), "gap", .warn),
            (.ended, "subscription-ended", .debug),
        ]
        for (state, name, level) in states {
            let signal = ClientSignal(state, of: "news", at: Self.now)
            #expect(signal.id.name == name)
            #expect(signal.level == level)
            #expect(signal.data["channel-id"] == "news")
        }
        let signal = ClientSignal(.gap(gap), of: "news", at: Self.now)
        #expect(signal.data == ["channel-id": "news", "duration-ms": 3_000, "filling": "some"])
    }

    @Test("Each id that the sources write has a row here, or a test beside it, and a line in the article")
    func complete() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let folder = root.appendingPathComponent("Sources/SenteCore/Signals")
        let article = try String(
            contentsOf: root.appendingPathComponent("Sources/SenteLite/SenteLite.docc/SeeingIntoIt.md"),
            encoding: .utf8)
        var written: Set<String> = []
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path)
        where file.hasPrefix("SignalMapping") {
            let source = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            for match in source.matches(of: /"([a-z-]+)", at: now/) { written.insert(String(match.1)) }
        }
        let ofStatuses = [
            "state-changed", "reconnect-scheduled", "gave-up", "subscribing", "subscribed",
            "subscription-refused", "gap", "subscription-ended",
        ]
        #expect(written == Set(Self.all.map(\.2.name) + ofStatuses))
        for id in written.sorted() { #expect(article.contains("`\(id)`"), "the article does not name \(id)") }
    }

    @Test("A signal is one line with its data behind it")
    func line() {
        let signal = ClientSignal(.opened(timeToOpen: .milliseconds(12), isReconnect: false), at: Self.now)
        #expect(
            signal.description
                == "22:13:20.123 INFO opened Connected in 12 ms.  reconnect?=false time-to-open-ms=12")
    }

    @Test("A text of a peer or of the app's makes no second line, and what a peer makes large is left out")
    func hostile() {
        var error = SenteError(.refused, "No.\nINFO opened Connected", details: ["large": 1])
        error.body = [1, 2, 3]
        let signal = ClientSignal(.linkEnded(error), at: Self.now)
        #expect(!signal.description.contains("\n"))
        #expect(signal.error?.details == nil && signal.error?.body == [])
    }

    @Test(
        "Durations are readable",
        arguments: [
            (-5, "0 ms"), (85, "85 ms"), (1_000, "1.0 s"), (9_990, "9.9 s"), (10_000, "10 s"),
            (119_999, "119 s"),
            (180_000, "3 min"),
        ])
    func readable(_ milliseconds: Int, _ text: String) {
        #expect(Duration.milliseconds(milliseconds).readable == text)
    }
}
