// SPDX-License-Identifier: Apache-2.0

import SampleTestSupport
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    /// The six of the project, with real processes and free ports.
    @Suite("Several processes")
    struct ProcessTests {
        private func isOutcome(_ line: Value, of command: String) -> Bool {
            line["kind"] == "outcome" && line["command"] == .string(command)
        }

        private func publish(_ client: SampleProcess, from name: String, _ range: Range<Int>) async throws {
            for number in range { client.write(#"publish room {"from":"\#(name)","n":\#(number)}"#) }
            let outcomes = try await client.wait(for: range.upperBound, "all published") {
                isOutcome($0, of: "publish")
            }
            #expect(outcomes.allSatisfy { $0["outcome"] == "acknowledged" })
        }

        /// Subscribes an open client, so that the server has confirmed it.
        private func join(_ client: SampleProcess) async throws {
            try await client.open()
            #expect(try await client.ask("subscribe room")["confirmed"] == true)
        }

        private func numbers(_ messages: [Value], from name: String) -> [Int64] {
            messages.filter { $0["from"] == .string(name) }.compactMap { $0["n"]?.integerValue }
        }

        /// Ends the client, which must have seen no error.
        private func end(_ client: SampleProcess) async throws {
            #expect(try await client.quit() == 0)
            #expect(client.lines.filter { $0["kind"] == "error" } == [])
        }

        private func end(server: SampleProcess) async throws {
            #expect(try await server.quit() == 0)
            #expect(server.lines.last?["state"] == "stopped")
        }

        @Test(
            "1: a server and two clients that find it by its port file; five messages each, all received by both"
        )
        func basic() async throws {
            try await withPortFile { path in
                let (server, _) = try await SampleProcess.serve(["--port-file", path])
                let clients = try ["a", "b"].map { ($0, try SampleProcess.client(1, "--port-file", path)) }
                for (_, client) in clients { try await join(client) }
                for (name, client) in clients { try await publish(client, from: name, 0..<5) }
                for (_, client) in clients {
                    let messages = try await client.messages(10)
                    for name in ["a", "b"] { #expect(numbers(messages, from: name) == [0, 1, 2, 3, 4]) }
                }
                for (_, client) in clients { try await end(client) }
                try await end(server: server)
            }
        }

        @Test(
            "2 and 3: a server is killed and comes back, elsewhere or in the same place: three messages before and three after",
            arguments: [true, false])
        func reconnection(isElsewhere: Bool) async throws {
            try await withPortFile { path in
                let (server, port) = try await SampleProcess.serve(["--port-file", path])
                let clients = try ["a", "b"].map { ($0, try SampleProcess.client(1, "--port-file", path)) }
                for (_, client) in clients { try await join(client) }
                for (name, client) in clients { try await publish(client, from: name, 0..<3) }
                for (_, client) in clients { #expect(try await client.messages(6).count == 6) }

                try await server.kill()
                for (_, client) in clients {
                    try await client.first("the loss") {
                        $0["kind"] == "state" && $0["state"] == "reconnecting"
                    }
                }
                let (successor, newPort) = try await SampleProcess.serve(
                    ["--port-file", path], port: isElsewhere ? 0 : port)
                #expect((newPort != port) == isElsewhere)
                for (_, client) in clients {
                    try await client.open(2)
                    // Its answer proves that the wishes were restored before it.
                    client.write("publish control {}")
                    try await client.first("an answer of the new server") {
                        $0["command"] == "publish" && $0["kind"] == "error"
                    }
                }
                for (name, client) in clients {
                    for number in 3..<6 { client.write(#"publish room {"from":"\#(name)","n":\#(number)}"#) }
                }
                for (_, client) in clients {
                    let messages = try await client.messages(12)
                    for name in ["a", "b"] { #expect(numbers(messages, from: name) == [0, 1, 2, 3, 4, 5]) }
                    let opens = client.lines.filter { $0["state"] == "open" }
                    #expect(Set(opens.compactMap { $0["connection"]?.stringValue }).count == 2)
                    #expect(try await client.quit() == 0)
                    // The one error is the probe of a channel that nobody made.
                    #expect(client.lines.count { $0["kind"] == "error" } == 1)
                }
                try await end(server: successor)
            }
        }

        @Test(
            "4: ten clients start at once, before the server: each sends three and hears at least two, none fails"
        )
        func concurrentStart() async throws {
            try await withPortFile { path in
                let clients = try (0..<10).map {
                    ("\($0)", try SampleProcess.client(1, "--port-file", path))
                }
                for (name, client) in clients {
                    client.write("subscribe room")
                    for number in 0..<3 { client.write(#"publish room {"from":"\#(name)","n":\#(number)}"#) }
                }
                let (server, _) = try await SampleProcess.serve(["--port-file", path])
                for (name, client) in clients {
                    let outcomes = try await client.wait(for: 3, "all published") {
                        isOutcome($0, of: "publish")
                    }
                    #expect(outcomes.count == 3)
                    let own = try await client.wait(for: 3, "its own messages") {
                        $0["kind"] == "message" && $0["data"]?["from"] == .string(name)
                    }
                    #expect(numbers(own.compactMap { $0["data"] }, from: name) == [0, 1, 2])
                }
                for (_, client) in clients { try await end(client) }
                try await end(server: server)
            }
        }

        @Test("5: of three clients one is killed; the others go on without a failure")
        func processFailure() async throws {
            let (server, port) = try await SampleProcess.serve(["--no-flow"])
            let clients = try ["a", "b", "c"].map { ($0, try SampleProcess.client(port)) }
            for (_, client) in clients { try await join(client) }
            try await publish(clients[0].1, from: "a", 0..<1)
            for (_, client) in clients { #expect(try await client.messages(1).count == 1) }
            try await clients[2].1.kill()
            try await publish(clients[0].1, from: "a", 1..<5)
            try await publish(clients[1].1, from: "b", 0..<5)
            for (_, client) in clients.prefix(2) {
                let messages = try await client.messages(10)
                #expect(numbers(messages, from: "a") == [0, 1, 2, 3, 4])
                #expect(numbers(messages, from: "b") == [0, 1, 2, 3, 4])
            }
            let last = clients[1].1.lines.last { isOutcome($0, of: "publish") }
            #expect(last?["deliveredTo"] == 2)
            for (_, client) in clients.prefix(2) { try await end(client) }
            try await end(server: server)
        }

        @Test(
            "6: twenty clients (five under a sanitizer) with twenty messages each: all sent, all received by all, in order"
        )
        func stress() async throws {
            let (server, port) = try await SampleProcess.serve()
            let count = Machine.isSanitized ? 5 : 20
            let clients = try (0..<count).map { ("c\($0)", try SampleProcess.client(port)) }
            for (_, client) in clients { try await join(client) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (name, client) in clients {
                    group.addTask { try await publish(client, from: name, 0..<20) }
                }
                try await group.waitForAll()
            }
            for (_, client) in clients {
                let messages = try await client.messages(count * 20)
                for (name, _) in clients { #expect(numbers(messages, from: name) == Array(0..<20)) }
            }
            for (_, client) in clients { try await end(client) }
            try await end(server: server)
        }
    }
}
