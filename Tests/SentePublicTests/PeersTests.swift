// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import Testing

@Suite("What clients do with one another, as an app sees it", .timeLimit(.minutes(5)))
struct PeersTests {
    private struct Person: Codable, Sendable {
        var name: String
    }

    private static func names(_ presence: Presence<Person>) -> [String] {
        presence.members.compactMap { try? $0.get().name }.sorted()
    }

    @Test(
        "Who enters is seen, after an outage again; who leaves is gone at once, who vanishes after the expiry"
    )
    func presence() async throws {
        let world = TestWorld()
        let (ann, ben) = (try world.client(), try world.client())
        try await world.run {
            try await ann.connect()
            try await ben.connect()
            let first = try await ann.presence(in: "room", as: Person.self)
            let second = try await ben.presence(in: "room", as: Person.self)
            try first.enter(Person(name: "Ann"))
            try second.enter(Person(name: "Ben"))
            try await world.run(until: "both see both") {
                Self.names(first) == ["Ann", "Ben"] && Self.names(second) == ["Ann", "Ben"]
            }
            world.cut()
            try await world.run(until: "the loss") { ann.state != .open && ben.state != .open }
            try await world.run(until: "the return") { ann.state == .open && ben.state == .open }
            try await world.clock.sleep(for: .seconds(31))
            #expect(Self.names(first) == ["Ann", "Ben"])
            #expect(Self.names(second) == ["Ann", "Ben"])
            await second.leave()
            try await world.run(until: "Ben is gone", within: .seconds(1)) { Self.names(first) == ["Ann"] }
            try second.enter(Person(name: "Ben"))
            try await world.run(until: "Ben is back", within: .seconds(1)) {
                Self.names(first) == ["Ann", "Ben"]
            }
            await ben.disconnect()
            try await world.clock.sleep(for: .seconds(40))
            #expect(Self.names(first) == ["Ann", "Ben"])
            try await world.run(until: "Ben has expired", within: .seconds(36)) {
                Self.names(first) == ["Ann"]
            }
        }
    }

    @Test("A service tells its asker what it wants it to know, and of anything else an id alone")
    func service() async throws {
        struct Secret: Error {
            let text = "the password is 1234"
        }
        let world = TestWorld()
        let (server, asker) = (try world.client(), try world.client())
        try await world.run {
            try await server.connect()
            try await asker.connect()
            try await server.respond(on: "greet", as: Person.self) { person in
                if person.name.isEmpty { throw RemoteError(code: "no-name", message: "Who are you?") }
                if person.name == "Eve" { throw Secret() }
                return ["text": "Hello, \(person.name)"]
            }
            let answer = try await asker.request(
                encoding: Person(name: "Ann"), on: "greet", as: [String: String].self)
            #expect(answer == ["text": "Hello, Ann"])
            for (name, code) in [("", "no-name"), ("Eve", nil)] {
                do throws(SenteError) {
                    _ = try await asker.request(encoding: Person(name: name), on: "greet", as: Value.self)
                    Issue.record("It was answered.")
                } catch {
                    #expect(error.code == .remoteError)
                    if let code { #expect(error.remoteError?.code == code) }
                    #expect(!"\(error) \(error.details ?? .null)".contains("1234"))
                }
            }
            #expect(server.metrics.failedResponders == 1)
        }
    }

    @Test("A service that has as much to do as it may says so")
    func busy() async throws {
        let world = TestWorld()
        let (service, asker) = (try world.client(), try world.client())
        try await world.run {
            try await service.connect()
            try await asker.connect()
            let registration = try await service.respond(on: "slow", concurrency: 1) { data in
                try await world.clock.sleep(for: .seconds(2))
                return data
            }
            async let first = asker.request(["n": 1], on: "slow")
            try await world.clock.sleep(for: .seconds(1))
            do throws(SenteError) {
                _ = try await asker.request(["n": 2], on: "slow")
                Issue.record("It was answered.")
            } catch {
                #expect(error.code == .busy)
            }
            await registration.drain()
            #expect(try await first == ["n": 1])
            #expect(world.server.subscriberCount(of: "slow") == 0)
        }
    }

    @Test("A service runs until its task is cancelled: what it works on is answered, and then it is closed")
    func runs() async throws {
        let world = TestWorld()
        let (service, asker) = (try world.client(), try world.client())
        try await world.run {
            let running = Task { try await service.run() }
            try await asker.connect()
            try await world.run(until: "it runs") { service.state == .open }
            try await service.respond(on: "slow") { data in
                try? await world.clock.sleep(for: .seconds(2))
                return data
            }
            async let answer = asker.request(["n": 1], on: "slow")
            try await world.clock.sleep(for: .seconds(1))
            running.cancel()
            try await running.value
            #expect(service.state == .closed)
            #expect(try await answer == ["n": 1])
            await asker.disconnect()
        }
    }

    @Test("What comes is decoded, and what does not fit comes as an error in its place")
    func types() async throws {
        let world = TestWorld()
        let client = try world.client()
        try await world.run {
            try await client.connect()
            let people = try await client.subscribe("people", as: Person.self)
            world.server.deliver(["name": "Ann"], to: "people")
            world.server.deliver(["nom": "Ben"], to: "people")
            var iterator = people.makeAsyncIterator()
            #expect(try await iterator.next()?.get().name == "Ann")
            let second = try #require(await iterator.next())
            #expect(throws: SenteError.self) { try second.get() }
            #expect(second.message.data == ["nom": "Ben"])
            await world.settle()
            #expect(client.metrics.errors[.decodingFailed] == 1)
        }
    }
}
