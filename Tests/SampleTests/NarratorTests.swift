// SPDX-License-Identifier: Apache-2.0

import SampleTerminal
import SenteLite
import Testing
import console

@Suite("The console's sentences")
struct NarratorTests {
    private let narrator = Narrator(ink: Ink(hasColors: false), isLive: true)

    @Test(
        "Each kind of line has a sentence",
        arguments: [
            (
                .message,
                [
                    "channel": "news", "data": ["n": 1], "id": "m1", "sender": "c2", "retained": true,
                    "missed": 2,
                ],
                #"news {"n":1}  m1, from c2, kept by the server, 2 missed before it"#
            ),
            (.message, ["channel": "news", "data": 5, "retained": false, "missed": 0], "news 5"),
            (
                .message, ["channel": "news", "data": 5, "gap": ["duration": 2_500, "filling": "some"]],
                "news 5  after a gap of 2.5 s, some may be missing"
            ),
            (.event, ["id": "chat/say", "data": [.keyword("text"): "hi"]], #"event chat/say {:text "hi"}"#),
            (.request, ["channel": "sum", "data": [1], "answer": 1], "request on sum: [1], answered 1"),
            (
                .reply, ["line": 3, "channel": "sum", "data": 42, "took": 3.25],
                "answer from sum: 42 in 3.3 ms"
            ),
            (
                .outcome, ["line": 1, "command": "subscribe", "channel": "a", "confirmed": true],
                "✓ subscribed to a"
            ),
            (
                .outcome, ["line": 1, "command": "subscribe", "channel": "a", "confirmed": false],
                "✓ subscribed to a, not confirmed yet"
            ),
            (
                .outcome,
                [
                    "line": 2, "command": "publish", "channel": "a", "outcome": "acknowledged", "id": "m1",
                    "deliveredTo": 2,
                ], "✓ published to a: acknowledged as m1, delivered to 2"
            ),
            (
                .outcome, ["line": 2, "command": "upload", "file": "a.bin", "bytes": 12],
                "✓ a.bin arrived: 12 bytes"
            ),
            (.outcome, ["line": 2, "command": "download", "file": "/tmp/a.bin"], "✓ /tmp/a.bin is whole"),
            (
                .error,
                ["line": 1, "command": "publish", "code": "expired", "message": "It waited too long."],
                "✗ publish: It waited too long."
            ),
            (.error, ["code": "usage", "message": "Give one URL."], "✗ Give one URL."),
            (
                .status, ["line": 1, "commands": ["subscribe CHANNEL", "quit"]], "  subscribe CHANNEL\n  quit"
            ),
            (
                .status, ["state": "running", "url": "ws://h/", "mode": "v1", "format": "json"],
                "● serving at ws://h/ (v1, json); Ctrl-C ends it"
            ),
            (.status, ["state": "stopped", "reason": "SIGINT", "connections": 0], "○ stopped: SIGINT"),
            (
                .status, ["line": 1, "state": "open", "attempt": 1, "subscriptions": ["a", "b"]],
                "  state          open\n  attempt        1\n  subscriptions  a, b"
            ),
        ] as [(Output.Kind, ValueMap, String)])
    func sentences(kind: Output.Kind, fields: ValueMap, sentence: String) {
        #expect(narrator.text(kind, fields) == sentence)
    }

    @Test("What connecting at the start came to is told by the state alone")
    func start() {
        #expect(narrator.text(.outcome, ["command": "connect", "connection": "c1"]) == nil)
        #expect(narrator.text(.error, ["command": "connect", "message": "No."]) == nil)
        #expect(narrator.text(.outcome, ["command": "connect", "line": 1]) == "✓ connected")
    }

    @Test("Where no notice shows attempts, a line does")
    func attempts() {
        let old = ConnectionStatus(state: .closed)
        var new = ConnectionStatus(state: .connecting)
        new.attempt = 2
        #expect(narrator.change(from: old, to: new) == nil)
        let plain = Narrator(ink: Ink(hasColors: false), isLive: false)
        #expect(plain.change(from: old, to: new) == "· connecting, attempt 2")
    }

    @Test("A peer's text is never obeyed")
    func printable() {
        let text = narrator.text(
            .message, ["channel": "a\u{1B}[2J", "data": "\u{9B}31m", "id": "\u{1B}]0;x"])
        #expect(text == "a·[2J \"·31m\"  ·]0;x")
    }
}
