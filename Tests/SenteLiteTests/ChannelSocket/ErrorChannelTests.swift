// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTestKit
import SenteTestSupport
import SenteWire
import Testing

@Suite("ErrorChannel", .timeLimit(.minutes(5)))
struct ErrorChannelTests {
    private struct Broken: Error {}

    @Test("several listeners hear the same, and the app's own errors are among them")
    func listeners() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let first = Collector<ErrorReport>()
        let second = Collector<ErrorReport>()
        client.errors.onError { first.append($0) }
        let registration = client.errors.onError { second.append($0) }
        var sequence = client.errors.makeAsyncIterator()
        client.errors.report(Broken(), operation: .init(rawValue: "billing"), event: Event("pay/now", 3))
        for report in [
            await first.first(1)[0], await second.first(1)[0], try #require(await sequence.next()),
        ] {
            #expect(report.error is Broken)
            #expect(report.context.operation.rawValue == "billing")
            #expect(report.context.event == Event("pay/now", 3))
            #expect(report.context.attempt == 1)
            #expect(report.time == stage.host.now.wallMilliseconds)
            #expect(report.action == .escalate)
        }
        registration.cancel()
        client.errors.report(Broken())
        #expect(await first.first(2).count == 2)
        try await stage.waitUntilIdle(client)
        #expect(second.elements.count == 1)
    }

    @Test("the last hundred are kept")
    func recent() async throws {
        let client = try await DriverStage(.sente).openChannelSocket()
        for number in 1...130 { client.errors.report(SenteError(.busy, "\(number)")) }
        let recent = client.errors.recent
        #expect(recent.count == 100)
        #expect((recent.first?.error as? SenteError)?.message == "31")
    }

    @Test("a listener that does not keep up is told how many it lost")
    func missed() async throws {
        let client = try await DriverStage(.sente).openChannelSocket()
        var sequence = client.errors.makeAsyncIterator()
        for number in 1...300 { client.errors.report(SenteError(.busy, "\(number)")) }
        var count = 0
        repeat {
            let report = try #require(await sequence.next())
            count += 1 + report.missed
        } while count < 300
        #expect(count == 300)
    }

    @Test("a message that cannot be read is dropped, signalled, and counted; the connection goes on")
    func undecodable() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let errors = Collector<ErrorReport>()
        client.errors.onError { errors.append($0) }
        stage.server.send("(((")
        let report = await errors.first(1)[0]
        #expect(report.code == .undecodable)
        #expect(report.context.operation == .receive)
        #expect(report.action == .drop)
        #expect(client.chsk.client.metrics.undecodable == 1)
        #expect(client.chsk.client.state == .open)
    }

    @Test("a flood of messages that cannot be read is bounded")
    func flood() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        for _ in 1...50 { stage.server.send(")") }
        try await stage.waitUntilIdle(client)
        #expect(client.chsk.client.metrics.undecodable == 50)
        #expect(client.errors.recent.count <= 100)
    }

    @Test("escalated, an error comes as the event :chsk/error, in order with the others")
    func escalates() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let heard = Collector<EventMessage>()
        client.chRecv.on("chsk/error") { heard.append($0) }
        client.errors.report(SenteError(.busy, "Too much."), event: Event("a/b", 1))
        let data = await heard.first(1)[0].data
        #expect(data[Keyword("code")] == .keyword("busy"))
        #expect(data[Keyword("message")] == "Too much.")
        #expect(data[Keyword("operation")] == .keyword("app"))
        #expect(data[Keyword("attempt")] == 1)
        #expect(data[Keyword("event")] == [.keyword("a/b"), 1])
        client.errors.report(Broken())
        #expect(await heard.first(2)[1].data[Keyword("message")]?.stringValue?.contains("Broken") == true)
    }

    @Test("a handler of :chsk/error that throws brings about no other, whatever the policy says")
    func noLoop() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket {
            $0.channelSocket.errorPolicy = ErrorPolicy { _, _ in .escalate }
        }
        let heard = Collector<EventMessage>()
        client.chRecv.on("chsk/error") {
            heard.append($0)
            throw Broken()
        }
        client.errors.report(Broken())
        try await stage.waitUntilIdle(client)
        try await stage.waitUntilIdle(client)
        #expect(heard.elements.count == 1)
        #expect(client.errors.recent.map(\.context.operation) == [.app, .handle])
    }

    @Test("skip and drop do nothing but tell", arguments: [ErrorAction.skip, .drop])
    func onlyTells(action: ErrorAction) async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket {
            $0.channelSocket.errorPolicy = ErrorPolicy { _, _ in action }
        }
        let heard = Collector<EventMessage>()
        client.chRecv.on("chsk/error") { heard.append($0) }
        client.errors.report(Broken())
        try await stage.waitUntilIdle(client)
        #expect(heard.elements.isEmpty)
        #expect(client.errors.recent.map(\.action) == [action])
        #expect(stage.server.urls.count == 1)
    }

    @Test("reconnect replaces an open connection, and leaves alone what connects or was given up")
    func reconnects() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket {
            $0.channelSocket.errorPolicy = ErrorPolicy { _, _ in .reconnect }
        }
        var states = client.chsk.client.states.makeAsyncIterator()
        client.errors.report(Broken())
        while let status = await states.next(), status.state == .open {}
        while let status = await states.next(), status.state != .open {}
        #expect(stage.server.urls.count == 2)
        await client.chsk.client.disconnect()
        client.errors.report(Broken())
        try await stage.waitUntilIdle(client)
        #expect(client.chsk.client.state == .closed)
        #expect(stage.server.urls.count == 2)
    }

    @Test("a lost connection is reported once, with its attempt, and the client comes back by itself")
    func lost() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        stage.server.cut()
        try await stage.waitUntilIdle(client)
        #expect(client.errors.recent.map(\.context.operation) == [.connection])
        #expect(client.errors.recent[0].action == .reconnect)
        stage.advance(by: .seconds(2))
        try await client.chsk.client.reaches(.open)
    }
}
