// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import Testing
import chat

/// The chat's conversation as its app runs it, with what an app's own tests have: the kit, and public names alone.
@Suite("The conversation of the sample chat", .timeLimit(.minutes(5)))
struct ConversationTests {
    private typealias Line = Conversation.Line

    private let world = TestWorld(.sente)
    private let screen = AsyncStream.makeStream(of: Line.self)

    /// Ann's side of it, connected.
    private func ann() async throws -> (ChannelSocketClient, StepHandler<Conversation>) {
        // What nobody answers comes back.
        world.server.answersEvents("chat/here") { _ in nil }
        world.server.answersEvents("chat/say") { _ in true }
        let client = try world.channelSocketClient()
        let conversation = StepHandler(
            state: Conversation(name: "Ann"),
            outputs: .init(custom: { [screen] value in
                if let line = Line(value) { screen.continuation.yield(line) }
            }), step: Conversation.step)
        startRouter(client.chRecv, conversation)
        try await world.server.expectConnections()
        await world.settle()
        return (client, conversation)
    }

    /// All that was to be shown.
    private func lines() async -> [Line] {
        screen.continuation.finish()
        return await screen.stream.reduce(into: []) { $0.append($1) }
    }

    private func says(_ id: Keyword, _ data: Value) async {
        world.server.push(Event(id, data))
        await world.settle()
    }

    @Test("who comes new is told who is here, and who goes is missed once")
    func people() async throws {
        let (client, conversation) = try await ann()
        defer { _ = client }
        await says("chat/here", [.keyword("from"): "Bob", .keyword("new"): true])
        #expect(try await world.server.expectEvent("chat/here").data == .null)
        await says("chat/here", [.keyword("from"): "Cleo"])
        let people = await conversation.state.people
        #expect(people == ["Bob", "Cleo"])
        for _ in 0..<2 { await says("chat/bye", [.keyword("from"): "Bob"]) }
        let lines = await lines()
        #expect(
            lines == [
                Line(.connection, "connected as Ann"), Line(.notice, "joined", by: "Bob"),
                Line(.notice, "is here", by: "Cleo"), Line(.notice, "left", by: "Bob"),
            ])
    }

    @Test("it goes on over a lost connection, and greets nobody twice")
    func outage() async throws {
        let (client, _) = try await ann()
        await says("chat/say", [.keyword("from"): "Bob", .keyword("text"): "hi, Ann"])
        world.cut()
        await world.settle()
        try client.sendFn(
            Event("chat/say", [.keyword("text"): "are you there?"]), timeout: .seconds(30)
        ) { _ in }
        await world.advance(by: .seconds(10))
        #expect(try await world.server.expectEvent("chat/say").data[Keyword("text")] == "are you there?")
        await says("chat/here", [.keyword("from"): "Bob", .keyword("new"): false])
        let lines = await lines()
        #expect(
            lines == [
                Line(.connection, "connected as Ann"), Line(.said, "hi, Ann", by: "Bob"),
                Line(.connection, "connected again"),
            ])
    }
}
