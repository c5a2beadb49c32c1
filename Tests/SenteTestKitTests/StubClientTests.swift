// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import Testing

@Suite("A stub client", .timeLimit(.minutes(5)))
struct StubClientTests {
    /// What an app may look like.
    @MainActor
    final class Chat {
        private let client: any RealtimeClient
        private(set) var lines: [String] = []
        private(set) var banner = ""

        init(_ client: any RealtimeClient) {
            self.client = client
        }

        func follow(_ count: Int) async throws {
            for await message in try await client.subscribe("chat") {
                lines.append(message.data["text"]?.stringValue ?? "?")
                if lines.count == count { return }
            }
        }

        func watch(until last: ConnectionState) async {
            for await status in client.states {
                banner = status.state == .open ? "" : "\(status.state), attempt \(status.attempt)"
                if status.state == last { return }
            }
        }

        func say(_ text: String) async -> String {
            do throws(SenteError) {
                let receipt = try await client.publish(["text": Value(text)], to: "chat")
                return "read by \(receipt.deliveredTo ?? 0)"
            } catch {
                return error.code.rawValue
            }
        }
    }

    @Test("notes what it is asked, in order")
    func notes() async throws {
        let client = StubClient()
        try await client.connect()
        _ = try await client.subscribe("chat")
        try await client.publish(["text": "hi"], to: "chat")
        _ = try await client.request(nil, on: "time")
        try await client.send(Event(id: "app/hello"))
        try await client.unsubscribe("chat")
        client.reconnect()
        await client.disconnect()
        #expect(
            client.calls == [
                .connect, .subscribe("chat"), .publish(["text": "hi"], to: "chat"),
                .request(nil, on: "time"), .send(Event(id: "app/hello")), .unsubscribe("chat"), .reconnect,
                .disconnect,
            ])
        #expect(client.published(to: "chat") == [["text": "hi"]])
        #expect(client.published(to: "news") == [])
        #expect(client.sent == [Event(id: "app/hello")])
        #expect(client.state == .closed)
    }

    private struct Line: Codable, Hashable {
        var text: String
    }

    @Test("takes and gives an app's own types")
    func types() async throws {
        let stub = StubClient()
        let client: any RealtimeClient = stub
        let lines = try await client.subscribe("chat", as: Line.self)
        let heard = Noted<String?>()
        client.onMessage(in: "chat", as: Line.self) { heard.append(try? $0.get().text) }
        client.on("app/said", as: Line.self) { heard.append(try? $0.get().text) }
        stub.deliver(["text": "one"], to: "chat")
        stub.deliver(["text": 2], to: "chat")
        stub.push(Event(id: "app/said", data: ["text": "three"]))
        var iterator = lines.makeAsyncIterator()
        #expect(try await iterator.next()?.get() == Line(text: "one"))
        let misfit = await iterator.next()
        #expect(throws: SenteError.self) { try misfit?.get() }
        #expect(heard.all == ["one", nil, "three"])

        try await client.publish(encoding: Line(text: "four"), to: "chat")
        try await client.send(encoding: Line(text: "five"), as: "app/say")
        let echo: Line = try await client.request(encoding: Line(text: "six"), on: "echo")
        #expect(stub.published(to: "chat") == [["text": "four"]])
        #expect(stub.sent.map(\.data) == [["text": "five"]])
        #expect(echo == Line(text: "six"))

        try await client.respond(on: "upper", as: Line.self) { Line(text: $0.text.uppercased()) }
        #expect(try await stub.asks(["text": "seven"], on: "upper") == ["text": "SEVEN"])
        await #expect(throws: RemoteError.self) { try await stub.asks(["text": 8], on: "upper") }
    }

    @Test("stands in for streams: publishes are stored, and a followed channel gets what is delivered")
    func streams() async throws {
        let stub = StubClient()
        stub.receipts { _, _ in PublishReceipt(messageID: "LINES:7", isDuplicate: true) }
        let client: any RealtimeClient = stub
        let receipt = try await client.publish(["text": "one"], to: "chat", stored: .once)
        #expect(receipt.acknowledgement == .stored && receipt.messageID == "LINES:7" && receipt.isDuplicate)
        let own = StoredPublish(messageID: "m1")
        try await client.publish(encoding: Line(text: "two"), to: "chat", stored: own)
        #expect(stub.published(to: "chat") == [["text": "one"], ["text": "two"]])

        let cursor = ChannelCursor(stream: "LINES", created: "2026-01-02T03:04:05Z", sequence: 7)
        let lines = try await client.subscribe("chat", as: Line.self, from: .cursor(cursor))
        let all = try await client.subscribe("chat", from: .sequence(1))
        #expect(
            stub.calls == [
                .store(["text": "one"], to: "chat", .once), .store(["text": "two"], to: "chat", own),
                .follow("chat", from: .cursor(cursor)), .follow("chat", from: .sequence(1)),
            ])
        stub.deliver(ChannelMessage(channel: "chat", data: ["text": "three"], cursor: cursor))
        var iterator = lines.makeAsyncIterator()
        #expect(try await iterator.next()?.get() == Line(text: "three"))
        var other = all.makeAsyncIterator()
        #expect(await other.next()?.position == 7)

        stub.fails(SenteError(code: .timedOut, outcome: .unknown))
        await #expect(throws: SenteError.self) { try await client.publish(1, to: "chat", stored: .once) }
        stub.accepts()
        stub.rejects("lost")
        await #expect(throws: SenteError.self) { _ = try await client.subscribe("lost", from: .next) }
    }

    @MainActor
    @Test("feeds an app's loops, whichever comes first")
    func feeds() async throws {
        let client = StubClient()
        let chat = Chat(client)
        async let following: Void = chat.follow(2)
        while client.subscriptions.isEmpty { await Task.yield() }
        client.deliver(["text": "one"], to: "chat")
        client.deliver(["text": "elsewhere"], to: "news")
        client.deliver(ChannelMessage(channel: "chat", data: ["text": "two"], missed: 3))
        try await following
        #expect(chat.lines == ["one", "two"])
    }

    @MainActor
    @Test("shows what it is told to, to loops and closures")
    func shows() async throws {
        let client = StubClient()
        let chat = Chat(client)
        let changes = Noted<String>()
        let registration = client.onStateChange { old, new in changes.append("\(old.state) → \(new.state)") }
        client.shows(ConnectionStatus(state: .reconnecting, attempt: 2))
        await chat.watch(until: .reconnecting)
        #expect(chat.banner == "reconnecting, attempt 2")
        #expect(changes.all == ["open → reconnecting"])
        registration.cancel()
        client.shows(ConnectionStatus(state: .failed))
        #expect(changes.all.count == 1)
    }

    @MainActor
    @Test("answers as it is told")
    func answers() async throws {
        let client = StubClient()
        client.receipts { data, _ in PublishReceipt(deliveredTo: data.mapValue?.count) }
        client.answersRequests(on: "time") { _ in ["hour": 12] }
        client.answersEvents("app/who") { _ in ["Ann"] }
        client.answersRequests(on: "broken") { _ in throw CancellationError() }
        #expect(await Chat(client).say("hi") == "read by 1")
        #expect(try await client.request(nil, on: "time") == ["hour": 12])
        #expect(try await client.request(["n": 1], on: "echo") == ["n": 1])
        #expect(try await client.send(Event(id: "app/who"), timeout: .seconds(1)) == ["Ann"])
        await #expect(throws: SenteError.self) { try await client.request(nil, on: "broken") }
        // By the protocol, as an app has it.
        let any: any RealtimeClient = client
        #expect(try await any.request(nil, on: "time") == ["hour": 12])
    }

    @Test("lets loops hear of every event, and of how a subscription stands")
    func loops() async throws {
        let client = StubClient()
        var events = client.events.makeAsyncIterator()
        client.push(Event(id: "app/news", data: ["text": "hi"]))
        let event = try #require(await events.next())
        #expect(event.id == "app/news")
        #expect(try event.decode(Line.self) == Line(text: "hi"))
        #expect(throws: SenteError.self) { try event.decode([Int].self) }
        let subscription = try await client.subscribe("chat")
        var states = subscription.states.makeAsyncIterator()
        try await client.unsubscribe("chat")
        #expect(await states.next() == .subscribed)
        #expect(await states.next() == .ended)
        #expect(await states.next() == nil)
    }

    @MainActor
    @Test("fails as it is told, until it accepts again")
    func fails() async throws {
        let client = StubClient()
        client.fails(SenteError(code: .expired, outcome: .notSent))
        #expect(await Chat(client).say("hi") == "expired")
        client.accepts()
        #expect(await Chat(client).say("hi") == "read by 0")
        client.rejects("secret")
        do throws(SenteError) {
            _ = try await client.subscribe("secret")
            Issue.record("The channel was accepted.")
        } catch {
            #expect(error.code == .rejected)
        }
        #expect(client.subscriptions.isEmpty)
    }

    @Test("runs closures for messages and events, and asks responders")
    func closures() async throws {
        let client = StubClient()
        let noted = Noted<Value>()
        client.onMessage(in: "chat") { noted.append($0.data) }
        client.on("app/news") { noted.append($0.data) }
        client.deliver([1], to: "chat")
        client.push(Event(id: "app/news", data: [2]))
        client.push(Event(id: "app/other", data: [3]))
        #expect(noted.all == [[1], [2]])

        let serving = try await client.respond(on: "sum") { data in
            Value((data[0]?.integerValue ?? 0) + (data[1]?.integerValue ?? 0))
        }
        #expect(try await client.asks([1, 2], on: "sum") == 3)
        serving.cancel()
        await #expect(throws: SenteError.self) { try await client.asks([1, 2], on: "sum") }
    }

    private struct Person: Codable, Equatable, Sendable {
        var name: String
    }

    @Test("shows who is present, and the app among them once it enters")
    func presence() async throws {
        let client: any RealtimeClient
        let stub = StubClient()
        client = stub
        stub.shows(present: ["ann": ["name": "Ann"]], in: "room")
        let presence = try await client.presence(in: "room", as: Person.self)
        #expect(presence.members.map(\.id) == ["ann"])
        var changes = presence.changes.makeAsyncIterator()
        #expect(await changes.next()?.joined.count == 1)
        try presence.enter(Person(name: "Me"))
        let entered = try #require(await changes.next())
        #expect(entered.joined.map(\.isSelf) == [true] && entered.isCurrent)
        stub.shows(present: ["ann": ["name": "Anna"], "bob": ["nick": "B"]], in: "room")
        let changed = try #require(await changes.next())
        #expect(changed.updated.map(\.id) == ["ann"] && changed.joined.map(\.id) == ["bob"])
        #expect(try changed.updated[0].get() == Person(name: "Anna"))
        #expect(throws: SenteError.self) { try changed.joined[0].get() }
        stub.shows(ConnectionStatus(state: .reconnecting, attempt: 2))
        #expect(await changes.next()?.isCurrent == false)
        try presence.update(Person(name: "I"))
        await presence.leave()
        #expect(presence.members.map(\.id) == ["ann", "bob"])
        presence.cancel()
        stub.shows(present: [:], in: "room")
        while await changes.next() != nil {}
        #expect(
            stub.calls == [
                .presence(in: "room"), .enter(["name": "Me"], in: "room"), .update(["name": "I"], in: "room"),
                .leave("room"),
            ])
    }

    @Test("refuses presence as it refuses every other call")
    func refusesPresence() async throws {
        let client = StubClient()
        client.fails(SenteError(code: .rejected))
        await #expect(throws: SenteError.self) { try await client.presence(in: "room", as: Value.self) }
    }

    @Test("ends the loops of a channel that is unsubscribed")
    func unsubscribes() async throws {
        let client = StubClient()
        let subscription = try await client.subscribe("chat")
        #expect(subscription.isConfirmed)
        client.deliver([1], to: "chat")
        try await client.unsubscribe("chat")
        var received: [Value] = []
        for await message in subscription { received.append(message.data) }
        #expect(received == [[1]])
    }
}
