// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

extension Loopback {
    /// The suites of the project's own test client, with what they left unasserted.
    @Suite("The project's scenarios over real sockets")
    struct ScenarioTests {
        @Test("02: the server knows a client by the name it gave it, and forgets it when it leaves")
        func connection() async throws {
            try await withServer { server, port in
                let client = try client(port)
                try await client.connect()
                let stats = await server.stats
                #expect(stats.connections.map(\.name) == [client.status.identity?.connectionID])
                await client.disconnect()
                #expect(client.state == .closed)
                try await eventually("the server has no connection") {
                    await server.stats.connections.isEmpty
                }
            }
        }

        @Test("03: a message of unknown type comes back whole, as an echo")
        func echo() async throws {
            try await withServer { _, port in
                let client = try client(port)
                try await client.connect()
                let events = Collector<Event>()
                client.on("echo") { events.append($0) }
                try await client.send(Event(id: "greet", data: ["n": 1, "text": "grüß dich 👋"]))
                let echo = try await events.first("an echo") { _ in true }
                let original: Value = ["type": "greet", "n": 1, "text": "grüß dich 👋"]
                #expect(echo.data["original"] == original)
                #expect(echo.data["conn-id"]?.stringValue == client.status.identity?.connectionID)
                let answer = try await client.send(
                    Event(id: "ask", data: ["n": 2]), timeout: .seconds(30)
                ) { $0.data["original"]?["n"] == 2 }
                #expect(answer["original"]?["type"] == "ask")
                #expect(events.elements.count == 2)
                await client.disconnect()
            }
        }

        @Test(
            "04: three clients, two channels: everyone gets what is theirs, the publisher too, and nothing else"
        )
        func channels() async throws {
            try await withServer { server, port in
                let (ann, bob, cleo) = (try client(port), try client(port), try client(port))
                let wire = WireClient(port: port, on: try EventLoop.shared())
                for client in [ann, bob, cleo] { try await client.connect() }
                let forAnn = try await ann.subscribe("announcements")
                let forBob = try await bob.subscribe("announcements")
                let forCleo = try await cleo.subscribe("alerts")
                _ = try await wire.first("welcome")
                try wire.send(["type": "subscribe", "channel-id": "alerts"])
                _ = try await wire.first("subscription-result")
                let leaks = Collector<ChannelMessage>()
                cleo.onMessage(in: "announcements") { leaks.append($0) }
                ann.onMessage(in: "alerts") { leaks.append($0) }

                let first = try await ann.publish(["text": "to all"], to: "announcements")
                #expect(first.deliveredTo == 2)
                // From one who is not subscribed.
                let second = try await bob.publish(["text": "danger"], to: "alerts")
                #expect(second.deliveredTo == 2)
                let third = try await bob.publish(
                    ["text": "not me"], to: "announcements", excludeSender: true)
                #expect(third.deliveredTo == 1)
                for channel in ["announcements", "alerts"] {
                    await server.publish(["end": true], to: channel)
                }

                let annHas = try await forAnn.take(3)
                #expect(annHas.map(\.data) == [["text": "to all"], ["text": "not me"], ["end": true]])
                #expect(annHas.map(\.channel) == Array(repeating: "announcements", count: 3))
                #expect(annHas.prefix(2).map(\.id) == [first.messageID, third.messageID])
                #expect(try await forBob.take(2).map(\.data) == [["text": "to all"], ["end": true]])
                let cleoHas = try await forCleo.take(2)
                #expect(cleoHas.map(\.data) == [["text": "danger"], ["end": true]])
                #expect(cleoHas.map(\.channel) == ["alerts", "alerts"])
                // On the wire too nothing came that was not asked for.
                let frames = try await wire.messages.wait("the end on the wire") {
                    $0.contains { $0["data"]?["end"] == true }
                }
                #expect(frames.count == 4)
                #expect(!frames.contains { $0["channel-id"] == "announcements" })
                #expect(leaks.elements.isEmpty)
                wire.abandon()
                for client in [ann, bob, cleo] { await client.disconnect() }
            }
        }

        @Test("05: who answers pings stays; who is silent is closed")
        func heartbeat() async throws {
            try await withServer({
                $0.heartbeatInterval = .milliseconds(150)
                $0.heartbeatTimeout = .seconds(2)
            }) { server, port in
                let client = try client(port)
                try await client.connect()
                let identity = client.status.identity
                let silent = WireClient(port: port, on: try EventLoop.shared())
                let end = try await silent.ends.first("the end of the silent one") { _ in true }
                #expect(end == .closed(.closed(code: .normal, reason: "heartbeat timeout")))
                #expect(silent.messages.elements.count { $0["type"] == "ping" } >= 3)
                let stats = await server.stats
                #expect(stats.counters.deadConnections == 1)
                // It sends nothing but pongs.
                #expect(stats.connections.map(\.name) == [identity?.connectionID])
                #expect((stats.connections.first?.messageCount ?? 0) >= 3)
                #expect(client.state == .open)
                #expect(client.status.identity == identity)
                #expect(client.metrics.connection.attempts == 1)
                await client.disconnect()
            }
        }

