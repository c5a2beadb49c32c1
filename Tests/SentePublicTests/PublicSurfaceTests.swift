// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite
import Testing

/// What a user writes, with nothing but `import SenteLite`; it stops compiling when the public surface
/// drifts.
@Suite("The public surface", .timeLimit(.minutes(5)))
struct PublicSurfaceTests {
    struct Reading: Codable, Sendable {
        var sensor: String
        var value: Double
    }

    /// Never called: every call once.
    static func everything(_ client: SenteClient) async throws {
        do throws(SenteError) {
            try await client.connect(timeout: .seconds(5))
        } catch {
            print(error.code == .timedOut, error.isRetryable, error)
        }
        client.reconnect()
        for await status in client.states { print(status.state, status.attempt, status.retryAt as Any) }
        let registration = client.onStateChange { old, new in print(old.state, new.state) }
        registration.cancel()
        client.onStateChange(mainActor: { _, new in MainActor.assertIsolated("\(new.state)") })

        let subscription = try await client.subscribe("news")
        print(subscription.channel, subscription.isConfirmed, subscription.rejection as Any)
        subscription.cancel()
        try await client.withSubscription("news") { news in
            for await message in news { print(try message.decode(Reading.self)) }
        }
        try await client.unsubscribe("news")
        client.onMessage(in: "news") { message in print(message.data) }
        client.onMessage(in: "news", mainActor: { message in MainActor.assertIsolated("\(message)") })
        let receipt = try await client.publish(["n": 1], to: "news", excludeSender: true)
        print(receipt.outcome, receipt.deliveredTo as Any)
        try await client.publish(encoding: Reading(sensor: "a", value: 1), to: "news")
        let answer = try await client.request(["n": 1], on: "service", timeout: .seconds(1))
        print(answer["n"] as Any)
        let reading: Reading = try await client.request(encoding: ["n": 1], on: "service")
        print(try await client.request(encoding: reading, on: "service", as: Reading.self))
        try await client.respond(on: "service") { data in data }
        let service = try await client.respond(on: "service", as: Reading.self, concurrency: 4) { reading in
            guard reading.value > 0 else {
                throw RemoteError(code: "negative", message: "Give more than 0.", details: ["least": 0])
            }
            return ["n": reading.value]
        }
        await service.drain()
        do throws(SenteError) {
            _ = try await client.request(["n": 1], on: "service")
        } catch {
            print(error.remoteError?.code == "negative", error.remoteError?.details as Any)
        }

        try await client.send(Event(id: "app/hello", data: ["n": 1]))
        try await client.send(encoding: reading, as: "app/hello")
        print(try await client.send(Event(id: "app/hello"), timeout: .seconds(1)))
        print(try await client.send(Event(id: "app/hello"), timeout: .seconds(1)) { $0.id == "app/answer" })
        let delivery = try client.enqueue(Event(id: "app/hello"))
        print(await delivery.outcome, delivery.error as Any)
        delivery.cancel()
        client.on("app/hello") { event in print(event) }
        client.on("app/hello", mainActor: { event in MainActor.assertIsolated("\(event)") })
        for await event in client.events { print(event.id, event.data) }

        let readings = try await client.subscribe("readings", as: Reading.self)
        print(readings.channel, readings.isConfirmed, readings.rejection as Any, readings.subscription)
        for await reading in readings {
            print(try reading.get().sensor, reading.message.missed, reading.value)
        }
        readings.cancel()
        client.onMessage(in: "readings", as: Reading.self) { print($0.value) }
        client.onMessage(
            in: "readings", as: Reading.self, mainActor: { MainActor.assertIsolated("\($0.message)") })
        client.on("app/reading", as: Reading.self) { print($0.value, $0.event) }
        client.on("app/reading", as: Reading.self, mainActor: { MainActor.assertIsolated("\($0.event)") })

        let presence = try await client.presence(
            in: "room", as: Reading.self, settings: PresenceSettings(heartbeat: .seconds(10)))
        try presence.enter(reading)
        try presence.update(reading)
        for await change in presence.changes {
            print(change.members, change.joined, change.updated, change.left, change.isCurrent)
        }
        for member in presence.members { print(member.id, member.isSelf, member.data, try member.get()) }
        await presence.leave()
        presence.cancel()
        _ = try await client.presence(in: "room")

        print(try await client.listChannels(), try await client.confirmedSubscriptions())
        print(try await client.ping(), client.metrics.received.messages, client.subscriptions)
        try await client.run()
        await client.disconnect(draining: .seconds(5))
        await client.disconnect()
    }

