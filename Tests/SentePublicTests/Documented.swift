// SPDX-License-Identifier: Apache-2.0

import Foundation
import Observation
import SenteLite

#if canImport(Combine)
import Combine
#endif
#if canImport(SwiftUI)
import SwiftUI
#endif

/// The examples of the README and the articles, to be compiled; none is ever called.
///
/// `DocumentationTests` compares them with the pages, so change both.
enum Documented {
    struct Login: Sendable {
        func token(fresh: Bool) async throws -> String { "token" }
    }

    struct Line: Codable, Sendable {
        var name: String
        var text: String
    }

    static func fetchToken() async throws -> String { "token" }

    // MARK: README and landing page

    static func landingPage() async throws {
        let client = try SenteClient("ws://127.0.0.1:3000/")
        try await client.connect()
        for await message in try await client.subscribe("news") { print(message.data) }
    }

    static func readme() async throws {
        let client = try SenteClient("ws://127.0.0.1:3000/")
        client.onStateChange { old, new in print("\(old.state) → \(new.state)") }
        try await client.connect()

        let news = try await client.subscribe("news")
        let receipt = try await client.publish(["title": "Hello", "number": 1], to: "news")
        print("the server calls it", receipt.messageID ?? "nothing")
        for await message in news {
            print(message.channel, message.data["title"] ?? .null)
            break
        }

        try await client.respond(on: "sum") { data in
            ["sum": Value((data["numbers"]?.arrayValue ?? []).compactMap(\.integerValue).reduce(0, +))]
        }
        let other = try SenteClient("ws://127.0.0.1:3000/")
        try await other.connect()
        print(try await other.request(["numbers": [19, 21, 2]], on: "sum"))
        await other.disconnect()
        await client.disconnect()
    }

    static func readmeInSentesShape() async throws {
        let client = try makeChannelSocketClient("ws://127.0.0.1:3000/chsk")  // connects by itself

        startRouter(client.chRecv) { message in
            switch message.id {
            case "chsk/handshake": try message.sendFn(Event("chat/hello", ["name": "Ann"]))
            case "chat/hello": print("somebody says hello:", message.data)
            default: break
            }
        }
        let reply = try await client.sendFn(Event("chat/who"), timeout: .seconds(5))
        if case .value(let answer) = reply { print("the server answers", answer) } else { print("no answer") }
    }

    static func errors(_ client: SenteClient) async {
        do throws(SenteError) {
            try await client.publish(["title": "Hello"], to: "news")
        } catch {
            print(error)  // a sentence that says what to do
            if error.outcome == .notSent { print("it never left, so sending it again is safe") }
        }
    }

    // MARK: What happens to every message

    static func outcomes(_ client: SenteClient) async {
        do throws(SenteError) {
            try await client.publish(["order": 7], to: "orders")
        } catch {
            switch error.outcome {
            case .notSent: print("Nothing happened; it can be sent again. \(error)")
            case .unknown: print("Ask the server before sending it again. \(error)")
            case .acknowledged, .written, nil: print("The server said no. \(error)")
            }
        }
    }

    static func cancellation(_ client: SenteClient) async {
        do throws(SenteError) {
            try await client.publish(["order": 7], to: "orders")
        } catch {
            guard error.isCancellation else { return print(error) }
            print(error.outcome == .unknown ? "cancelled after it left" : "cancelled, and never sent")
        }
    }

    static func outbox(_ configuration: inout SenteClient.Configuration) {
        configuration.outbox = OutboxPolicy(
            maximumMessages: 100, timeToLive: .seconds(5), overflow: .dropOldest)
    }

    static func flow(_ configuration: inout SenteClient.Configuration) {
        configuration.flow.resumption = ResumptionPolicy(maximumMessages: 200)
        configuration.flow.batching?.linger = .milliseconds(10)
        configuration.flow.compression = nil
        configuration.flow = .off  // or nothing of it
    }

    static func recovery(_ client: SenteClient) {
        client.onStateChange { _, status in
            switch status.recovery {
            case .resumed(let missed): print("back; \(missed) messages were let go by the server")
            case .fresh: print("back, with a new session: ask for what may have been missed")
            case .none: break
            }
        }
    }

