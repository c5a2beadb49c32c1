// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Redaction")
struct RedactionTests {
    private let redaction = Redaction(words: ["token", "Session", "cookie"])

    @Test(
        "A name hides when one of its words is a secret's",
        arguments: [
            ("token", true), ("csrf-token", true), ("accessToken", true), ("auth/Token", true),
            ("TOKEN", true),
            ("sessionID", true), ("set-cookie", true), ("session_id", true), ("tokenizer", false),
            ("", false), ("token2", true), ("oldToken1ID", true), ("2", false),
            ("to-ken", false), ("text", false),
        ])
    func names(_ name: String, _ hides: Bool) {
        #expect(redaction.hides(name) == hides)
    }

    @Test("A name that is given whole hides as a whole")
    func wholeNames() {
        let redaction = Redaction(words: ["api-key"])
        #expect(redaction.hides("API-Key") && !redaction.hides("api") && !redaction.hides("my-api-key"))
    }

    @Test(
        "What is not said otherwise hides what secrets are called",
        arguments: [
            "Authorization", "bearer", "cookie", "cookies", "credential", "credentials", "password", "passwd",
            "secret", "session", "sessions", "token", "tokens",
        ])
    func defaults(name: String) {
        #expect(Redaction().hides("my-" + name))
    }

    @Test(
        "What such fields hold is hidden at every depth, whether keys are text or keywords, and nothing else")
    func values() {
        let value: Value = [
            "type": "login", "token": "s3cret", "user": [.keyword("session-id"): ["s3cret"], "name": "Ann"],
            "list": [["cookie": 1, "n": 2]],
        ]
        let expected: Value = [
            "type": "login", "token": "…", "user": [.keyword("session-id"): "…", "name": "Ann"],
            "list": [["cookie": "…", "n": 2]],
        ]
        #expect(redaction.redacted(value) == expected)
    }

    @Test("Nothing hides a field: no tag, no set, no key")
    func nested() {
        let secret: Value = ["token": "s3cret"]
        let value: Value = .vector([
            .tagged("my/tag", secret), .list([secret]), .set(ValueSet([secret])), .map([secret: 1]),
            .uri("ws://h/?token=s3cret"),
        ])
        #expect(!redaction.redacted(value).description.contains("s3cret"))
    }

    @Test("The token that Sente's handshake has without a name is hidden, its uid is not")
    func handshake() {
        let handshake: Value = [[.keyword("chsk/handshake"), ["ann", "s3cret", ["a": 1], true]], .null]
        #expect(
            redaction.redacted(handshake) == [
                [.keyword("chsk/handshake"), ["ann", "…", ["a": 1], true]], .null,
            ])
        let without: Value = [.keyword("chsk/handshake"), ["ann", .null]]
        #expect(redaction.redacted(without) == without)
        #expect(redaction.redacted([.keyword("chsk/handshake")]) == [.keyword("chsk/handshake")])
    }

    @Test(
        "A URL shows no secret parameter and no password",
        arguments: [
            ("ws://h/chsk?client-id=7&csrf-token=abc&x", "ws://h/chsk?client-id=7&csrf-token=…&x"),
            ("ws://ann:pw@h:1/a@b?token=", "ws://…@h:1/a@b?token=…"), ("ws://ann:pw@h/", "ws://…@h/"),
            ("ws://ann:p@w@h/", "ws://…@h/"), ("ws://h/?a&&b", "ws://h/?a&&b"), ("ws://h/", "ws://h/"),
            ("", ""),
            ("ws://h/a@b", "ws://h/a@b"), ("?", "?"),
        ])
    func urls(_ url: String, _ shown: String) {
        #expect(redaction.redacted(url: url) == shown)
    }
}
