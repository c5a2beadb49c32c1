// SPDX-License-Identifier: Apache-2.0

import SampleOptions
import SenteLite
import Testing
import console

@Suite("Options of flow")
struct FlowOptionsTests {
    private static func client(_ arguments: String...) throws -> FlowPolicy {
        try ClientSettings.read(arguments + ["ws://127.0.0.1/"]).settings.configuration.flow
    }

    @Test("Without an option a client uses everything, and nothing with --no-flow")
    func all() throws {
        let usual = try Self.client()
        #expect(usual.batching == BatchPolicy())
        #expect(usual.compression != nil && usual.chunking != nil && usual.resumption != nil)
        let none = try Self.client("--no-flow")
        #expect(none.batching == nil && none.compression == nil && none.chunking == nil)
        #expect(none.resumption == nil && !none.usesBinaryEnvelope)
    }

    @Test("--flow leaves what it names, whichever way round the others stand")
    func some() throws {
        for arguments in [
            ["--flow", "batching,chunking", "--linger", "0.01"],
            ["--linger", "0.01", "--flow=batching,chunking"],
        ] {
            let flow = try ClientSettings.read(arguments + ["ws://127.0.0.1/"]).settings.configuration.flow
            #expect(flow.batching == BatchPolicy(linger: .milliseconds(10)))
            #expect(flow.chunking == ChunkPolicy())
            #expect(flow.compression == nil && flow.resumption == nil && !flow.usesBinaryEnvelope)
        }
        let again = try Self.client("--no-flow", "--flow", "resume,binary")
        #expect(again.resumption == ResumptionPolicy() && again.usesBinaryEnvelope && again.batching == nil)
    }

    /// Which parts a client uses, by the names of `--flow`.
    private static func parts(_ flow: FlowPolicy) -> [String] {
        let held: KeyValuePairs<String, Bool> = [
            "resume": flow.resumption != nil, "batching": flow.batching != nil,
            "compression": flow.compression != nil, "chunking": flow.chunking != nil,
            "binary": flow.usesBinaryEnvelope,
        ]
        return held.filter(\.value).map(\.key)
    }

    @Test(
        "Each name of --flow leaves that alone, as it was, and turns it on where it was off",
        arguments: ["resume", "batching", "compression", "chunking", "binary"])
    func one(name: String) throws {
        let set = try Self.client(
            "--linger", "0.5", "--chunk-size", "99", "--compress-twice", "--flow", name)
        #expect(Self.parts(set) == [name])
        #expect((set.batching?.linger ?? .milliseconds(500)) == .milliseconds(500))
        #expect((set.chunking?.size ?? 99) == 99)
        #expect((set.compression?.isUsedBesideDeflate ?? true) == true)
        #expect(Self.parts(try Self.client("--no-flow", "--flow", name)) == [name])
    }

    @Test("A word that is no name is shown by its beginning")
    func longWord() {
        let error = #expect(throws: UsageError.self) {
            try Self.client("--flow", String(repeating: "x", count: 10_000))
        }
        #expect((error?.message.count ?? 10_000) < 200)
    }

    @Test("The others set their part")
    func parts() throws {
        #expect(try Self.client("--chunk-size", "4096").chunking?.size == 4_096)
        #expect(try Self.client("--compress-twice").compression?.isUsedBesideDeflate == true)
        #expect(try Self.client().compression?.isUsedBesideDeflate == false)
    }

    @Test(
        "What does not fit is refused with a sentence that says what would",
        arguments: [
            (
                ["--flow", "batches"],
                "--flow: “batches” is none of resume, batching, compression, chunking, binary."
            ),
            (
                ["--flow", "deduplication"],
                "--flow: “deduplication” is none of resume, batching, compression, chunking, binary."
            ),
            (
                ["--flow", ","],
                "--flow: Name some of resume, batching, compression, chunking, binary, or write --no-flow."
            ),
            (["--linger", "soon"], "--linger: “soon” is no number of seconds: write one such as 5 or 0.25."),
            (
                ["--chunk-size", "0"],
                "--chunk-size: “0” does not fit: write a whole number from 1 to 1073741824."
            ),
            (
                ["--chunk-size", "1073741825"],
                "--chunk-size: “1073741825” does not fit: write a whole number from 1 to 1073741824."
            ),
            (
                ["--linger", "1000000001"],
                "--linger: “1000000001” is no number of seconds: write one such as 5 or 0.25."
            ),
            (
                ["--outbox", "/tmp/x"],
                "--outbox keeps messages for one client: add --client-id TEXT, the same each time."
            ),
        ])
    func wrong(arguments: [String], sentence: String) {
        #expect(throws: UsageError(sentence)) {
            try ClientSettings.read(arguments + ["ws://127.0.0.1/"])
        }
    }

    @Test("--outbox names a folder for durable messages of the client that --client-id names")
    func outbox() throws {
        let (settings, _) = try ClientSettings.read(
            ["--outbox", "/tmp/x", "--client-id", "me", "ws://127.0.0.1/"])
        #expect(settings.outbox == "/tmp/x")
        #expect(settings.configuration.clientID == "me")
    }
}
