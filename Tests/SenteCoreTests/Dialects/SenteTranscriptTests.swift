// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// Recordings of the real server (1.22) and its real client, read where `SENTE_SHARED` says they are.
@Suite(
    "A recorded conversation with Sente",
    .enabled(if: Transcript.folder != nil, "SENTE_SHARED does not name the folder of the recordings"))
struct SenteTranscriptTests {
    private typealias Said = Conversation.Said
    private typealias Heard = Conversation.Heard

    private static func greeting(_ uid: String, _ mount: String = "/chsk") -> Heard {
        .greeting(
            Identity(
                uid: .string(uid),
                handshakeData: [.keyword("rig"): "sente", .keyword("mount"): .string(mount)]))
    }

    // MARK: One script, five packers

    /// Which recordings leave a scene out.
    private struct Scene {
        let without: Set<String>
        let said: Said
        let heard: [Heard]

        init(_ said: Said, _ heard: Heard..., without: Set<String> = []) {
            self.without = without
            self.said = said
            self.heard = heard
        }
    }

    /// What the edn packer's recording alone has.
    private static let others: Set<String> = ["transit", "transit-verbose", "msgpack", "gzip-edn"]

    private static let scenes: [Scene] = [
        Scene(
            .event(#"[:test/echo {:a 1, :b [1 2.5 nil true], "s" "héllo ✓"}]"#, "a1b2c3"), .reply("a1b2c3")),
        Scene(.event(#"[:test/echo "no callback"]"#), .events(["test/echo"])),
        Scene(.event("[:test/whoami]", "cb0002"), .reply("cb0002")),
        Scene(.event("[:test/types]", "cb0003"), .reply("cb0003")),
        Scene(
            .event("[:test/types-edn]", "cb0004"), .reply("cb0004"), without: ["transit-verbose", "msgpack"]),
        Scene(.event("[:test/reply-nil]", "cb0005"), .reply("cb0005")),
        Scene(.event("[:test/reply-error]", "cb0006"), .reply("cb0006")),
        // The handler replies twice: the second finds nobody.
        Scene(.event("[:test/reply-twice]", "cb0007"), .reply("cb0007"), .reply("cb0007")),
        Scene(.event("[:test/slow {:ms 300, :value :late}]", "cb0008"), .reply("cb0008")),
        Scene(.event("[:test/no-reply]", "cb0009")),
        Scene(.event("[:test/throw]", "cb0010")),
        Scene(.word(.ping(stamp: 0xCB0011)), .inbound([.pong(stamp: 0xCB0011)])),
        Scene(.word(.ping(stamp: nil))),
        Scene(.word(.pong(original: nil))),
        Scene(.event("[:test/push-bare]"), .events(["test/bare"])),
        Scene(
            .event("[:test/burst {:n 5}]"),
            .events(["test/push", "test/push", "test/push", "test/push", "test/push", "test/no-cb-reply"])),
        Scene(
            .event("[:test/burst-flush {:n 3}]"), .events(["test/push"]), .events(["test/push"]),
            .events(["test/push"]), .events(["test/no-cb-reply"])),
        Scene(
            .event("[:test/start-push {:every-ms 100, :n 3}]", "cb0012"), .reply("cb0012"),
            .events(["test/push"]), .events(["test/push"]), .events(["test/push"])),
        // The reply overtakes the pushes made before it.
        Scene(
            .event("[:test/burst {:n 2}]", "cb0013"), .reply("cb0013"), .events(["test/push", "test/push"])),
        Scene(.event("[:test/broadcast :all]", "cb0014"), .reply("cb0014"), .events(["test/broadcast"])),
        // [[:not-namespaced 1] nil]
        Scene(
            .probe(.event(Event(id: "not-namespaced", data: 1)), naming: "no namespace"),
            without: ["msgpack", "gzip-edn"]),
        // [nil "cbbad1"]
        Scene(
            .probe(.event(Event(id: ""), callback: "cbbad1"), naming: "`id` is empty"),
            without: ["msgpack", "gzip-edn"]),
        Scene(.event("[:test/unknown]", "cb0015"), .reply("cb0015")),
        Scene(.probe(.event(Event(id: "this is ] not edn")), naming: "no keyword"), without: others),
        Scene(.probe(.event(Event(id: "")), naming: "`id` is empty"), without: others),
        // The binary frame 01 02 to a text packer.
        Scene(.probe(.event(Event(id: "\u{1}\u{2}")), naming: "no namespace"), without: others),
        Scene(.event(#"[:test/echo "still here"]"#, "cb0016"), .reply("cb0016"), without: others),
        Scene(.event(#"[:test/echo "[:a :b"]"#, "cb0017"), .reply("cb0017"), without: others),
        Scene(.event("[:test/big {:n 3000}]", "cb0018"), .reply("cb0018")),
    ]

    /// Unfolds the one message that the recorded server packed, its reply of 3,000 characters.
    ///
    /// This target has no library for gzip; `SenteLite` tests its own.
    private static let codebook = Compressor { _, _ throws(WireError) in
        throw WireError(.unavailable, "Nothing long is sent.")
    } decompress: { _, output, _ throws(WireError) in
        output.append(contentsOf: Array(#"["\#(String(repeating: "x", count: 3_000))" "cb0018"]"#.utf8))
    }

    @Test(
        "every frame of its client is one of our words, and every frame of its server is understood, in each packer",
        arguments: [
            ("edn", .edn), ("transit", .transitJSON), ("transit-verbose", .transitJSONVerbose),
            ("msgpack", .senteMessagePack), ("gzip-edn", nil),
        ] as [(String, WireFormat?)])
    func packers(_ packer: String, _ format: WireFormat?) throws {
        let entries = try Transcript.entries("sente-ws-" + packer)
        let scenes = Self.scenes.filter { !$0.without.contains(packer) }
        var conversation = Conversation(
            .sente, format ?? .gzip(over: .edn, compressor: Self.codebook), compressor: Self.codebook)
        try conversation.play(
            entries, said: scenes.map(\.said), heard: [Self.greeting("cid-1")] + scenes.flatMap(\.heard))
    }

    // MARK: Its own client, closing, refusing

    @Test("what Sente's own client said, our calls say")
    func jvmClient() throws {
        let greeting = Self.greeting("jvm-client-1")
        var conversation = Conversation(.sente, .edn)
        try conversation.play(
            try Transcript.entries("sente-jvmclient-basic"),
            said: [
                .event("[:test/echo {:a 1}]"), .event("[:test/echo {:a 1}]", "3476c5"),
                .event("[:test/no-reply]", "bcddc9"), .event("[:test/burst {:n 3}]"), .event("[:test/close]"),
            ],
            heard: [
                greeting, .reply("3476c5"),
                .events(["test/echo", "test/push", "test/push", "test/push", "test/no-cb-reply"]),
                greeting, greeting, greeting,
            ])
    }

    @Test("what Sente's own client said to stay alive, our pings and pongs say")
    func keepAlive() throws {
        let stamps: [Int64] = [0x00847F, 0x1F3BA3, 0xE4DD40]
        var said: [Said] = []
        var heard = [Self.greeting("jvm-client-1", "/chsk-fast")]
        for stamp in stamps {
            said += [.word(.pong(original: nil)), .word(.ping(stamp: stamp))]
            heard += [.inbound([.ping(stamp: nil)]), .inbound([.pong(stamp: stamp)])]
        }
        var conversation = Conversation(.sente, .edn)
        try conversation.play(try Transcript.entries("sente-jvmclient-keepalive"), said: said, heard: heard)
    }

    @Test("each way of closing begins with a greeting that is understood")
    func closing() throws {
        var conversation = Conversation(.sente, .edn)
        try conversation.play(
            try Transcript.entries("sente-ws-close"),
            said: [.event("[:test/close]"), .event("[:test/close-flush]"), .event("[:test/drop]")],
            heard: ["cl-close", "cl-close-flush", "cl-drop", "cl-1000", "cl-1001", "cl-3000", "cl-4000"].map {
                Self.greeting($0)
            })
    }

    @Test("whoever is not refused is greeted")
    func refusals() throws {
        var conversation = Conversation(.sente, .edn)
        try conversation.play(
            try Transcript.entries("sente-ws-refusals"), said: [],
            heard: [
                Self.greeting("c1", "/chsk-csrf"), Self.greeting("c1", "/chsk-csrf"),
                Self.greeting("c1", "/chsk-csrf"), Self.greeting("c1", "/chsk-auth"),
                Self.greeting("c1", "/chsk-auth"), Self.greeting("c1", "/chsk-origin"),
                Self.greeting("ann", "/chsk-session"),
            ])
    }
}
