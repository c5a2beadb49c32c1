// SPDX-License-Identifier: Apache-2.0

import SampleOptions
import Testing
import bench

@Suite("bench")
struct BenchTests {
    @Test(
        "Help is help wherever it stands",
        arguments: [[], ["--help"], ["-h"], ["help"], ["self", "--help"], ["--json"]])
    func help(arguments: [String]) throws {
        #expect(try BenchCommand(arguments) == .help)
    }

    @Test(
        "What is no measurement is said in a sentence",
        arguments: [
            (["frob"], "no measurement “frob”"), (["self", "now"], "“now” is too much"),
            (["client", "1", "request"], "bench client PORT"),
            (["client", "1", "x", "1"], "request|forwarded"),
            (["formats"], "bench formats DIRECTORY"), (["compression", "now"], "no more words"),
            (["flow", "batches"], "none of batching, compression, chunking, resumption, crowd, plain"),
            (["serve", "now"], "“now” is too much"), (["nats", "now"], "takes --smoke"),
            (["nats", "--flood", "1", "2", "x"], "json, bytes"),
        ])
    func misuse(arguments: [String], sentence: String) {
        let error = #expect(throws: UsageError.self) { try BenchCommand(arguments) }
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "")")
    }

    @Test("--json changes nothing of what is measured")
    func json() throws {
        #expect(try BenchCommand(["--json", "self"]) == .all)
        #expect(
            try BenchCommand(["client", "9", "idle", "3", "--json"])
                == .client(port: 9, mode: "idle", count: 3))
        #expect(
            try BenchCommand(["instructions", ".ci/instructions"]) == .instructions([".ci/instructions"]))
        #expect(try BenchCommand(["flow", "--smoke", "batching"]) == .flow(["--smoke", "batching"]))
        #expect(try BenchCommand(["serve", "--flow"]) == .serve(flow: true))
        #expect(try BenchCommand(["nats", "--smoke"]) == .nats(.measuring(isSmoke: true)))
        #expect(try BenchCommand(["nats", "--serve", "9"]) == .nats(.serving(port: 9)))
        #expect(
            try BenchCommand(["nats", "--flood", "9", "3", "bytes"])
                == .nats(.flooding(port: 9, count: 3, .bytes)))
        #expect(try BenchCommand(["telemetry", "--json"]) == .telemetry)
        #expect(try BenchCommand(["telemetry", "--allocations", "5"]) == .telemetryCalls(5))
        #expect(throws: UsageError.self) { try BenchCommand(["telemetry", "--allocations", "many"]) }
        let words = ["127.0.0.1", "9", "pingpong", "64", "10", "1"]
        #expect(try BenchCommand(words) == .load(words))
        #expect(try BenchCommand(["wss://h/", "idle"]) == .load(["wss://h/", "idle"]))
    }

    @Test("Figures are a JSON object for programs, and a row with units for people")
    func results() {
        let result = BenchResult(
            client: "c \"1\"", mode: "pingpong", size: 64, count: 8_000,
            figures: [("p50_us", 12.3456), ("msgs_s", 81_000), ("rss_kib", 2_048)])
        #expect(
            result.json
                == #"{"client":"c \"1\"","mode":"pingpong","size":64,"count":8000,"p50_us":12.346,"msgs_s":81000.0,"rss_kib":2048.0}"#
        )
        #expect(result.row.contains("pingpong  64 B × 8000"))
        let flood = BenchResult(
            client: "c", mode: "flood", size: 64, count: 1,
            figures: [("p50_us", 0), ("p99_us", 0), ("cpu_us", 1)])
        #expect(!flood.row.contains("p50") && !flood.row.contains("p99"))
        for cell in ["p50    12.3 µs", "81000 messages/s", "2.0 MiB"] { #expect(result.row.contains(cell)) }
    }
}