        @Test("06: closed, connecting, open, closing, closed, each seen once; sending works while open")
        func states() async throws {
            try await withServer { _, port in
                let client = try client(port)
                let changes = Collector<[ConnectionState]>()
                client.onStateChange { old, new in changes.append([old.state, new.state]) }
                #expect(client.state == .closed)
                let early = await error { () throws(SenteError) in try await client.send(Event(id: "x")) }
                #expect(early?.code == .notConnected)
                try await client.connect()
                try await client.send(Event(id: "x"))
                await client.disconnect()
                let seen = try await changes.wait("four changes") { $0.count >= 4 }
                #expect(
                    seen == [
                        [.closed, .connecting], [.connecting, .open], [.open, .closing], [.closing, .closed],
                    ])
                let late = await error { () throws(SenteError) in try await client.send(Event(id: "x")) }
                #expect(late?.code == .notConnected)
                #expect(late?.outcome == .notSent)
            }
        }

        @Test("07: a restart is survived under a new name; with no server left, three retries end in failed")
        func reconnection() async throws {
            try await withServer { server, port in
                let steady = try client(port)
                try await steady.connect()
                let first = steady.status.identity
                await server.stop()
                try await steady.reaches(.reconnecting)
                #expect(steady.status.lastClose?.code == .goingAway)
                try await server.start(port: port)
                try await steady.reaches(.open)
                #expect(steady.metrics.connection.reconnects == 1)
                #expect(steady.status.identity != nil)
                #expect(steady.status.identity != first)
                await steady.disconnect()

                let limited = try client(port) {
                    $0.reconnect = .exponential(
                        initial: .milliseconds(20), maximum: .milliseconds(100), attempts: 3)
                }
                try await limited.connect()
                let statuses = limited.collectStatuses()
                await server.stop()
                try await limited.reaches(.failed)
                let seen = try await statuses.wait("failed") { $0.last?.state == .failed }
                #expect(
                    seen.map(\.state) == [
                        .reconnecting, .connecting, .reconnecting, .connecting, .reconnecting, .connecting,
                        .failed,
                    ])
                #expect(limited.status.lastError?.code == .unreachable)
                let refused = await error { () throws(SenteError) in
                    try await limited.publish(["n": 1], to: "c")
                }
                #expect(refused?.code == .notConnected)
                try await server.start(port: port)
                try await limited.connect()
                #expect(limited.state == .open)
                await limited.disconnect()
            }
        }

        @Test("08: two subscriptions outlive a restart, in order, and messages arrive on both")
        func restoration() async throws {
            try await withServer { server, port in
                let client = try client(port)
                try await client.connect()
                let (news, chat) = (try await client.subscribe("news"), try await client.subscribe("chat"))
                await server.stop()
                try await client.reaches(.reconnecting)
                #expect(client.subscriptions == ["news", "chat"])
                #expect(!news.isConfirmed)
                try await server.start(port: port)
                try await client.reaches(.open)
                #expect(try await client.confirmedSubscriptions() == ["news", "chat"])
                #expect(news.isConfirmed && chat.isConfirmed)
                #expect(await server.stats.connections.first?.subscriptions == ["news", "chat"])
                await server.publish(["n": 1], to: "chat")
                try await client.publish(["n": 2], to: "news")
                #expect(try await chat.take(1).map(\.data) == [["n": 1]])
                #expect(try await news.take(1).map(\.data) == [["n": 2]])
                await client.disconnect()
            }
        }

        @Test("09: the integration of all, in twelve checks")
        func integration() async throws {
            try await withServer({ $0.heartbeatInterval = .milliseconds(200) }) { server, port in
                let one = try client(port)
                try await one.connect()
                #expect(one.state == .open, "1: connected")
                let (a, b) = (try await one.subscribe("a"), try await one.subscribe("b"))
                #expect(one.subscriptions == ["a", "b"], "2: tracked")
                try await eventually("3: pings are answered") {
                    (await server.stats.connections.first?.messageCount ?? 0) >= 4
                }
                #expect(a.isConfirmed && b.isConfirmed, "4: kept")
                await server.stop()
                try await one.reaches(.reconnecting)  // 5
                try await server.start(port: port)
                try await one.reaches(.open)  // 6
                #expect(try await one.confirmedSubscriptions() == ["a", "b"], "7: restored")
                let identity = one.status.identity
                try await eventually("8: stable over five more pings") {
                    (await server.stats.connections.first?.messageCount ?? 0) >= 8
                }
                #expect(one.status.identity == identity, "8: the same connection")
                #expect(one.state == .open && one.subscriptions == ["a", "b"], "9: consistent")
                for _ in 1...2 {
                    await server.stop()
                    try await one.reaches(.reconnecting)
                    try await server.start(port: port)
                    try await one.reaches(.open)  // 10
                }
                #expect(one.metrics.connection.reconnects == 3, "10: three times back")
                let two = try client(port)
                try await two.connect()
                let c = try await two.subscribe("c")
                #expect(one.state == .open && two.state == .open, "11: both open")
                #expect(Set(one.subscriptions).isDisjoint(with: two.subscriptions), "12: subscriptions apart")
                #expect(try await one.publish(["n": 1], to: "c").deliveredTo == 1)
                #expect(try await two.publish(["n": 2], to: "a").deliveredTo == 1)
                #expect(try await c.take(1).first?.data == ["n": 1])
                #expect(try await a.take(1).first?.data == ["n": 2])
                for client in [one, two] { await client.disconnect() }
            }
        }
    }
}
