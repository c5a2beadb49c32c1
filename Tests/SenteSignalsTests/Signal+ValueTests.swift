// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import SenteWire
import Testing

@Suite("Signals on their way to a server")
struct SignalValueTests {
    @Test("a signal comes back as it was", arguments: 0..<100 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var signals = RandomSignals(seed: seed)
        var signal = signals.next()
        signal.sequence = 0
        // A double of milliseconds has this exactly.
        signal.duration = signal.duration.map { _ in .microseconds(1_234_500) }
        signal.trace = signal.trace.flatMap {
            TraceContext(traceID: $0.traceID, spanID: $0.spanID, isSampled: $0.isSampled)
        }
        guard signal.id != nil || signal.message != nil else { return }
        let read = try #require(Signal(signal.value, at: 0))
        #expect(read == signal)
    }

    @Test("it has the names that its lines have")
    func names() {
        let signal = Signal(
            time: 1_761_360_590_863_000_000, level: .warn, namespace: "app", id: "app/slow", message: "slow",
            data: [.keyword("n"): 1], error: SignalError(type: "E", message: "m", code: "c"),
            duration: .microseconds(1_500))
        #expect(
            signal.value == [
                .keyword("time"): "2025-10-25T02:49:50.863Z", .keyword("level"): .keyword("warn"),
                .keyword("kind"): .keyword("event"), .keyword("ns"): "app", .keyword("id"): "app/slow",
                .keyword("msg"): "slow", .keyword("data"): [.keyword("n"): 1],
                .keyword("error"): [.keyword("type"): "E", .keyword("message"): "m", .keyword("code"): "c"],
                .keyword("duration-ms"): 1.5,
            ])
    }

    private static let strangers: [(value: Value, signal: Signal?)] = [
        (.null, nil),
        (.vector([]), nil),
        (["level": "info"] as Value, nil),
        (["id": 5] as Value, nil),
        (["msg": "hi"] as Value, Signal(time: 7, kind: .log, namespace: "", message: "hi")),
        (["id": .keyword("a/b"), "level": "LOUD"] as Value, Signal(time: 7, namespace: "", id: "a/b")),
        (
            ["id": "a/b", "level": 55] as Value,
            Signal(time: 7, level: SignalLevel(rawValue: 55), namespace: "", id: "a/b")
        ),
        (
            [
                "id": "a/b", "time": 1_000, "data": [1], "ctx": "x", "line": 1.5, "kind": "dance",
                "duration-ms": 1e300,
            ] as Value, Signal(time: 1_000_000_000, namespace: "", id: "a/b")
        ),
        (
            ["id": "a/b", "time": .integer(.max), "trace": "00-0"] as Value,
            Signal(time: 7, namespace: "", id: "a/b")
        ),
        (
            ["id": "a/b", "error": "broke"] as Value,
            Signal(time: 7, namespace: "", id: "a/b", error: SignalError(type: "", message: "broke"))
        ),
    ]

    @Test("whatever a stranger sends is read or refused", arguments: strangers)
    func hostile(value: Value, signal: Signal?) {
        #expect(Signal(value, at: 7) == signal)
    }
}
