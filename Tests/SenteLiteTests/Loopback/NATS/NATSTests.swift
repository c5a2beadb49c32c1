// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import SenteLite
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    /// The public calls against the server that others wrote.
    @Suite("A client and a server of NATS", .needs(.natsServer))
    struct NATSTests {
        @Test(
            "clients talk through subjects, with acknowledged publishes, in any format, and wildcards hear all"
        )
        func talks() async throws {
            try await Intermediary.withNATS { node in
                let alice = try await node.connected()
                let bob = try await node.connected { $0.format = .edn }
                #expect(alice.status.dialect == .nats && alice.status.format == .json)
                #expect(alice.status.identity?.connectionID != bob.status.identity?.connectionID)
                #expect(alice.status.identity?.handshakeData?["server_name"] == "one")
                let news = try await alice.subscribe("news")
                let all = try await alice.subscribe("news.>")
                #expect(news.isConfirmed && all.isConfirmed)
                let data: [Value] = [["text": "水"], 7, "hello", .null, [1, true], .bytes([0, 13, 10, 255])]
                for one in data {
                    let receipt = try await bob.publish(one, to: "news")
                    #expect(receipt == PublishReceipt(acknowledgement: .accepted))
                }
                #expect(try await news.take(data.count).map(\.data) == data)
                try await alice.publish(["n": 1], to: "news.a.b")
                let heard = try await all.take(1)
                #expect(heard.first?.channel == "news.>" && heard.first?.subject == "news.a.b")
                #expect(heard.first?.data == ["n": 1] && heard.first?.headers.isEmpty == true)
                #expect(try await alice.ping() > .zero)
                #expect(alice.subscriptions == ["news", "news.>"])

                try await bob.publish(":a", to: "news", options: SendOptions(headers: ["x": "1", "x": "2"]))
                let headed = try await news.take(1)
                #expect(headed.first?.headers.pairs.filter { $0.name == "x" }.map(\.value) == ["1", "2"])
                #expect(headed.first?.headers["Content-Type"] == "application/edn")

                try await alice.unsubscribe("news")
                let again = try await alice.subscribe("news")
                try await alice.publish("mine", to: "news", excludeSender: true)
                try await alice.publish("all's", to: "news")
                #expect(try await again.take(1).map(\.data) == ["all's"])
                await alice.disconnect()
                await bob.disconnect()
                #expect(alice.metrics.errors.isEmpty)
            }
        }

        @Test("who is present is known without a server's help")
        func presence() async throws {
            try await Intermediary.withNATS { node in
                let clients = [try await node.connected(), try await node.connected()]
                var rooms: [Presence<Value>] = []
                for (client, name) in zip(clients, ["ann", "bob"]) {
                    let room = try await client.presence(in: "room")
                    try room.enter(Value(name))
                    rooms.append(room)
                }
                for room in rooms {
                    try await eventually("both see both") { room.members.count == 2 }
                }
                for client in clients { await client.disconnect() }
            }
        }

        @Test("requests are answered by one of a group, by nobody, with errors, and by the busy")
        func requests() async throws {
            try await Intermediary.withNATS { node in
                let asker = try await node.connected()
                let services = [try await node.connected(), try await node.connected()]
                let served = Collector<Int>()
                for (index, service) in services.enumerated() {
                    try await service.respond(on: "sum") { data in
                        served.append(index)
                        guard let numbers = data.arrayValue?.compactMap(\.integerValue) else {
                            throw RemoteError(code: "no-numbers", details: data)
                        }
                        return Value(Int(numbers.reduce(0, +)))
                    }
                    #expect(service.subscriptions == [])
                }
                for number in 0..<40 {
                    #expect(try await asker.request([1, Value(number)], on: "sum") == Value(number + 1))
                }
                #expect(served.elements.count == 40 && Set(served.elements) == [0, 1])
                let failure = await error { () throws(SenteError) in
                    _ = try await asker.request("x", on: "sum")
                }
                #expect(failure?.remoteError == RemoteError(code: "no-numbers", details: "x"))
                let nobody = await error { () throws(SenteError) in
                    _ = try await asker.request(1, on: "nobody")
                }
                #expect(nobody?.code == .noSubscribers)

                // Its own subscription is no service, and hears every request as a message.
                let tap = try await services[0].subscribe("sum")
                #expect(try await asker.request([2], on: "sum") == 2)
                #expect(try await tap.take(1).first?.data == [2])

                let entered = Collector<Bool>()
                let released = Collector<Bool>()
                let slow = try await services[0].respond(on: "slow", concurrency: 1) { _ in
                    entered.append(true)
                    _ = try await released.first("the release") { $0 }
                    return "done"
                }
                async let first = asker.request(1, on: "slow")
                _ = try await entered.first("work on the first") { $0 }
                let busy = await error { () throws(SenteError) in _ = try await asker.request(2, on: "slow") }
                #expect(busy?.code == .busy)
                released.append(true)
                #expect(try await first == "done")
                await slow.drain()
                let gone = await error { () throws(SenteError) in _ = try await asker.request(3, on: "slow") }
                #expect(gone?.code == .noSubscribers)
                for client in services + [asker] { await client.disconnect() }
            }
        }

        @Test("what a user may not do is refused at the call, and the link stays")
        func permissions() async throws {
            let users = """
                authorization { users: [
                    {user: ann, password: secret, permissions: {publish: {allow: ["ok.>"]}, subscribe: {allow: ["ok.>", "_INBOX.>", "q workers"]}}}
                    {user: boss, password: secret}
                ] }
                """
            try await Intermediary.withNATS(users) { node in
                let ann = try await node.connected {
                    $0.nats.credentials = .user("ann", password: "secret")
                    $0.nats.group = "workers"
                }
                let first = ann.status.identity
                func refusal(_ body: () async throws(SenteError) -> Void) async -> SenteError? {
                    let error = await error(body)
                    #expect(
                        error?.code == .rejected && error?.message.contains("may not") == true,
                        "\(String(describing: error))")
                    return error
                }
                _ = await refusal { () throws(SenteError) in try await ann.publish(1, to: "no") }
                try await ann.publish(1, to: "ok.a")
                _ = await refusal { () throws(SenteError) in _ = try await ann.subscribe("no.x") }
                _ = await refusal { () throws(SenteError) in _ = try await ann.request(1, on: "no.svc") }
                _ = await refusal { () throws(SenteError) in _ = try await ann.subscribe("q") }
                try await ann.respond(on: "q") { $0 }
                _ = await refusal { () throws(SenteError) in try await ann.respond(on: "r") { $0 } }
                let own = try await ann.subscribe("ok.>")
                try await ann.publish(2, to: "ok.b")
                #expect(try await own.take(1).first?.subject == "ok.b")
                #expect(ann.status.identity == first)
                await ann.disconnect()
            }
        }

        @Test("credentials that are wrong end it; a token that is refused is asked for once more")
        func credentials() async throws {
            try await Intermediary.withNATS("authorization { token: right }") { node in
                for credentials in [nil, NATSSettings.Credentials.user("ann", password: "x")] {
                    let stranger = try node.client { $0.nats.credentials = credentials }
                    let error = await error { () throws(SenteError) in try await stranger.connect() }
                    #expect(error?.code == .unauthorized && stranger.state == .failed)
                    #expect(error?.message.contains("Authorization Violation") == true)
                }
                let reasons = Collector<AttemptReason>()
                let client = try await node.connected {
                    $0.nats.credentials = .token
                    $0.tokenProvider = { reason in
                        reasons.append(reason)
                        return reason == .refused ? "right" : "stale"
                    }
                }
                #expect(reasons.elements == [.connecting, .refused])
                _ = try await client.publish(1, to: "a")
                await client.disconnect()
            }
        }

        /// What a client is configured with that shows a JWT.
        private func shows(
            _ tokens: @escaping @Sendable (AttemptReason) throws -> String,
            as credentials: NATSSettings.Credentials
        ) -> (inout SenteClient.Configuration) -> Void {
            {
                $0.nats.credentials = credentials
                $0.tokenProvider = { try tokens($0) }
            }
        }

        @Test(
            "a JWT is taken alone from a bearer, and with the signature of its key from others",
            .enabled(if: Certificates.problem == nil, "\(Certificates.problem ?? "")"))
        func jwt() async throws {
            let accounts = try NATSAccounts()
            defer { accounts.remove() }
            try await Intermediary.withNATS(try accounts.lines()) { node in
                let bearer = try accounts.token(isBearer: true)
                let plain = try accounts.token(isBearer: false)
                for configure in [
                    shows({ _ in bearer }, as: .bearer),
                    shows({ _ in plain }, as: .signed { try accounts.signature(of: $0) }),
                ] {
                    let client = try await node.connected(configure)
                    #expect(try await client.publish(1, to: "a").outcome == .acknowledged)
                    await client.disconnect()
                }
                for configure in [
                    shows({ _ in plain }, as: .bearer), shows({ _ in bearer }, as: .token),
                    shows({ _ in plain }, as: .signed { try accounts.signature(of: $0, isWrong: true) }),
                ] {
                    let client = try node.client(configure)
                    let error = await error { () throws(SenteError) in try await client.connect() }
                    #expect(error?.code == .unauthorized)
                }
            }
        }

        @Test(
            "a JWT in the cookie that the server names is taken as well, and no other",
            .enabled(if: Certificates.problem == nil, "\(Certificates.problem ?? "")"))
        func cookie() async throws {
            let accounts = try NATSAccounts()
            defer { accounts.remove() }
            let token = try accounts.token(isBearer: true)
            try await Intermediary.with({
                try .nats($0, accounts.lines(), webSocket: "no_tls: true, jwt_cookie: \"token\"")
            }) { node in
                let client = try await node.connected { $0.cookies = ["token": token] }
                #expect(try await client.publish(1, to: "a").outcome == .acknowledged)
                await client.disconnect()
                let stranger = try node.client { $0.cookies = ["other": token] }
                let error = await error { () throws(SenteError) in try await stranger.connect() }
                #expect(error?.code == .unauthorized)
            }
        }

        @Test(
            "a JWT that expires while the client is open makes it come back with another",
            .enabled(if: Certificates.problem == nil, "\(Certificates.problem ?? "")"))
        func expiry() async throws {
            let accounts = try NATSAccounts()
            defer { accounts.remove() }
            try await Intermediary.withNATS(try accounts.lines()) { node in
                let asked = Collector<AttemptReason>()
                let client = try await node.connected(
                    shows(
                        { reason in
                            asked.append(reason)
                            return try accounts.token(
                                isBearer: true, expiringIn: asked.elements.count == 1 ? 3 : nil)
                        }, as: .bearer))
                let news = try await client.subscribe("news")
                let statuses = client.collectStatuses()
                _ = try await statuses.first("the expiry") { $0.state == .reconnecting }
                _ = try await statuses.first("another JWT") { $0.state == .open }
                #expect(asked.elements == [.connecting, .connecting])
                try await client.publish("again", to: "news")
                #expect(try await news.take(1).first?.data == "again")
                await client.disconnect()
            }
        }

        @Test(
            "a node with TLS of its own is talked to within it",
            .enabled(if: Certificates.problem == nil, "\(Certificates.problem ?? "")"))
        func secured() async throws {
            let authority = try Certificates.made.get().authority
            try await Intermediary.with({ try .securedNATS($0) }) { node in
                var configuration = SenteClient.Configuration()
                configuration.dialect = .nats
                configuration.tls.roots = .only(authority)
                let client = try SenteClient(
                    "wss://localhost:\(node.port)/", configuration: configuration)
                try await client.connect()
                let news = try await client.subscribe("news")
                let large = Value.bytes([UInt8](repeating: 7, count: 1_000_000))
                for data in ["first", large, "last"] { try await client.publish(data, to: "news") }
                #expect(try await news.take(3).map(\.data) == ["first", large, "last"])
                await client.disconnect()
            }
        }

        @Test("more than one message may have comes in one frame, and all of it arrives")
        func largeFrames() async throws {
            try await Intermediary.withNATS { node in
                let reader = try await node.connected {
                    $0.inbox.maximumBytes = 256 << 20
                    $0.inbox.maximumMessages = 100_000
                }
                let writer = try await node.connected {
                    $0.outbox.maximumBytes = 256 << 20
                    $0.outbox.maximumMessages = 100_000
                }
                let subscription = try await reader.subscribe("a.*")
                let large = [UInt8](repeating: 7, count: 1_000_000)
                var deliveries: [Delivery] = []
                for number in 0..<20 {
                    deliveries.append(try writer.enqueue(publish: .bytes(large), to: "a.large"))
                    for small in 0..<1_000 {
                        deliveries.append(
                            try writer.enqueue(publish: Value(number * 1_000 + small), to: "a.small"))
                    }
                }
                for delivery in deliveries { #expect(await delivery.outcome == .acknowledged) }
                let messages = try await subscription.take(20 * 1_001)
                #expect(messages.filter { $0.subject == "a.large" }.count { $0.data == .bytes(large) } == 20)
                let numbers = messages.filter { $0.subject == "a.small" }.compactMap(\.data.integerValue)
                #expect(numbers == Array(0..<20_000))
                #expect(reader.metrics.missed == 0 && reader.metrics.connection.reconnects == 0)
                await reader.disconnect()
                await writer.disconnect()
            }
        }

        @Test(
            "a message larger than the server carries is refused at the call, and one that is forbidden by its name"
        )
        func unsayable() async throws {
            try await Intermediary.withNATS("max_payload: 1000") { node in
                let client = try await node.connected()
                let first = client.status.identity
                func code(_ body: () async throws(SenteError) -> Void) async -> SenteError.Code? {
                    let error = await error(body)
                    #expect(error?.outcome == .notSent)
                    return error?.code
                }
                let fits = Value.bytes([UInt8](repeating: 1, count: 940))
                try await client.publish(fits, to: "a")
                let large = Value.bytes([UInt8](repeating: 1, count: 1_001))
                #expect(
                    await code { () throws(SenteError) in try await client.publish(large, to: "a") }
                        == .messageTooLarge)
                for name in ["a b", "a\r\nPUB x 0\r\n", "a.*", ">", "", "a..b", "_INBOX.x"] {
                    #expect(
                        await code { () throws(SenteError) in try await client.publish(1, to: name) }
                            == .invalidArgument)
                    #expect(
                        await code { () throws(SenteError) in _ = try await client.request(1, on: name) }
                            == .invalidArgument)
                }
                #expect(
                    await code { () throws(SenteError) in _ = try await client.subscribe("a b") }
                        == .invalidArgument)
                #expect(
                    await code { () throws(SenteError) in try await client.send(Event(id: "a/b")) }
                        == .unsupported)
                #expect(
                    await code { () throws(SenteError) in _ = try await client.listChannels() }
                        == .unsupported)
                #expect(
                    await code { () throws(SenteError) in _ = try await client.confirmedSubscriptions() }
                        == .unsupported)
                #expect(client.status.identity == first)
                await client.disconnect()
            }
        }

        @Test("a server that is killed and comes back finds every wish again, and what was queued meanwhile")
        func killed() async throws {
            try await Intermediary.withNATS { node in
                let client = try await node.connected()
                let news = try await client.subscribe("news.*")
                try await client.respond(on: "echo") { $0 }
                let statuses = client.collectStatuses()
                try await node.stop()
                _ = try await statuses.first("the loss") { $0.state == .reconnecting }
                let delivery = try client.enqueue(publish: "late", to: "news.a")
                try await node.start()
                try await client.reaches(.open)
                #expect(await delivery.outcome == .acknowledged)
                #expect(try await news.take(1).first?.data == "late")
                #expect(try await client.request(["n": 1], on: "echo") == ["n": 1])
                await client.disconnect()
            }
        }

        @Test(
            "a client that insists on NATS says what it found instead, and one that does not is told what to set"
        )
        func mismatch() async throws {
            try await Intermediary.withNATS { node in
                let client = try Loopback.client(node.port)
                let error = await error { () throws(SenteError) in try await client.connect() }
                #expect(
                    error?.code == .protocolMismatch && error?.message.contains("`dialect` to .nats") == true)
            }
            try await Loopback.withServer { _, port in
                let client = try Loopback.client(port) { $0.dialect = .nats }
                let error = await error { () throws(SenteError) in try await client.connect() }
                #expect(
                    error?.code == .protocolMismatch && error?.message.contains("no server of NATS") == true)
            }
        }
    }
}
