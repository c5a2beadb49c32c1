// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTestSupport
import SenteWire
import Testing

@Suite("SendFunction", .timeLimit(.minutes(5)))
struct SendFunctionTests {
    // MARK: Without a reply

    @Test("an event is sent while open")
    func sends() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let result = try client.sendFn(Event("chat/say", ["text": "hello"]))
        guard case .sent(let delivery) = result else {
            Issue.record("\(result) is not sent.")
            return
        }
        #expect(await delivery.outcome == .written)
        #expect(result.isAccepted)
        #expect(stage.server.events == [.init(event: Event("chat/say", ["text": "hello"]), callback: nil)])
    }

    @Test("while connecting, events queue and say so; they leave in the order of the calls")
    func queues() async throws {
        let stage = DriverStage(.sente)
        stage.server.withholdsGreeting()
        let client = try stage.channelSocket()
        let results = try (1...5).map { try client.sendFn(Event("chat/say", Value($0))) }
        stage.server.greet()
        for result in results {
            guard case .queued(let delivery) = result else {
                Issue.record("\(result) is not queued.")
                continue
            }
            #expect(await delivery.outcome == .written)
        }
        #expect(stage.server.events.map(\.event.data) == [1, 2, 3, 4, 5])
    }

    @Test(
        "a full queue refuses the next at the call; what was taken leaves in order, and then there is room again"
    )
    func fullQueue() async throws {
        let stage = DriverStage(.sente)
        stage.server.withholdsGreeting()
        let client = try stage.channelSocket { $0.outbox.maximumMessages = 5 }
        var results: [SendResult] = []
        var refused: [SenteError.Code] = []
        for number in 1...7 {
            do throws(SenteError) {
                results.append(try client.sendFn(Event("chat/say", Value(number))))
            } catch {
                refused.append(error.code)
            }
        }
        #expect(results.count == 5)
        #expect(refused == [.outboxFull, .outboxFull])
        stage.server.greet()
        for result in results { #expect(await result.delivery?.outcome == .written) }
        #expect(try client.sendFn(Event("chat/say", 8)).isAccepted)
        #expect(stage.server.events.map(\.event.data) == [1, 2, 3, 4, 5, 8])
    }

    @Test("five thousand events enqueued while connecting arrive, each once and in order")
    func manyQueued() async throws {
        let stage = DriverStage(.sente)
        stage.server.withholdsGreeting()
        let client = try stage.channelSocket { $0.outbox.maximumMessages = 5_000 }
        let results = try (1...5_000).map { try client.sendFn(Event("chat/say", Value($0))) }
        stage.server.greet()
        for result in results { #expect(await result.delivery?.outcome == .written) }
        #expect(stage.server.events.map(\.event.data) == (1...5_000).map { Value($0) })
        #expect(client.errors.recent.isEmpty)
    }

    @Test("with the outbox off nothing queues: closed at once, as in Sente")
    func outboxOff() async throws {
        let stage = DriverStage(.sente)
        stage.server.withholdsGreeting()
        let client = try stage.channelSocket { $0.outbox = .off }
        try await client.chsk.client.reaches(.connecting)
        stage.waitUntilIdle()
        let result = try client.sendFn(Event("chat/say"))
        #expect(!result.isAccepted && result.delivery == nil)
        #expect(try await client.sendFn(Event("chat/say"), timeout: .seconds(1)) == .closed)
        let replies = Collector<SendReply>()
        try client.sendFn(Event("chat/say"), timeout: .seconds(1)) { replies.append($0) }
        #expect(await replies.first(1) == [.closed])
        #expect(stage.server.events.isEmpty)
    }

    @Test("after a disconnect everything is closed at once")
    func disconnected() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        await client.chsk.client.disconnect()
        #expect(try !client.sendFn(Event("chat/say")).isAccepted)
        #expect(try await client.sendFn(Event("chat/say"), timeout: .seconds(1)) == .closed)
        #expect(stage.server.events.isEmpty)
    }

    @Test("an event that nobody waits for and that is not sent shows in the error channel")
    func lateFailure() async throws {
        let stage = DriverStage(.sente)
        stage.server.withholdsGreeting()
        let client = try stage.channelSocket { $0.outbox.timeToLive = .seconds(2) }
        let errors = Collector<ErrorReport>()
        client.errors.onError { if $0.context.operation == .send { errors.append($0) } }
        try client.sendFn(Event("chat/say", 1))
        stage.advance(by: .seconds(3))
        let report = await errors.first(1)[0]
        #expect(report.code == .expired)
        #expect(report.context.event == Event("chat/say", 1))
        #expect(report.action == .escalate)
    }

    // MARK: With a reply

    @Test("a reply is any value, awaited or by callback")
    func replies() async throws {
        let stage = DriverStage(.sente)
        stage.server.answers { $0.data == "nil" ? .null : ["you": $0.data] }
        let client = try await stage.openChannelSocket()
        #expect(try await client.sendFn(Event("chat/who", 1), timeout: .seconds(5)) == .value(["you": 1]))
        #expect(try await client.sendFn(Event("chat/who", "nil"), timeout: .seconds(5)) == .value(.null))
        let replies = Collector<SendReply>()
        let result = try client.sendFn(Event("chat/who", 2), timeout: .seconds(5)) { replies.append($0) }
        #expect(result.isAccepted)
        #expect(await replies.first(1) == [.value(["you": 2])])
        #expect(Set(stage.server.events.compactMap(\.callback)).count == 3)
    }

    @Test(
        "the three keywords from the server mean what they mean here",
        arguments: [("chsk/closed", SendReply.closed), ("chsk/timeout", .timeout)])
    func keywords(text: String, reply: SendReply) async throws {
        let stage = DriverStage(.sente)
        stage.server.answers { _ in .keyword(Keyword(text)) }
        let client = try await stage.openChannelSocket()
        #expect(try await client.sendFn(Event("chat/who"), timeout: .seconds(5)) == reply)
        stage.server.answers { _ in .keyword("chsk/error") }
        guard case .error(let error) = try await client.sendFn(Event("chat/who"), timeout: .seconds(5)) else {
            Issue.record("No error.")
            return
        }
        #expect(error.code == .remoteError)
    }

    @Test("without an answer in time it is a time-out, once, and a late answer goes to nobody")
    func timesOut() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket { $0.heartbeat = nil }
        let replies = Collector<SendReply>()
        try client.sendFn(Event("chat/who"), timeout: .seconds(2)) { replies.append($0) }
        async let awaited = client.sendFn(Event("chat/who"), timeout: .seconds(2))
        while stage.server.events.count < 2 { await Task.yield() }
        stage.advance(by: .seconds(2))
        #expect(await replies.first(1) == [.timeout])
        #expect(try await awaited == .timeout)
        for heard in stage.server.events { stage.server.reply("late", to: heard.callback ?? "") }
        try await stage.waitUntilIdle(client)
        #expect(replies.elements == [.timeout])
    }

    @Test("a connection lost before the answer is an error, not a time-out")
    func lost() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let replies = Collector<SendReply>()
        try client.sendFn(Event("chat/who"), timeout: .seconds(60)) { replies.append($0) }
        #expect(stage.server.events.count == 1)
        stage.server.cut()
        guard case .error(let error) = await replies.first(1)[0] else {
            Issue.record("No error.")
            return
        }
        #expect(error.code == .connectionLost)
        #expect(error.outcome == .unknown)
    }

    @Test("a disconnect answers what still waits with closed")
    func disconnectedWhileQueued() async throws {
        let stage = DriverStage(.sente)
        stage.server.withholdsGreeting()
        let client = try stage.channelSocket()
        let replies = Collector<SendReply>()
        try client.sendFn(Event("chat/who"), timeout: .seconds(60)) { replies.append($0) }
        client.chsk.disconnect()
        #expect(await replies.first(1) == [.closed])
    }

    @Test("cancelling the task that waits is thrown")
    func cancelled() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let task = Task { [sendFn = client.sendFn] in
            await error { () throws(SenteError) in
                _ = try await sendFn(Event("chat/who"), timeout: .seconds(9))
            }
        }
        while stage.server.events.isEmpty { await Task.yield() }
        task.cancel()
        #expect(await task.value?.code == .cancelled)
    }

    // MARK: Bad input: a typed error at the call, and nothing sent

    @Test(
        "an id without namespace, or that is no keyword, is refused",
        arguments: ["say", "", "chat/", "a b/c", "/say"])
    func wrongID(id: String) async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let event = Event(id: Keyword(id))
        let failures = [
            await error { () throws(SenteError) in _ = try client.sendFn(event) },
            await error { () throws(SenteError) in
                _ = try await client.sendFn(event, timeout: .seconds(1))
            },
            await error { () throws(SenteError) in
                _ = try client.sendFn(event, timeout: .seconds(1)) { _ in }
            },
        ]
        for failure in failures {
            #expect(failure?.code == .invalidArgument)
            #expect(failure?.outcome == .notSent)
        }
        #expect(stage.server.events.isEmpty)
    }

    @Test("a time-out of zero is refused", arguments: [Duration.zero, .seconds(-1)])
    func zeroTimeout(timeout: Duration) async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let awaited = await error { () throws(SenteError) in
            _ = try await client.sendFn(Event("a/b"), timeout: timeout)
        }
        #expect(awaited?.code == .invalidArgument)
        #expect(awaited?.message.contains("timeout") == true)
        let called = await error { () throws(SenteError) in
            _ = try client.sendFn(Event("a/b"), timeout: timeout) { _ in Issue.record("The callback ran.") }
        }
        #expect(called?.code == .invalidArgument)
        #expect(stage.server.events.isEmpty)
    }

    @Test("a value that the format cannot say is refused")
    func unencodable() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let event = Event("a/b", .keyword("no keyword at all"))
        #expect(await error { () throws(SenteError) in _ = try client.sendFn(event) }?.code == .unencodable)
        let awaited = await error { () throws(SenteError) in
            _ = try await client.sendFn(event, timeout: .seconds(1))
        }
        #expect(awaited?.code == .unencodable)
        #expect(awaited?.outcome == .notSent)
        #expect(stage.server.events.isEmpty)
    }

    @Test("before the greeting, what the format cannot say shows when it is to leave")
    func unencodableLater() async throws {
        let stage = DriverStage(.sente)
        stage.server.withholdsGreeting()
        let client = try stage.channelSocket()
        let result = try client.sendFn(Event("a/b", .keyword("no keyword at all")))
        stage.server.greet()
        #expect(await result.delivery?.outcome == .notSent)
        #expect(result.delivery?.error?.code == .unencodable)
        #expect(stage.server.events.isEmpty)
    }

    @Test("an event over the limit is refused")
    func tooLarge() async throws {
        let client = try await DriverStage(.sente).openChannelSocket { $0.limits.outgoingMessage = 100 }
        let failure = await error { () throws(SenteError) in
            _ = try client.sendFn(Event("a/b", Value(String(repeating: "x", count: 200))))
        }
        #expect(failure?.code == .messageTooLarge)
    }

    @Test("a server that answers no events says so at the call")
    func unsupported() async throws {
        let stage = DriverStage(.maps)
        let client = try await stage.openChannelSocket()
        let awaited = await error { () throws(SenteError) in
            _ = try await client.sendFn(Event("a/b", [:]), timeout: .seconds(1))
        }
        #expect(awaited?.code == .unsupported)
        let called = await error { () throws(SenteError) in
            _ = try client.sendFn(Event("a/b", [:]), timeout: .seconds(1)) { _ in }
        }
        #expect(called?.code == .unsupported)
        #expect(stage.server.events.isEmpty)
    }
}
