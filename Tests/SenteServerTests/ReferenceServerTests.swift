// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteServer
import SenteTransport
import SenteWire
import Testing

@Suite("The reference server on real sockets", .serialized)
struct ReferenceServerTests {
    /// Runs a server on a free port, and stops it at the end.
    private func withServer(
        _ change: (inout ServerConfiguration) -> Void = { _ in }, hook: ReferenceServer.Hook? = nil,
        _ body: (ReferenceServer, Int) async throws -> Void
    ) async throws {
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.closeLimit = .seconds(2)
        // A slow machine must not find a ping where it looks for an answer.
        configuration.heartbeatInterval = nil
        change(&configuration)
        let server = try ReferenceServer(configuration, hook: hook)
        let port = try await server.start()
        do {
            try await body(server, port)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    @Test("It greets, answers and delivers between connections")
    func conversation() async throws {
        try await withServer { server, port in
            let (first, greeting) = try RawClient.webSocket(port: port)
            let (second, _) = try RawClient.webSocket(port: port)
            #expect(greeting.hasPrefix(#"{"type":"welcome","conn-id":"conn-"#))
            try first.sendText(#"{"type":"subscribe","channel-id":"a"}"#)
            #expect(try first.readText().contains(#""success":true"#))
            try second.sendText(#"{"type":"publish","channel-id":"a","data":{"n":1}}"#)
            #expect(
                try first.readText().hasPrefix(#"{"type":"channel-message","channel-id":"a","data":{"n":1}"#))
            #expect(try second.readText().hasPrefix(#"{"type":"publish-result""#))

            let stats = await server.stats
            #expect(stats.isRunning)
            #expect(stats.isEphemeral)
            #expect(stats.actualPort == port)
            #expect(stats.connections.map(\.messageCount) == [1, 1])
            #expect(await server.send(["x": 1], to: stats.connections[1].name))
            #expect(try second.readText() == #"{"x":1}"#)
            await server.publish(["n": 2], to: "a")
            #expect(try first.readText().contains(#""data":{"n":2}"#))
        }
    }

    @Test("A session goes on over a new connection, with what came meanwhile, in parts where it is large")
    func resumption() async throws {
        try await withServer({
            $0.flow = .all
            $0.flow.batching = nil
        }) { server, port in
            let offer =
                #""compression":["gzip"],"chunking":true,"max-chunk-size":20000,"resume":{"messages":9,"bytes":9000}"#
            func handshake(_ more: String) -> String {
                #"{"type":"flow-handshake","capabilities":{\#(offer)}\#(more)}"#
            }
            let (first, greeting) = try RawClient.webSocket(port: port)
            #expect(
                greeting.contains(#""capabilities":{"compression":["gzip","deflate"],"batching""#) == false)
            #expect(greeting.contains(#""compression":["gzip","deflate"],"chunking":true"#))
            try first.sendText(handshake(""))
            let answer = try WireFormat.json.decode(Array(try first.readText().utf8))
            let session = try #require(answer["session"]?.stringValue)
            try first.sendText(#"{"type":"subscribe","channel-id":"a"}"#)
            _ = try first.readText()
            await server.drop()
            #expect(try first.readEnd())
            #expect(await server.stats.parkedSessions == 1)
            let text = String((0..<60_000).map { "\($0) " }.joined().prefix(200_000))
            await server.publish(["x": .string(text)], to: "a")
            await server.publish(["n": 2], to: "a")
            let (second, _) = try RawClient.webSocket(port: port)
            try second.sendText(
                handshake(#","resume":{"session":"\#(session)","received":1,"sent":1,"attempt":1}"#))
            #expect(try second.readText().contains(#""resumed":true,"received":1,"sent":3,"missed":0"#))
            var data: [UInt8] = []
            var names: [String] = []
            while names.last != "channel-message" {
                let value = try WireFormat.json.decode(Array(try second.readText().utf8))
                names.append(value["type"]?.stringValue ?? "")
                if names.last == "flow-chunk" {
                    data += try #require(value["data"]?.stringValue.flatMap { Base64.bytes($0) })
                }
            }
            #expect(names.first == "flow-chunk-start" && names.suffix(2).first == "flow-chunk-end")
            #expect(data.prefix(2) == [0x1F, 0x8B] && data.count < text.utf8.count)
            // On a link that is there parts go as it takes them.
            await server.publish(["x": .string(text)], to: "a")
            repeat { names.append(try second.readText()) } while !(names.last ?? "").contains("chunk-end")
            #expect(await server.stats.counters.flow.inParts == 2)
        }
    }

    @Test("A large value comes and goes in its order, written and read beside the loop")
    func largeValue() async throws {
        try await withServer({
            $0.largeValue = 1_000
            $0.flow.chunking = ServerConfiguration.Flow.Chunking()
        }) { server, port in
            let (client, _) = try RawClient.webSocket(port: port)
            try client.sendText(
                #"{"type":"flow-handshake","capabilities":{"chunking":true,"max-chunk-size":2000}}"#)
            _ = try client.readText()
            try client.sendText(#"{"type":"subscribe","channel-id":"a"}"#)
            _ = try client.readText()
            let text = String(repeating: "all of it, ", count: 5_000)
            try client.sendText(#"{"type":"publish","channel-id":"a","data":{"x":"\#(text)"}}"#)
            try client.sendText(#"{"type":"ping"}"#)
            var names: [String] = []
            var data: [UInt8] = []
            while !names.contains("pong") || !names.contains("flow-chunk-end") {
                let value = try WireFormat.json.decode(Array(try client.readText().utf8))
                names.append(value["type"]?.stringValue ?? "")
                data += value["data"]?.stringValue.flatMap { Base64.bytes($0) } ?? []
            }
            // The answer waits for none of the parts, and the pong says that it was given.
            #expect(names.filter { !$0.hasPrefix("flow-") } == ["publish-result", "pong"])
            #expect(names.last == "flow-chunk-end")
            #expect(names.count { $0 == "flow-chunk" } > 16)
            #expect(try WireFormat.json.decode(data)["data"]?["x"]?.stringValue == text)
        }
    }

    @Test(
        "Stopping closes everyone with 1001, and it starts again on the same port or another with nothing kept"
    )
    func restart() async throws {
        try await withServer { server, port in
            let (client, _) = try await AsyncRawClient.webSocket(port: port)
            try await client.sendText(#"{"type":"subscribe","channel-id":"a"}"#)
            _ = try await client.readText()
            async let stopped: Void = server.stop()
            #expect(try await client.readClose() == 1001)
            try await client.sendClose(1001)
            #expect(try await client.readEnd())
            await stopped
            #expect(!(await server.stats.isRunning))
            #expect(throws: RawClient.Problem.self) { try RawClient(port: port) }

            #expect(try await server.start(port: port) == port)
            _ = try RawClient.webSocket(port: port)
            #expect(await server.stats.channels.isEmpty)
            await server.stop()
            let other = try await server.start(port: 0)
            _ = try RawClient.webSocket(port: other)
        }
    }

    @Test("A peer that does not answer the close does not hold up stopping beyond the limit")
    func boundedStop() async throws {
        try await withServer({ $0.closeLimit = .milliseconds(50) }) { server, port in
            let (client, _) = try RawClient.webSocket(port: port)
            await server.stop()
            #expect(try client.readClose() == 1001)
        }
    }

    @Test("The port file holds the real port")
    func portFile() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("port-\(UUID()).txt").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await withServer({ $0.portFile = path }) { _, port in
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text == "\(port)")
        }
    }

    @Test("What keeps it from starting is said, and it does not run then")
    func cannotStart() async throws {
        try await withServer { server, port in
            let again = await #expect(throws: LinkFailure.self) { try await server.start() }
            #expect(again?.message.contains("already") == true)
            var configuration = ServerConfiguration()
            configuration.port = port
            let second = try ReferenceServer(configuration)
            await #expect(throws: LinkFailure.self) { try await second.start() }
            await #expect(throws: LinkFailure.self) { try await second.start(port: 70_000) }
            configuration.port = 0
            configuration.host = "nowhere"
            let third = try ReferenceServer(configuration)
            await #expect(throws: LinkFailure.self) { try await third.start() }
            configuration.host = "localhost"
            configuration.portFile = "/nonexistent/port"
            let fourth = try ReferenceServer(configuration)
            let error = await #expect(throws: LinkFailure.self) { try await fourth.start() }
            #expect(error?.message.contains("/nonexistent/port") == true)
            #expect(!(await fourth.stats.isRunning))
        }
    }

    @Test("Pages answer and everything else is not found")
    func pages() async throws {
        try await withServer { _, port in
            let health = try RawClient.page("/health", port: port)
            #expect(health.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(health.contains("Content-Type: application/json\r\n"))
            #expect(health.contains(#"{"status":"healthy","connections":0,"#))
            #expect(try RawClient.page("/stats", port: port).contains(#""server-config":{"port":0,"#))
            #expect(try RawClient.page("/channels", port: port).hasSuffix(#"{"channels":{}}"#))
            #expect(try RawClient.page("/", port: port).hasPrefix("HTTP/1.1 404 Not Found\r\n"))
        }
    }

    @Test("The hook answers messages of unknown type, or nothing")
    func hook() async throws {
        let hook: ReferenceServer.Hook = { _, message in
            message["n"]?.integerValue.map { ["type": "doubled", "n": .integer($0 * 2)] }
        }
        try await withServer(hook: hook) { _, port in
            let (client, _) = try RawClient.webSocket(port: port)
            try client.sendText(#"{"type":"other"}"#)
            try client.sendText(#"{"type":"double","n":4}"#)
            #expect(try client.readText() == #"{"type":"doubled","n":8}"#)
        }
    }

    @Test("Upgrades are refused with a status or by ending TCP, and taken again when the fault is gone")
    func refusing() async throws {
        try await withServer { server, port in
            var faults = Faults()
            faults.refusing = .answer(
                Refusal(status: 429, headers: [.init("Retry-After", "7")], body: Array("no".utf8)))
            await server.setFaults(faults)
            let head = try RawClient(port: port).upgrade()
            #expect(head.hasPrefix("HTTP/1.1 429"))
            #expect(head.contains("Retry-After: 7\r\n"))
            faults.refusing = .disconnect
            await server.setFaults(faults)
            #expect(await server.faults == faults)
            #expect(throws: RawClient.Problem.self) { try RawClient(port: port).upgrade() }
            await server.setFaults(Faults())
            _ = try RawClient.webSocket(port: port)
        }
    }

    @Test("A full server answers 503")
    func full() async throws {
        try await withServer({ $0.maximumConnections = 1 }) { _, port in
            let (first, _) = try RawClient.webSocket(port: port)
            let head = try RawClient(port: port).upgrade()
            #expect(head.hasPrefix("HTTP/1.1 503"))
            try first.sendText(#"{"type":"ping"}"#)
            #expect(try first.readText().contains("pong"))
        }
    }

    @Test("A connection is closed with a code, dropped without one, or left open after its close")
    func endings() async throws {
        try await withServer { server, port in
            let (closed, _) = try RawClient.webSocket(port: port)
            await server.close(nil, CloseCode(rawValue: 4_321), reason: "bye")
            #expect(try closed.readClose() == 4_321)
            try closed.sendClose(4_321)

            let (dropped, _) = try RawClient.webSocket(port: port)
            await server.drop()
            #expect(try dropped.readEnd())

            let (left, _) = try RawClient.webSocket(port: port)
            var faults = Faults()
            faults.leavesTCPOpen = true
            await server.setFaults(faults)
            try left.sendClose(1000)
            #expect(try left.readClose() == 1000)
            while await !server.stats.connections.isEmpty {}
            #expect(left.isQuiet)
            await server.stop()
            #expect(try left.readEnd())
        }
    }

    @Test("A message beyond the limit ends its connection with 1009, an echo of the largest comes whole")
    func sizes() async throws {
        try await withServer({ $0.maximumMessageBytes = 1_000 }) { _, port in
            let (client, _) = try RawClient.webSocket(port: port)
            let largest = "\"" + String(repeating: "x", count: 998) + "\""
            try client.sendText(largest)
            #expect(try client.readText().contains(largest))
            try client.sendText(largest + " ")
            #expect(try client.readClose() == 1009)
        }
    }

    @Test("A connection that never reads is dropped before it fills the memory")
    func slowReader() async throws {
        try await withServer({ $0.maximumUnwrittenBytes = 256 << 10 }) { server, port in
            let (slow, _) = try RawClient.webSocket(port: port)
            let chunk = Value(String(repeating: "x", count: 100_000))
            var rounds = 0
            while await !server.stats.connections.isEmpty, rounds < 1_000 {
                await server.broadcast(["chunk": chunk])
                rounds += 1
            }
            #expect(rounds < 1_000)
            withExtendedLifetime(slow) {}
        }
    }

    @Test("A flood arrives whole and in order, and a ping behind it is still answered")
    func flood() async throws {
        try await withServer({ $0.allowsFlood = true }) { _, port in
            let (client, _) = try RawClient.webSocket(port: port)
            let count = 30_000
            try client.sendText(#"{"type":"flood","channel-id":"a","count":\#(count),"data":{"n":1}}"#)
            try client.sendText(#"{"type":"ping","timestamp":5}"#)
            var ids: [String] = []
            var pongs = 0
            while ids.count < count || pongs == 0 {
                let text = try client.readText()
                if text.contains("pong") { pongs += 1 } else { ids.append(String(text.suffix(14))) }
            }
            #expect(pongs == 1)
            #expect(ids.last?.hasSuffix("msg-\(count)\"}") == true)
        }
    }

    @Test("A broadcast reaches two hundred connections")
    func broadcast() async throws {
        try await withServer { server, port in
            let clients = try (0..<200).map { _ in try RawClient.webSocket(port: port).client }
            await server.broadcast(["type": "news"])
            for client in clients { #expect(try client.readText() == #"{"type":"news","broadcast":true}"#) }
        }
    }

    @Test("Channels can be made and deleted while it runs")
    func channels() async throws {
        try await withServer({ $0.createsChannels = false }) { server, port in
            let (client, _) = try RawClient.webSocket(port: port)
            await server.createChannel("a", ChannelConfiguration(retention: 1))
            try client.sendText(#"{"type":"subscribe","channel-id":"a"}"#)
            #expect(try client.readText().contains(#""success":true"#))
            await server.deleteChannel("a")
            try client.sendText(#"{"type":"subscribe","channel-id":"a"}"#)
            #expect(try client.readText().contains("channel-not-found"))
        }
    }
}
