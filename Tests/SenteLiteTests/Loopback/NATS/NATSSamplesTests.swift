// SPDX-License-Identifier: Apache-2.0

import SampleTestSupport
import SenteLite
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    /// The samples that speak to servers of NATS, as processes.
    @Suite("Samples and NATS", .needs(.natsServer))
    struct NATSSamplesTests {
        @Test("console publishes, stores, asks and follows")
        func console() async throws {
            try await Intermediary.withJetStream { node in
                let maker = try await node.connected()
                try await maker.makeStream("KEPT", ["kept"])
                await maker.disconnect()
                let client = try SampleProcess(["ws://127.0.0.1:\(node.port)/", "--dialect", "nats"])
                try await client.open()
                let stored = try await client.ask(#"publish --stored kept {"n": 1}"#)
                #expect(stored["outcome"] == "acknowledged" && stored["id"] == "KEPT:1")
                #expect(try await client.ask("subscribe kept --from 1")["confirmed"] == true)
                _ = try await client.ask(#"publish --stored kept {"n": 2}"#)
                let came = try await client.wait(for: 2, "both messages") { $0["kind"] == "message" }
                #expect(came.map { $0["position"] } == [1, 2])
                #expect(came.map { $0["retained"] } == [true, false])
                #expect(try await client.ask("subscribe news.*")["confirmed"] == true)
                #expect(try await client.ask("publish news.a 7")["outcome"] == "acknowledged")
                let heard = try await client.first("a plain message") { $0["subject"] == "news.a" }
                #expect(heard["data"] == 7)
                let reply = try await client.ask("request $JS.API.STREAM.INFO.KEPT null")
                #expect(reply["data"]?["state"]?["last_seq"] == 2)
                #expect(try await client.quit() == 0)
            }
        }

        @Test("cluster shows that nothing is missing and nothing comes twice when a node is killed")
        func cluster() async throws {
            let cluster = try SampleProcess(["--kills", "1", "--json"], sample: "cluster")
            try await cluster.first("a killed node") { $0["event"] == "killed" }
            #expect(try await cluster.quit() == 0)
            let help = try SampleProcess(["--help"], sample: "cluster")
            try await help.says("what there is") { $0.contains("swift run cluster") }
            #expect(try await help.quit() == 0)
            #expect(try await SampleProcess(["--frob"], sample: "cluster").quit() == 2)
        }
    }
}
