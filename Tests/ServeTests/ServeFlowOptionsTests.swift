// SPDX-License-Identifier: Apache-2.0

import SampleOptions
import SenteBase
import SenteLite
import SenteServer
import Testing
import console

@Suite("Options of flow for console serve")
struct ServeFlowOptionsTests {
    /// What the greeting of a server announces with these options.
    private static func announced(_ arguments: [String]) throws -> ValueMap? {
        let settings = try ServeSettings.read(arguments, environment: [:])
        var session = ServerSession(settings.configuration, seed: 1, compressors: [.gzip: .gzip])
        var effects: [ServerEffect] = []
        let now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 1_000)
        session.handle(.connected(ConnectionID(1), HandshakeInfo()), at: now, into: &effects)
        for case .send(_, let message) in effects {
            return try WireFormat.json.decode(message.bytes)["capabilities"]?.mapValue
        }
        return nil
    }

    @Test(
        "Without an option a server announces everything, and nothing with --no-flow"
    )
    func announcesAll() throws {
        let all = try #require(try Self.announced([]))
        for name in ["batching", "chunking", "binary", "deduplication"] {
            #expect(all[Value(name)] == true)
        }
        #expect(all["resume"] == ["window-ms": 300_000, "messages": 100, "bytes": 1_048_576])
        #expect(all["max-chunk-size"] == 65_536)
        #expect(try Self.announced(["--no-flow"]) == nil)
    }

    @Test("Each name of --flow announces that alone", arguments: FlowName.allCases)
    func announcesOne(name: FlowName) throws {
        let value = try Self.announced(["--flow", name.rawValue])
        switch name {
        case .compression: #expect(value?["compression"] == ["gzip"])
        case .resume: #expect(value?["resume"] != nil)
        default: #expect(value?[Value(name.rawValue)] == true)
        }
        #expect((value?.count ?? 0) <= (name == .chunking ? 4 : 1))
    }

    @Test(
        "What an option says is announced",
        arguments: [
            (["--resume-window", "2.5"], "window-ms", 2_500), (["--buffer-messages", "7"], "messages", 7),
            (["--buffer-bytes", "4096"], "bytes", 4_096),
        ] as [([String], Value, Value)])
    func announcesResumption(arguments: [String], field: Value, value: Value) throws {
        for before in [[], ["--flow", "resume"]] {
            #expect(try Self.announced(before + arguments)?["resume"]?.mapValue?[field] == value)
            #expect(try Self.announced(arguments + before)?["resume"]?.mapValue?[field] == value)
        }
    }

    @Test("The size of parts and of messages in parts is announced")
    func announcesParts() throws {
        let value = try Self.announced(["--chunk-size", "1000", "--max-chunked", "5000000"])
        #expect(value?["max-chunk-size"] == 1_000)
        #expect(value?["max-message-bytes"] == ["in": 5_000_000, "out": 5_000_000])
    }

    @Test("What is not announced reaches the server's settings")
    func settings() throws {
        let flow = try ServeSettings.read(
            ["--parked-sessions", "3", "--linger", "0.02"], environment: [:]
        ).configuration.flow
        #expect(flow.resumption?.sessions == 3)
        #expect(flow.batching?.linger == .milliseconds(20))
    }

    @Test("--flow leaves what it names as it was set, and turns it on with its defaults where it was off")
    func keeps() throws {
        let names = FlowName.allCases.map(\.rawValue).joined(separator: ",")
        func flow(_ arguments: [String]) throws -> ServerConfiguration.Flow {
            try ServeSettings.read(arguments, environment: [:]).configuration.flow
        }
        let settings = [
            "--resume-window", "5", "--buffer-messages", "1000000", "--parked-sessions", "0", "--linger", "1",
            "--chunk-size", "1073741824", "--max-chunked", "1073741824", "--buffer-bytes", "1073741824",
        ]
        let set = try flow(settings)
        #expect(set != .all)
        #expect(try flow(settings + ["--flow", names]) == set)
        #expect(try flow(["--no-flow", "--flow", names]) == .all)
    }

    @Test(
        "A value that does not fit is refused with its option's name",
        arguments: [
            ["--flow", "all"], ["--flow", ""], ["--resume-window", "-1"], ["--buffer-messages", "0"],
            ["--buffer-bytes", "many"], ["--parked-sessions", "-1"], ["--linger", "10ms"],
            ["--chunk-size", "0"], ["--max-chunked", "0"], ["--buffer-messages", "1000001"],
            ["--buffer-bytes", "1073741825"], ["--chunk-size", "1073741825"],
            ["--max-chunked", "1073741825"], ["--resume-window", "off"], ["--buffer-bytes", "0"],
        ])
    func refused(arguments: [String]) {
        let error = #expect(throws: UsageError.self) {
            try ServeSettings.read(arguments, environment: [:])
        }
        #expect(error?.message.hasPrefix("\(arguments[0]): ") == true)
    }
}