    static func enqueues(_ client: SenteClient) async throws {
        let delivery = try client.enqueue(Event(id: "cursor/moved", data: ["x": 12, "y": 40]))
        if await delivery.outcome == .notSent { print(delivery.error?.description ?? "") }
    }

    static func counts(_ client: SenteClient) {
        let metrics = client.metrics
        print(metrics.received.messages, metrics.connection.reconnects, metrics.errors)
    }

    // MARK: Reconnecting

    static func states(_ client: SenteClient) async {
        for await status in client.states {
            switch status.state {
            case .open: print("connected as \(status.identity?.connectionID ?? "nobody")")
            case .reconnecting: print("attempt \(status.attempt) is next")
            case .failed: print("gave up: \(status.lastError?.description ?? "")")
            case .closed, .connecting, .closing: break
            }
        }
    }

    static func policies(_ configuration: inout SenteClient.Configuration) {
        configuration.reconnect = .custom { context in
            context.retry > 20 ? nil : .seconds(Double.random(in: 1...10))
        }
        configuration.reconnect.failover = .seconds(1)
        configuration.endpointProvider = .portFile("/run/my-server.port")
        configuration.heartbeat = Heartbeat(interval: .seconds(10), limit: .seconds(3))
    }

    static func endpoints(_ configuration: SenteClient.Configuration) throws {
        var configuration = configuration
        configuration.endpoints = ["wss://eu.example/chsk", "wss://us.example/chsk"]
        configuration.endpointOrder = .shuffled
        let client = try SenteClient("wss://example.com/chsk", configuration: configuration)
        _ = client
    }

    // MARK: Subscriptions and requests

    static func subscribes(_ client: SenteClient) async throws {
        let news = try await client.subscribe("news")
        for await message in news {
            print(message.channel, message.data["title"] ?? .null)
        }
    }

    static func subscribesForAWhile(_ client: SenteClient) async throws {
        try await client.withSubscription("auction/7") { bids in
            for await bid in bids where bid.data["final"] == true { break }
        }
    }

    static func hearsWhatWasKept(_ client: SenteClient) async throws {
        let news = try await client.subscribe("news", history: .last(20))
        for await message in news {
            print(message.isRetained ? "earlier:" : "now:", message.data)
        }
    }

    static func seesGaps(_ news: Subscription) async {
        for await message in news {
            if let gap = message.gap, gap.filling != .all {
                print("nothing came for \(gap.duration): some may be missing")
            }
            print(message.data)
        }
    }

    static func followsASubscription(_ news: Subscription) async {
        for await state in news.states {
            switch state {
            case .subscribing: print("asking for the channel")
            case .gap(let gap): print("nothing could come for \(gap.duration)")
            case .subscribed: print("listening")
            case .refused(let error): print("refused: \(error)")
            case .ended: print("unsubscribed")
            }
        }
    }

    static func takesClosures(_ client: SenteClient) async throws {
        _ = try await client.subscribe("news")
        let registration = client.onMessage(in: "news") { message in print(message.data) }
        registration.cancel()
    }

    static func publishes(_ client: SenteClient) async throws {
        let receipt = try await client.publish(["title": "Hello", "number": 1], to: "news")
        print(receipt.messageID ?? "no id", receipt.deliveredTo ?? 0)
    }

    static func publishesTypes(_ client: SenteClient) async throws {
        struct Reading: Codable, Sendable {
            var sensor: String
            var celsius: Double
        }

        try await client.publish(encoding: Reading(sensor: "attic", celsius: 21.5), to: "readings")
        client.onMessage(in: "readings") { message in
            if let reading = try? message.decode(Reading.self) { print(reading.celsius) }
        }
    }

    static func subscribesToTypes(_ client: SenteClient) async throws {
        struct Reading: Codable, Sendable {
            var celsius: Double
        }

        let readings = try await client.subscribe("readings", as: Reading.self)
        for await reading in readings {
            do throws(SenteError) {
                print(try reading.get().celsius)
            } catch {
                print("another shape: \(error.underlying ?? "")")
            }
        }
    }

