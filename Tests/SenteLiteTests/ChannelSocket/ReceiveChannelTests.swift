// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTestSupport
import SenteWire
import Testing

/// sente-lite's `on!`, `off!` and `take!` (its own test has 30 checks in 8 groups), and what they got wrong there.
@Suite("ReceiveChannel: handlers", .timeLimit(.minutes(5)), .serialized)
struct ReceiveChannelTests {
    // MARK: The eight groups

    @Test("1: a persistent handler hears its events, and stays", arguments: TestServer.Family.allCases)
    func persistent(family: TestServer.Family) async throws {
        let stage = DriverStage(family)
        let client = try await stage.openChannelSocket()
        #expect(client.state.value.isOpen)
        let heard = Collector<EventMessage>()
        client.chRecv.on("test/echo") { heard.append($0) }
        #expect(client.chRecv.handlerCount == 1)
        stage.server.push(Event("test/echo", ["data": "hello"]))
        let messages = await heard.first(1)
        #expect(messages.map(\.id) == ["test/echo"])
        #expect(messages[0].data["data"] == "hello")
        #expect(client.chRecv.handlerCount == 1)
        stage.server.push(Event("test/echo", ["data": "again"]))
        #expect(await heard.first(2).last?.data["data"] == "again")
    }

    @Test("2: a handler is removed by its registration")
    func removeOne() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let heard = Collector<EventMessage>()
        let registration = client.chRecv.on("test/echo") { heard.append($0) }
        client.chRecv.off(registration)
        #expect(client.chRecv.handlerCount == 0)
        stage.server.push(Event("test/echo"))
        try await stage.waitUntilIdle(client)
        #expect(heard.elements.isEmpty)
        registration.cancel()
    }

    @Test("3: a handler of one event hears one, and is gone")
    func once() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let heard = Collector<EventMessage>()
        try client.chRecv.once("test/echo") { heard.append(try $0.get()) }
        #expect(client.chRecv.handlerCount == 1)
        stage.server.push(Event("test/echo", ["data": "once"]), Event("test/echo", ["data": "twice"]))
        try await stage.waitUntilIdle(client)
        #expect(heard.elements.map { $0.data["data"] } == ["once"])
        #expect(client.chRecv.handlerCount == 0)
    }

    @Test("4: a predicate lets through what it holds for, and nothing else")
    func predicate() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let heard = Collector<EventMessage>()
        client.chRecv.on(where: { $0.data["id"] == "req-123" }) { heard.append($0) }
        stage.server.push(Event("test/echo", ["id": "req-456"]))
        try await stage.waitUntilIdle(client)
        #expect(heard.elements.isEmpty)
        stage.server.push(Event("test/other", ["id": "req-123"]))
        #expect(await heard.first(1).map(\.id) == ["test/other"])
    }

    @Test("5: the catch-all hears every event, the socket's own too")
    func catchAll() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        try await stage.waitUntilIdle(client)
        let heard = Collector<EventMessage>()
        client.chRecv.on(.all) { heard.append($0) }
        stage.server.push(Event("test/echo", ["data": 1]), Event("test/other"))
        stage.server.ping()
        #expect(await heard.first(3).map(\.id) == ["test/echo", "test/other", "chsk/ws-ping"])
    }

    @Test("6: all handlers go at once")
    func removeAll() async throws {
        let client = try await DriverStage(.sente).openChannelSocket()
        for id in ["a/a", "b/b", "c/c"] as [Keyword] { client.chRecv.on(id) { _ in } }
        #expect(client.chRecv.handlerCount == 3)
        #expect(client.chRecv.off(.all))
        #expect(client.chRecv.handlerCount == 0)
        #expect(!client.chRecv.off(.all))
    }

    @Test("7: the handlers of one event's id go, and no others")
    func removeByEvent() async throws {
        let client = try await DriverStage(.sente).openChannelSocket()
        for id in ["test/foo", "test/foo", "test/bar"] as [Keyword] { client.chRecv.on(id) { _ in } }
        #expect(client.chRecv.handlerCount == 3)
        #expect(client.chRecv.off("test/foo"))
        #expect(client.chRecv.handlerCount == 1)
        #expect(!client.chRecv.off("test/foo"))
    }

    @Test("8: when its time is up, a handler of one event hears that, once, and is gone")
    func timeout() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket { $0.heartbeat = nil }
        let told = Collector<SenteError.Code?>()
        try client.chRecv.once("never/happens", timeout: .milliseconds(200)) { result in
            if case .failure(let error) = result { told.append(error.code) } else { told.append(nil) }
        }
        #expect(client.chRecv.handlerCount == 1)
        stage.advance(by: .milliseconds(199))
        try await stage.waitUntilIdle(client)
        #expect(told.elements.isEmpty)
        stage.advance(by: .milliseconds(1))
        #expect(await told.first(1) == [.timedOut])
        #expect(client.chRecv.handlerCount == 0)
        stage.advance(by: .seconds(10))
        try await stage.waitUntilIdle(client)
        #expect(told.elements.count == 1)
    }

    // MARK: Without its faults

    @Test("persistent handlers survive a reconnect")
    func survive() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let heard = Collector<EventMessage>()
        client.chRecv.on("test/echo") { heard.append($0) }
        await client.chsk.client.replacesLink()
        stage.server.push(Event("test/echo"))
        #expect(await heard.first(1).count == 1)
    }

    @Test("pending handlers of one event are told when the connection is lost")
    func toldLost() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let told = Collector<SenteError.Code?>()
        try client.chRecv.once("never/happens") { told.append($0.failure?.code) }
        try client.chRecv.once(where: { _ in false }, timeout: .seconds(9)) { told.append($0.failure?.code) }
        stage.server.cut()
        #expect(await told.first(2) == [.connectionLost, .connectionLost])
        #expect(client.chRecv.handlerCount == 0)
    }

    @Test("pending handlers of one event are told when the app disconnects")
    func toldDisconnected() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let told = Collector<SenteError.Code?>()
        try client.chRecv.once("never/happens") { told.append($0.failure?.code) }
        client.chsk.disconnect()
        #expect(await told.first(1) == [.disconnected])
    }

    @Test("pending handlers of one event are told when the client is released")
    func toldReleased() async throws {
        let told = Collector<SenteError.Code?>()
        do {
            let client = try await DriverStage(.sente).openChannelSocket()
            try client.chRecv.once("never/happens") { told.append($0.failure?.code) }
        }
        #expect(await told.first(1) == [.disconnected])
    }

    @Test("a handler of one event that brings about another such event still runs once")
    func reentrant() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let heard = Collector<EventMessage>()
        try client.chRecv.once("test/again") { result in
            let message = try result.get()
            heard.append(message)
            try message.chRecv.put(Event("test/again"))
        }
        stage.server.push(Event("test/again"))
        try await stage.waitUntilIdle(client)
        #expect(heard.elements.count == 1)
    }

    @Test("a handler that throws is reported, keeps its place, and harms no other")
    func throwing() async throws {
        struct Refused: Error {}
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let heard = Collector<EventMessage>()
        let errors = Collector<ErrorReport>()
        client.errors.onError { errors.append($0) }
        client.chRecv.on("test/echo") { _ in throw Refused() }
        client.chRecv.on("test/echo") { heard.append($0) }
        stage.server.push(Event("test/echo", ["n": 1]), Event("test/echo", ["n": 2]))
        #expect(await heard.first(2).count == 2)
        let reports = await errors.first(2)
        #expect(reports.allSatisfy { $0.error is Refused && $0.action == .skip })
        #expect(reports.map { $0.context.event?.data["n"] } == [1, 2])
        #expect(reports.allSatisfy { $0.context.operation == .handle })
        #expect(client.chsk.client.state == .open)
    }

    @Test("a handler removed by another one before its turn does not run")
    func removedInTime() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let heard = Collector<EventMessage>()
        client.chRecv.on("test/echo") { $0.chRecv.off("test/echo") }
        client.chRecv.on("test/echo") { heard.append($0) }
        stage.server.push(Event("test/echo"))
        try await stage.waitUntilIdle(client)
        #expect(heard.elements.isEmpty)
    }

    // MARK: take

    @Test("take waits from the call on, so that an answer that comes at once is not missed")
    func takes() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let taken = try client.chRecv.take(where: { $0.data["request-id"] == 7 }, timeout: .seconds(5))
        stage.server.push(Event("test/other", ["request-id": 6]), Event("test/answer", ["request-id": 7]))
        try await stage.waitUntilIdle(client)
        #expect(try await taken.message.id == "test/answer")
        #expect(try await taken.message.id == "test/answer", "It may be read again.")
    }

    @Test("take ends with its time, its task, and its cancel()")
    func takeEnds() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let late = try client.chRecv.take("never/happens", timeout: .seconds(1))
        stage.advance(by: .seconds(1))
        await #expect(throws: SenteError.self) { try await late.message }
        let cancelled = try client.chRecv.take("never/happens")
        let task = Task { try? await cancelled.message }
        task.cancel()
        #expect(await task.value == nil)
        #expect(client.chRecv.handlerCount == 0)
        let dropped = try client.chRecv.take("never/happens")
        dropped.cancel()
        #expect(await error { () throws(SenteError) in _ = try await dropped.message }?.code == .cancelled)
        _ = try client.chRecv.take("never/happens")
        #expect(client.chRecv.handlerCount == 0, "Released, it waits no more.")
    }

    @Test("a time-out of zero is refused at the call")
    func zeroTimeout() async throws {
        let client = try await DriverStage(.sente).openChannelSocket()
        #expect(throws: SenteError.self) { try client.chRecv.once("a/b", timeout: .zero) { _ in } }
        #expect(throws: SenteError.self) { try client.chRecv.take("a/b", timeout: .seconds(-1)) }
        #expect(client.chRecv.handlerCount == 0)
    }

    // MARK: Sequences and wrapping

    @Test("as a sequence every consumer gets every message, in order")
    func multicast() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        try await stage.waitUntilIdle(client)
        var first = client.chRecv.makeAsyncIterator()
        var second = client.chRecv.makeAsyncIterator()
        stage.server.push(Event("test/a"), Event("test/b"))
        for id in ["test/a", "test/b"] as [Keyword] {
            #expect(await first.next()?.id == id)
            #expect(await second.next()?.id == id)
        }
    }

    @Test("a consumer that does not keep up sees how many it missed")
    func missed() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket { $0.inbox.maximumMessages = 4 }
        try await stage.waitUntilIdle(client)
        var messages = client.chRecv.makeAsyncIterator()
        for number in 1...20 {
            stage.server.push(Event("test/a", ["n": Value(number)]))
            try await stage.waitUntilIdle(client)
        }
        var seen = 0
        while let message = await messages.next() {
            seen += 1 + message.missed
            if message.data["n"] == 20 { break }
        }
        // Each push was followed by a marker of its own, but for the last.
        #expect(seen == 39)
    }

    @Test("a loop ends with its task, and leaves nothing behind")
    func loopEnds() async throws {
        let client = try await DriverStage(.sente).openChannelSocket()
        let started = Collector<Void>()
        let task = Task { [chRecv = client.chRecv] in
            for await _ in chRecv { started.append(()) }
        }
        try client.chRecv.put(Event("test/a"))
        while started.elements.isEmpty {
            try client.chRecv.put(Event("test/a"))
            await Task.yield()
        }
        task.cancel()
        await task.value
    }

    @Test("wrapped, the server's events stand in :chsk/recv and the socket's own stay bare")
    func wrapped() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket { $0.channelSocket.wrapsReceivedEvents = true }
        try await stage.waitUntilIdle(client)
        let heard = Collector<EventMessage>()
        client.chRecv.on(.all) { heard.append($0) }
        stage.server.push(Event("test/a", ["n": 1]))
        stage.server.ping()
        let messages = await heard.first(2)
        #expect(messages[0].event == Event("chsk/recv", [.keyword("test/a"), ["n": 1]]))
        #expect(messages[1].id == "chsk/ws-ping")
    }

    @Test("the app's own events are heard as the others are, and refused without a namespace")
    func put() async throws {
        let client = try await DriverStage(.sente).openChannelSocket()
        let heard = Collector<EventMessage>()
        client.chRecv.on("my/event") { heard.append($0) }
        try client.chRecv.put(Event("my/event", 7))
        #expect(await heard.first(1)[0].data == 7)
        #expect(throws: SenteError.self) { try client.chRecv.put(Event("event")) }
    }

    // MARK: Before anybody listens

    /// What a socket that opened and heard `count` events before anybody listened has for the first who does.
    private func openUnheard(_ count: Int) async throws -> (DriverStage, ChannelSocketClient) {
        let stage = DriverStage(.sente)
        let isOpen = Collector<Void>()
        let client = try stage.channelSocket { _ in
        } prepare: {
            $0.state.onChange { _, new in if new.isOpen { isOpen.append(()) } }
        }
        stage.waitUntilIdle()
        _ = await isOpen.first(1)
        for number in 0..<count { stage.server.push(Event("test/early", Value(number))) }
        stage.waitUntilIdle()
        return (stage, client)
    }

    private static let opening: [Keyword] = ["chsk/state", "chsk/handshake"]

    @Test("what comes before anybody listens waits for the first who does, in order", arguments: 0..<3)
    func unheard(way: Int) async throws {
        let (stage, client) = try await openUnheard(3)
        let heard = Collector<Event>()
        var reading: Task<Void, Never>?
        switch way {
        case 0: client.chRecv.on(.all) { heard.append($0.event) }
        case 1:
            startRouter(
                client.chRecv,
                StepHandler(state: 0) { state, event in
                    heard.append(event)
                    return (state, [])
                })
        default: reading = Task { for await message in client.chRecv { heard.append(message.event) } }
        }
        stage.server.push(Event("test/late"))
        let events = await heard.first(6)
        #expect(events.map(\.id) == Self.opening + ["test/early", "test/early", "test/early", "test/late"])
        #expect(events[2...4].map(\.data) == [0, 1, 2])
        reading?.cancel()
    }

    @Test("of too many that come before anybody listens the oldest go, and that is said")
    func tooManyUnheard() async throws {
        let (stage, client) = try await openUnheard(5_000)
        // A change of the state is told after the events before it: then nothing of them is under way any more.
        let isClosed = Collector<Void>()
        client.state.onChange { _, new in if !new.isOpen { isClosed.append(()) } }
        client.chsk.disconnect()
        stage.waitUntilIdle()
        await isClosed.first(1)
        let heard = Collector<EventMessage>()
        client.chRecv.on(.all) { heard.append($0) }
        while !heard.elements.contains(where: { $0.data == 4_999 }) { await Task.yield() }
        let messages = heard.elements.prefix { $0.id == "test/early" }
        #expect(messages[0].missed > 0)
        #expect(messages.reduce(0) { $0 + 1 + $1.missed } == 5_000 + Self.opening.count)
    }

    @Test("once somebody has listened, nothing waits for the next")
    func heardBefore() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        try await stage.waitUntilIdle(client)
        stage.server.push(Event("test/lost"))
        stage.waitUntilIdle()
        let heard = Collector<EventMessage>()
        try await stage.waitUntilIdle(client)
        client.chRecv.on("test/lost") { heard.append($0) }
        try await stage.waitUntilIdle(client)
        #expect(heard.elements.isEmpty)
    }

    @Test("a client that nobody ever listens to is released")
    func unheardRelease() async throws {
        weak var socket: ChannelSocket?
        do {
            let (_, client) = try await openUnheard(3)
            socket = client.chsk
        }
        #expect(socket == nil)
    }

    @Test("a message has everything that Sente's has")
    func message() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket { $0.clientID = "client-1" }
        let heard = Collector<EventMessage>()
        client.chRecv.on("test/a") { heard.append($0) }
        stage.server.push(Event("test/a", 5))
        let message = await heard.first(1)[0]
        #expect(message.event == Event("test/a", 5))
        #expect(message.id == "test/a")
        #expect(message.data == 5)
        #expect(message.clientID == "client-1")
        #expect(message.uid == "u1")
        #expect(message.state.value.isOpen)
        #expect(message.reply == nil)
        try message.sendFn(Event("test/b"))
        #expect(stage.server.events.map(\.event) == [Event("test/b")])
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