    @available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
    @MainActor
    static func model(_ client: SenteClient) async throws {
        let model = ConnectionModel(client)
        print(model.client === client, model.state, model.statusText, model.isOnline, model.status)
        print(model.retryIn as Any, model.lastError as Any)
        try await model.follow("chat", keeping: 50)
        print(model.messages(in: "chat").count)
        model.unfollow("chat")
    }

    @Test("a configuration says everything by name")
    func configuration() throws {
        var configuration = SenteClient.Configuration()
        configuration.dialect = .senteLiteMaps
        configuration.format = .json
        configuration.endpointProvider = .portFile("/tmp/server.port")
        configuration.reconnect = .exponential(initial: .seconds(2), attempts: 3)
        configuration.heartbeat = Heartbeat(interval: .seconds(10), limit: .seconds(2))
        configuration.outbox = .off
        configuration.inbox = InboxPolicy(maximumMessages: 10, overflow: .pauseReading)
        configuration.timeouts.request = .seconds(1)
        configuration.limits.outgoingMessage = 1 << 16
        configuration.headers = ["User-Agent": "test"]
        configuration.parameters = ["client-id": "7"]
        configuration.tokenProvider = { reason in reason == .refused ? nil : "token" }
        configuration.compression = CompressionPolicy(level: 9, threshold: 1_024, keepsIncomingContext: false)
        configuration.compression?.outgoingWindowBits = 12
        configuration.networkPath = .custom(StillNetwork())
        configuration.transport = .sockets
        configuration.loop = try ClientLoop()
        let url = try #require(URL(string: "ws://127.0.0.1:9/"))
        let client = try SenteClient(url, configuration: configuration)
        #expect(client.configuration.headers == ["User-Agent": "test"])
        #expect(client.state == .closed)
        #expect(client.status.lastError == nil)
    }

    @Test("a client that finds nobody says so, and goes on trying until it is told to stop")
    func findsNobody() async throws {
        var configuration = SenteClient.Configuration()
        configuration.reconnect = .never
        // The discard port: nobody listens there.
        let client = try SenteClient("ws://127.0.0.1:9/", configuration: configuration)
        do throws(SenteError) {
            try await client.connect()
            Issue.record("Somebody listens on port 9.")
        } catch {
            #expect(error.code == .unreachable)
            #expect(error.isRetryable && error.isTransient && !error.isCancellation)
            #expect((error as any Error).localizedDescription == error.description)
            let bridged = error as NSError
            #expect(bridged.domain == SenteError.errorDomain)
            #expect(bridged.userInfo["code"] as? String == "unreachable")
        }
        #expect(client.state == .failed)
        await client.disconnect()
        #expect(client.state == .closed)
    }

    @Test("to Foundation an error is its text, its code by name, and the number that came over the wire")
    func isOfFoundation() {
        let error = SenteError(
            code: .rejected, message: "No.", outcome: .acknowledged, underlying: "the reason",
            closeCode: .policyViolation, httpStatus: 403)
        #expect(error.errorDescription == error.description)
        #expect(error.failureReason == "the reason")
        let bridged = error as NSError
        #expect(bridged.domain == "SenteLite.SenteError" && bridged.code == 403)
        #expect(bridged.localizedDescription == error.description)
        #expect(bridged.userInfo["outcome"] as? String == "acknowledged")
        #expect((SenteError(code: .rejected, closeCode: .policyViolation) as NSError).code == 1008)
        #expect((SenteError(code: .timedOut) as NSError).code == 0)
    }

    @Test("what may have been done is not to be tried again as it is, though the connection mends itself")
    func unknown() {
        let error = SenteError(code: .connectionLost, outcome: .unknown)
        #expect(!error.isRetryable && error.isTransient)
        #expect(SenteError(code: .connectionLost, outcome: .notSent).isRetryable)
        #expect(SenteError(code: .cancelled).isCancellation && !error.isCancellation)
    }

    @Test("a wrong URL is told with what would be right")
    func wrongURL() {
        #expect(throws: SenteError.self) { try SenteClient("localhost:3000") }
    }

    @Test("the formats are there without another import, as the page on formats shows them")
    func formats() throws {
        let bytes = try WireFormat.edn.encode([.keyword("user/id"): 7, "tags": .set([.keyword("new")])])
        #expect(String(decoding: bytes, as: UTF8.self) == #"{:user/id 7, "tags" #{:new}}"#)
        let value = try WireFormat.edn.decode(bytes)
        #expect(value[Keyword("user/id")] == 7)
    }
}

/// As swift-service-lifecycle declares it; one line makes the client one.
private protocol Service: Sendable {
    func run() async throws
}

extension SenteClient: Service {}

/// A network that never changes.
private struct StillNetwork: NetworkPathSource {
    func observe(_ changed: @escaping @Sendable (NetworkChange) -> Void) -> @Sendable () -> Void {
        {}
    }
}