    static func requests(_ client: SenteClient, _ other: SenteClient) async throws {
        try await client.respond(on: "sum") { data in
            let numbers = data["numbers"]?.arrayValue ?? []
            return ["sum": Value(numbers.compactMap(\.integerValue).reduce(0, +))]
        }

        let answer = try await other.request(["numbers": [19, 21, 2]], on: "sum")
        print(answer["sum"] ?? .null)
    }

    static func events(_ client: SenteClient) async throws {
        client.on("game/moved") { event in print(event.data) }
        try await client.send(Event(id: "game/move", data: ["square": "e4"]))
    }

    static func picksAnswers(_ client: SenteClient) async throws {
        let state = try await client.send(Event(id: "game/state"), timeout: .seconds(5)) { event in
            event.id == "game/state-is"
        }
        print(state)
    }

    // MARK: Testing your app

    static func steps() {
        struct Unread: Sendable, Equatable {
            var count = 0

            static func step(_ unread: Unread, _ event: Event) -> (Unread, [StepOutput]) {
                var next = unread
                switch event.id {
                case "chat/said": next.count += 1
                case "chat/read": next.count = 0
                default: return (unread, [])
                }
                return (next, [.custom(["unread": Value(next.count)])])
            }
        }

        let (state, outputs) = Unread.step(Unread(count: 2), Event(id: "chat/said"))
        assert(state == Unread(count: 3))
        assert(outputs == [.custom(["unread": 3])])
    }

    static func findsTestServer(_ configuration: SenteClient.Configuration) async throws {
        var configuration = configuration
        configuration.endpointProvider = .portFile("/tmp/test-server.port")
        let client = try SenteClient("ws://127.0.0.1/", configuration: configuration)
        try await client.connect()
    }

    // MARK: Through TLS, proxies and tokens

