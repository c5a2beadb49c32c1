// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteTestSupport
import SenteWire
import Testing

@Suite("SenteClient: types of one's own", .timeLimit(.minutes(5)))
struct TypedTests {
    struct Line: Codable, Sendable, Equatable {
        var name: String
        var text: String
    }

    private static let line = Line(name: "Ann", text: "hello")
    private static let data: Value = ["name": "Ann", "text": "hello"]

    @Test("subscribe(_:as:) yields what messages say; one that does not fit is an error, and counted")
    func subscribes() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let chat = try await client.subscribe("chat", as: Line.self)
        #expect(chat.channel == "chat" && chat.isConfirmed && chat.rejection == nil)
        stage.server.deliver([Self.data, ["name": 7], Self.data], to: "chat")
        var lines = chat.makeAsyncIterator()
        #expect(try await lines.next()?.get() == Self.line)
        let wrong = try #require(await lines.next())
        #expect(throws: SenteError.self) { try wrong.get() }
        guard case .failure(let error) = wrong.value else { return }
        #expect(error.code == .decodingFailed && error.underlying != nil)
        #expect(wrong.message.data == ["name": 7])
        // With the subscription it shares what comes.
        var messages = chat.subscription.makeAsyncIterator()
        lines = chat.makeAsyncIterator()
        #expect(await messages.next()?.data == Self.data)
        stage.waitUntilIdle()
        #expect(client.metrics.errors[.decodingFailed] == 1)
        chat.cancel()
        for await _ in chat {}
    }

    @Test("onMessage(in:as:) hears the same, here and on the main actor")
    func onMessage() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let seen = Collector<Line?>()
        let onMain = Collector<Line?>()
        client.onMessage(in: "chat", as: Line.self) { seen.append(try? $0.get()) }
        client.onMessage(
            in: "chat", as: Line.self,
            mainActor: { message in if isOnMainActor() { onMain.append(try? message.get()) } })
        stage.server.deliver([Self.data, ["text": "nameless"]], to: "chat")
        #expect(await seen.first(2) == [Self.line, nil])
        #expect(await onMain.first(2) == [Self.line, nil])
        stage.waitUntilIdle()
        #expect(client.metrics.errors[.decodingFailed] == 2)
    }

    @Test("on(_:as:) hears events so, here and on the main actor")
    func on() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openClient()
        let seen = Collector<Line?>()
        let onMain = Collector<Line?>()
        let registration = client.on("chat/said", as: Line.self) { event in
            #expect(event.event.id == "chat/said")
            seen.append(try? event.get())
        }
        client.on(
            "chat/said", as: Line.self,
            mainActor: { event in if isOnMainActor() { onMain.append(try? event.get()) } })
        let keywords: Value = [.keyword("name"): "Ann", .keyword("text"): "hello"]
        stage.server.push(
            Event(id: "chat/said", data: keywords), Event(id: "chat/said"), Event(id: "chat/other"))
        #expect(await seen.first(2) == [Self.line, nil])
        #expect(await onMain.first(2) == [Self.line, nil])
        registration.cancel()
        stage.waitUntilIdle()
        #expect(client.metrics.errors[.decodingFailed] == 2)
    }
}
