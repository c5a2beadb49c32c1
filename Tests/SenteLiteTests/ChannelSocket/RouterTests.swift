// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTelemetry
import SenteTestSupport
import SenteWire
import Testing

@Suite("Router", .timeLimit(.minutes(5)))
struct RouterTests {
    private struct Broken: Error {}

    @Test("a handler gets every event, the socket's own included")
    func everything() async throws {
        let stage = DriverStage(.sente)
        let heard = Collector<Keyword>()
        let client = try stage.channelSocket { _ in
        } prepare: {
            startRouter($0.chRecv) { heard.append($0.id) }
        }
        try await client.chsk.client.reaches(.open)
        stage.server.push(Event("test/a"))
        #expect(Set(await heard.first(3)) == ["chsk/state", "chsk/handshake", "test/a"])
    }

    @Test("events of one id are handled in order, one at a time, also when the handler waits")
    func inOrder() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let handled = Collector<Value>()
        let running = Locked(0)
        startRouter(
            client.chRecv,
            [
                "test/a": { message in
                    #expect(
                        running.withLock {
                            $0 += 1; return $0
                        } == 1)
                    for _ in 0..<3 { await Task.yield() }
                    handled.append(message.data)
                    running.withLock { $0 -= 1 }
                }
            ])
        for number in 1...50 { stage.server.push(Event("test/a", Value(number))) }
        #expect(await handled.first(50) == (1...50).map { Value($0) })
    }

    @Test(
        "a handler runs within the trace that its event names, where the client's tracing is on",
        arguments: [true, false])
    func traced(_ isOn: Bool) async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket { $0.tracing = isOn }
        let seen = Collector<String?>()
        startRouter(client.chRecv, ["test/a": { _ in seen.append(Telemetry.currentTrace?.traceparent) }])
        stage.server.push(Event("test/a", [.keyword("traceparent"): .string(TracingTests.text)]))
        stage.server.push(Event("test/a"))
        let traces = await seen.first(2)
        #expect(traces == [isOn ? TracingTests.text : nil, nil])
    }

    @Test("a handler may wait for an event of another id, and for a reply")
    func sideBySide() async throws {
        let stage = DriverStage(.sente)
        stage.server.answers { _ in "pong" }
        let client = try await stage.openChannelSocket()
        let done = Collector<String>()
        let gate = Collector<Void>()
        startRouter(
            client.chRecv,
            [
                "test/slow": { message in
                    let reply = try await message.sendFn(Event("test/ping"), timeout: .seconds(5))
                    #expect(reply == .value("pong"))
                    _ = await gate.first(1)
                    done.append("slow")
                },
                "test/quick": { _ in
                    done.append("quick")
                    gate.append(())
                },
            ])
        stage.server.push(Event("test/slow"))
        stage.server.push(Event("test/quick"))
        #expect(await done.first(2) == ["quick", "slow"])
    }

    @Test("a table has a default for every other id, or does nothing")
    func table() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        try await stage.waitUntilIdle(client)
        let heard = Collector<String>()
        startRouter(
            client.chRecv, ["test/a": { _ in heard.append("a") }], default: { heard.append("other \($0.id)") }
        )
        startRouter(client.chRecv, ["test/a": { _ in heard.append("a") }])
        stage.server.push(Event("test/a"), Event("test/b"))
        #expect(await Set(heard.first(3)) == ["a", "other :test/b"])
    }

    @Test("a handler that throws reaches the error channel and nothing else")
    func throwing() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        try await stage.waitUntilIdle(client)
        let heard = Collector<EventMessage>()
        let errors = Collector<ErrorReport>()
        client.errors.onError { errors.append($0) }
        startRouter(
            client.chRecv,
            [
                "test/a": { message in
                    if message.data == 1 { throw Broken() }
                    heard.append(message)
                }, "chsk/error": { heard.append($0) },
            ])
        stage.server.push(Event("test/a", 1), Event("test/a", 2))
        #expect(await heard.first(1).map(\.data) == [2])
        let report = await errors.first(1)[0]
        #expect(report.error is Broken)
        #expect(report.context.operation == .handle)
        #expect(report.context.event == Event("test/a", 1))
        try await stage.waitUntilIdle(client)
        #expect(heard.elements.count == 1)
        #expect(client.chsk.client.state == .open)
    }

    @Test("stopped, it starts no handler any more")
    func stops() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let heard = Collector<EventMessage>()
        let router = startRouter(client.chRecv, ["test/a": { heard.append($0) }])
        stage.server.push(Event("test/a", 1))
        _ = await heard.first(1)
        router.stop()
        router.stop()
        stage.server.push(Event("test/a", 2))
        try await stage.waitUntilIdle(client)
        #expect(heard.elements.count == 1)
    }

    @Test("what waits for a handler that never returns is bounded, and the loss shows")
    func bounded() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket { $0.inbox.maximumMessages = 8 }
        let gate = Collector<Void>()
        let started = Collector<EventMessage>()
        startRouter(
            client.chRecv,
            [
                "test/a": { message in
                    started.append(message)
                    _ = await gate.first(1)
                }
            ])
        stage.server.push(Event("test/a", 0))
        _ = await started.first(1)
        for number in 1...100 {
            stage.server.push(Event("test/a", Value(number)))
            try await stage.waitUntilIdle(client)
        }
        gate.append(())
        var total = 0
        var messages: [EventMessage] = []
        while total < 101 {
            messages = await started.first(messages.count + 1)
            total = messages.reduce(0) { $0 + 1 + $1.missed }
        }
        // The markers of `settle` share the bound, and what a lane of theirs loses is told there.
        #expect(messages.count <= 10)
        #expect(messages.last?.data == 100)
    }

    // MARK: Step functions

    @Test("a step function's state moves on, and what it wants is done")
    func steps() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let done = Collector<String>()
        let chat = StepHandler(
            state: 0,
            outputs: .init(
                log: { done.append("log \($0)") }, metrics: { done.append("metrics \($0)") },
                custom: { done.append("custom \($0)") })
        ) { count, event in
            let next = count + 1
            return (
                next,
                [
                    .send(Event("chat/read", ["count": Value(next)])), .log("\(event.id)"),
                    .metrics(["messages": Value(next)]), .custom(.keyword("redraw")),
                ]
            )
        }
        startRouter(client.chRecv, ["chat/said": chat.handler])
        stage.server.push(Event("chat/said"))
        #expect(await done.first(3) == ["log :chat/said", "metrics {\"messages\" 1}", "custom :redraw"])
        #expect(stage.server.events.map(\.event) == [Event("chat/read", ["count": 1])])
        #expect(await chat.state == 1)
    }

    @Test("a step function is replaced while running, and keeps its state")
    func replaced() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let done = Collector<String>()
        let chat = StepHandler(state: 10, outputs: .init(log: { done.append($0) })) { count, _ in
            (count + 1, [.log("old \(count)")])
        }
        startRouter(client.chRecv, ["chat/said": chat.handler])
        stage.server.push(Event("chat/said"))
        _ = await done.first(1)
        await chat.replace { count, _ in (count + 1, [.log("new \(count)")]) }
        stage.server.push(Event("chat/said"))
        #expect(await done.first(2) == ["old 10", "new 11"])
    }

    @Test("a step function that throws keeps its state, and the error says for which event")
    func stepThrows() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let errors = Collector<ErrorReport>()
        client.errors.onError { errors.append($0) }
        let chat = StepHandler(state: 5) { _, event in
            if event.data == "bad" { throw Broken() }
            return (6, [.send(Event("no-namespace"))])
        }
        startRouter(client.chRecv, ["chat/said": chat.handler])
        stage.server.push(Event("chat/said", "bad"))
        #expect(await errors.first(1)[0].context.event == Event("chat/said", "bad"))
        #expect(await chat.state == 5)
        stage.server.push(Event("chat/said"))
        #expect(await errors.first(2)[1].code == .invalidArgument)
    }

    @Test("a step function publishes where the server has channels, and hears when it has none")
    func publishes() async throws {
        let maps = DriverStage(.maps)
        let client = try await maps.openChannelSocket()
        let chat = StepHandler(state: 0) { _, _ in (0, [.publish(["n": 1], channel: "news")]) }
        startRouter(client.chRecv, ["chat/said": chat.handler])
        maps.server.push(Event("chat/said", [:]))
        while maps.server.events.isEmpty { await Task.yield() }
        #expect(maps.server.events.map(\.event.id) == ["publish"])
    }

    @Test("one step function can take every event, in the order they came")
    func takesAll() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        try await stage.waitUntilIdle(client)
        let seen = Collector<String>()
        let all = StepHandler(state: 0, outputs: .init(log: { seen.append($0) })) { count, event in
            (count + 1, [.log("\(count) \(event.id)")])
        }
        let router = startRouter(client.chRecv, all)
        let ids = (0..<300).map { Keyword("test/\(["a", "b", "c", "d"][$0 * $0 % 4])\($0 % 7)") }
        for id in ids { stage.server.push(Event(id)) }
        #expect(await seen.first(ids.count) == ids.enumerated().map { "\($0.offset) \($0.element)" })
        #expect(await all.state == ids.count)
        router.stop()
    }
}