    static func secures(_ session: String, _ login: Login) throws {
        var configuration = SenteClient.Configuration()
        configuration.tls.roots = .systemAnd(.file("company-ca.pem"))  // beside the system's authorities
        configuration.tls.pinnedKeys = ["sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]
        configuration.proxy = .url("http://user:password@proxy.example:3128", except: ["intra.example"])
        configuration.cookies["session"] = session
        configuration.tokenProvider = { reason in try await login.token(fresh: reason == .refused) }
        let client = try SenteClient("wss://example.com/chsk", configuration: configuration)
        _ = client
    }

    // MARK: Coming from Sente

    static func migrates() async throws {
        var configuration = SenteClient.Configuration()
        configuration.csrfToken = { try await fetchToken() }  // leave it out when the server checks none
        let client = try makeChannelSocketClient("ws://example.com/chsk", configuration: configuration)

        startRouter(client.chRecv) { message in
            switch message.id {
            case "chsk/handshake": try message.sendFn(Event("chat/hello", ["name": "Ann"]))
            case "chat/said": print(message.data[Keyword("text")] ?? .null)
            default: break
            }
        }

        let reply = try await client.sendFn(Event("chat/who"), timeout: .seconds(5))
        if case .value(let names) = reply { print(names) } else { print("no answer") }
    }

    // MARK: Settings and formats

    static func configures() throws {
        var configuration = SenteClient.Configuration()
        configuration.timeouts.request = .seconds(3)
        configuration.limits.incomingMessage = 8 << 20
        configuration.heartbeat = nil
        let client = try SenteClient("ws://127.0.0.1:3000/", configuration: configuration)
        _ = client
    }

    static func formats() throws {
        let bytes = try WireFormat.edn.encode([.keyword("user/id"): 7, "tags": .set([.keyword("new")])])
        let value = try WireFormat.edn.decode(bytes)
        print(value)
    }

    static func formatOfOnesOwn() {
        let format = WireFormat(name: "reversed", isBinary: true) { value, bytes, limits throws(WireError) in
            bytes += try WireFormat.json.encode(value, limits: limits).reversed()
        } decode: { bytes, limits throws(WireError) in
            try WireFormat.json.decode(bytes.reversed(), limits: limits)
        }
        print(format)
    }

    // MARK: Seeing into it

    static func report(_ name: String, _ message: String, _ data: [String: Value]) {}

    static func signals(_ client: SenteClient) async {
        for await signal in client.signals where signal.level >= .warn {
            report(signal.id.name, signal.message, signal.data)
        }
    }

    static func log() -> SenteClient.Configuration {
        var configuration = SenteClient.Configuration()
        configuration.log = .standardError(minimum: .debug)
        configuration.log = SignalLog(minimum: .warn) { signal in
            report(signal.id.name, signal.message, signal.data)
        }
        return configuration
    }

    static func numbers(_ client: SenteClient) {
        let metrics = client.metrics
        print(metrics.received.messagesPerSecond, metrics.connection.losses, metrics.roundTrip?.p95 ?? .zero)
    }

    // MARK: SwiftUI and Combine

    @available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
    @MainActor
    static func models() throws -> ConnectionModel {
        let client = try SenteClient("wss://example.com/chsk")
        client.reconnect()
        let model = ConnectionModel(client)
        return model
    }

    @available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
    enum Observed {
        @MainActor
        func showStatus(of model: ConnectionModel) {
            withObservationTracking {
                print(model.statusText)
            } onChange: {
                Task { @MainActor in showStatus(of: model) }
            }
        }
    }

    #if canImport(SwiftUI)
    @available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
    enum Views {
        struct ChatView: View {
            let model: ConnectionModel

            var body: some View {
                VStack(alignment: .leading) {
                    Label(model.statusText, systemImage: model.isOnline ? "wifi" : "wifi.slash")
                    List(Array(model.messages(in: "chat").enumerated()), id: \.offset) { _, message in
                        Text(message.data["text"]?.stringValue ?? "")
                    }
                }
                .task { try? await model.follow("chat", keeping: 200) }
            }
        }
    }
    #endif

    #if canImport(Combine)
    @MainActor
    final class Statuses {
        let publisher: CurrentValueSubject<ConnectionStatus, Never>
        private var loop: Task<Void, Never>?

        init(of client: SenteClient) {
            publisher = CurrentValueSubject(client.status)
            loop = Task { [weak self, states = client.states] in
                for await status in states { self?.publisher.send(status) }
            }
        }

        deinit {
            loop?.cancel()
        }
    }
    #endif

    // MARK: Services, types and presence

    struct Booking: Codable, Sendable {
        var seats: Int
    }

    struct Hall: Sendable {
        func book(_ booking: Booking) async throws -> [Int] { Array(1...booking.seats) }
        var left: Int { 4 }
    }

    static func serves(_ client: SenteClient, _ other: SenteClient, _ hall: Hall) async throws {
        let service = try await client.respond(on: "seats", as: Booking.self, concurrency: 4) { booking in
            guard booking.seats <= hall.left else {
                throw RemoteError(code: "sold-out", details: ["left": Value(hall.left)])
            }
            return try await hall.book(booking)
        }

        do throws(SenteError) {
            let seats = try await other.request(encoding: Booking(seats: 9), on: "seats", as: [Int].self)
            print(seats)
        } catch {
            if let sold = error.remoteError, sold.code == "sold-out" { print(sold.details["left"] ?? 0) }
        }

        await service.drain()
    }

    static func disconnectsDraining(_ client: SenteClient) async {
        await client.disconnect(draining: .seconds(5))
    }

    static func readsTypes(_ client: SenteClient) async throws {
        for await line in try await client.subscribe("chat", as: Line.self) {
            switch line.value {
            case .success(let line): print("\(line.name): \(line.text)")
            case .failure(let error): print("· \(error)")
            }
        }
    }

    struct Person: Codable, Sendable {
        var name: String
    }

    static func isPresent(_ client: SenteClient) async throws {
        let presence = try await client.presence(in: "room", as: Person.self)
        try presence.enter(Person(name: "Ann"))
        for await change in presence.changes {
            for member in change.joined { print(try member.get().name, "came") }
            for member in change.left { print(try member.get().name, "went") }
            print(change.members.count, "are here")
        }
    }
}
