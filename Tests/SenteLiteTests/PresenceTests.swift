// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTestSupport
import SenteWire
import Testing

@Suite("Presence", .timeLimit(.minutes(5)))
struct PresenceTests {
    struct Person: Codable, Sendable, Equatable { var name: String }

    private static let channel = "room-presence"

    private static func claim(_ member: String, _ sequence: Int64, _ name: String?, left: Bool = false)
        -> Value
    {
        [
            "sente-lite/presence": [
                "member": Value(member), "sequence": Value(sequence), "left": Value(left),
                "data": name.map { ["name": Value($0)] } ?? 7,
            ]
        ]
    }

    /// What was said of presence so far.
    private static func said(_ stage: DriverStage) -> [Value] {
        stage.server.received("publish").compactMap { $0["data"]?["sente-lite/presence"] }
    }

    /// Waits until so much was said, and returns all of it.
    private static func said(_ count: Int, _ stage: DriverStage) async -> [Value] {
        while said(stage).count < count { await Task.yield() }
        return said(stage)
    }

    @Test("it asks on a channel of its own, says that this client has entered, and leaves")
    func entersAndLeaves() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let presence = try await client.presence(in: "room", as: Person.self)
        #expect(presence.channel == Self.channel)
        #expect(client.subscriptions == [Self.channel])
        #expect(await Self.said(1, stage) == [["asks": true]])
        try presence.enter(Person(name: "Ann"))
        let entered = await Self.said(2, stage)[1]
        #expect(entered["data"] == ["name": "Ann"])
        #expect(stage.server.received("publish").allSatisfy { $0["exclude-sender"] == true })
        while presence.members.isEmpty { await Task.yield() }
        #expect(presence.members.map { try? $0.get() } == [Person(name: "Ann")])
        #expect(presence.members.first?.isSelf == true)
        await presence.leave()
        #expect(Self.said(stage).last?["left"] == true)
        #expect(Self.said(stage).last?["member"] == entered["member"])
        #expect(presence.members.isEmpty)
        await presence.leave()
        #expect(Self.said(stage).count == 3)
    }

    @Test("each loop gets all members first, and then who joins, changes and leaves")
    func yieldsChanges() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let presence = try await client.presence(in: "room", as: Person.self)
        _ = await Self.said(1, stage)
        var changes = presence.changes.makeAsyncIterator()
        var change = try #require(await changes.next())
        while !change.isCurrent { change = try #require(await changes.next()) }
        #expect(change.members.isEmpty)
        stage.server.deliver(Self.claim("a", 1, "Ann"), to: Self.channel)
        change = try #require(await changes.next())
        #expect(change.joined.map(\.id) == ["a"] && change.members.map(\.id) == ["a"])
        stage.server.deliver(Self.claim("b", 1, nil), to: Self.channel)
        change = try #require(await changes.next())
        #expect(change.joined.map(\.id) == ["b"])
        #expect(throws: SenteError.self) { try change.joined[0].get() }
        #expect(change.joined[0].data == 7)
        stage.server.deliver(Self.claim("a", 2, "Anna"), to: Self.channel)
        change = try #require(await changes.next())
        #expect(change.updated.map { try? $0.get() } == [Person(name: "Anna")])
        stage.server.deliver(Self.claim("a", 3, "Anna", left: true), to: Self.channel)
        change = try #require(await changes.next())
        #expect(change.left.map { try? $0.get() } == [Person(name: "Anna")])
        #expect(change.members.map(\.id) == ["b"])
        stage.waitUntilIdle()
        #expect(client.metrics.errors[.decodingFailed] == 1)
        var late = presence.changes.makeAsyncIterator()
        #expect(await late.next()?.joined.map(\.id) == ["b"])
    }

    @Test("a loop that does not keep up gets all that has changed at once")
    func coalesces() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let presence = try await client.presence(in: "room", as: Person.self)
        var changes = presence.changes.makeAsyncIterator()
        _ = await changes.next()
        for number in 0..<50 {
            stage.server.deliver(Self.claim("m\(number)", 1, "x"), to: Self.channel)
        }
        for number in 0..<10 {
            stage.server.deliver(Self.claim("m\(number)", 2, "x", left: true), to: Self.channel)
        }
        stage.waitUntilIdle()
        var joined: Set<String> = []
        var elements = 0
        while joined.count < 40, let change = await changes.next() {
            joined.formUnion(change.joined.map(\.id))
            joined.subtract(change.left.map(\.id))
            elements += 1
        }
        #expect(joined == Set((10..<50).map { "m\($0)" }))
        #expect(elements <= 2)
    }

    @Test("it enters again after each reconnect, and sees no coming and going meanwhile")
    func reenters() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let presence = try await client.presence(in: "room", as: Person.self)
        _ = await Self.said(1, stage)
        try presence.enter(Person(name: "Ann"))
        _ = await Self.said(2, stage)
        stage.server.deliver(Self.claim("b", 1, "Ben"), to: Self.channel)
        stage.server.fails(LinkFailure(.unreachable, "Nobody there."))
        stage.server.cut()
        var changes = presence.changes.makeAsyncIterator()
        var change = try #require(await changes.next())
        while change.isCurrent { change = try #require(await changes.next()) }
        stage.advance(by: .seconds(200))
        #expect(presence.members.count == 2)
        let before = Self.said(stage).count
        stage.server.accepts()
        client.reconnect()
        let again = await Self.said(before + 1, stage)[before]
        #expect(again["asks"] == true && again["data"] == ["name": "Ann"])
        // Ben says nothing any more.
        while !change.isCurrent { change = try #require(await changes.next()) }
        stage.advance(by: .seconds(30))
        while presence.members.count > 1 { await Task.yield() }
    }

    @Test("it says that it is there within each heartbeat, and what the server kept is not heard")
    func beats() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let presence = try await client.presence(
            in: "room", settings: PresenceSettings(heartbeat: .seconds(4), expiry: .seconds(10)))
        _ = await Self.said(1, stage)
        try presence.enter(["n": 1])
        let before = await Self.said(2, stage).count
        for round in 1...5 {
            stage.advance(by: .seconds(4))
            #expect(Self.said(stage).count >= before + round)
        }
        stage.server.send([
            [
                "type": "channel-message", "channel-id": Value(Self.channel), "message-id": "1",
                "data": Self.claim("ghost", 1, "Gus"), "retained": true,
            ]
        ])
        stage.waitUntilIdle()
        #expect(presence.members.filter { !$0.isSelf }.count <= 1)
    }

    @Test("before connect() it waits, and is told when the client is open")
    func waits() async throws {
        let stage = DriverStage()
        let client = try stage.client()
        let presence = try await client.presence(in: "room", as: Person.self)
        try presence.enter(Person(name: "Ann"))
        await presence.leave()
        try presence.enter(Person(name: "Anna"))
        try await client.connect()
        #expect(await Self.said(1, stage)[0]["data"] == ["name": "Anna"])
    }

    @Test("what makes no sense, or is too much to say, is refused by its name")
    func refuses() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let senseless = await error { () throws(SenteError) in
            _ = try await client.presence(in: "room", settings: PresenceSettings(heartbeat: .zero))
        }
        #expect(senseless?.code == .invalidArgument)
        let nameless = await error { () throws(SenteError) in _ = try await client.presence(in: "") }
        #expect(nameless?.code == .invalidArgument)
        stage.server.rejects(Self.channel)
        let rejected = await error { () throws(SenteError) in _ = try await client.presence(in: "room") }
        #expect(rejected?.code == .rejected)
        let small = try await client.presence(in: "other", settings: PresenceSettings(maximumBytes: 100))
        #expect(throws: SenteError.self) { try small.enter(Value(String(repeating: "x", count: 200))) }
        let sente = try stage.client { $0.dialect = .sente }
        let unsupported = await error { () throws(SenteError) in _ = try await sente.presence(in: "room") }
        #expect(unsupported?.code == .unsupported)
    }

    @Test("cancel() leaves, ends the sequences and drops the wish; so does dropping it")
    func ends() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        var presence: Presence<Person>? = try await client.presence(in: "room", as: Person.self)
        _ = await Self.said(1, stage)
        try presence?.enter(Person(name: "Ann"))
        _ = await Self.said(2, stage)
        let loop = Task { [changes = presence?.changes] in
            guard let changes else { return }
            for await _ in changes {}
        }
        presence?.cancel()
        await loop.value
        stage.waitUntilIdle()
        #expect(Self.said(stage).last?["left"] == true)
        #expect(client.subscriptions.isEmpty)
        let second = try await client.presence(in: "room", as: Person.self)
        presence = second
        #expect(client.subscriptions == [Self.channel])
        presence = nil
        _ = consume second
        while !client.subscriptions.isEmpty { await Task.yield() }
    }

    @Test("it keeps its client only as long as it is kept")
    func isReleased() async throws {
        let stage = DriverStage()
        do {
            let presence = try await stage.openClient().presence(in: "room")
            _ = await Self.said(1, stage)
            try presence.enter(.null)
            _ = await Self.said(2, stage)
        }
        while stage.observers.alive > 0 { await Task.yield() }
    }
}
