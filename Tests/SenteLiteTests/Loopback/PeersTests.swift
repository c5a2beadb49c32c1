// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    /// What clients do with one another over a real server.
    @Suite("Peers")
    struct PeersTests {
        struct Booking: Codable, Sendable { var seats: Int }
        struct Ticket: Codable, Sendable, Equatable { var number: Int }
        struct Person: Codable, Sendable, Equatable { var name: String }

        @Test("what a handler throws reaches the requester as it was, and a drained service is gone")
        func responds() async throws {
            try await withServer { _, port in
                let service = try client(port)
                let requester = try client(port)
                try await service.connect()
                try await requester.connect()
                let registration = try await service.respond(on: "seats", as: Booking.self, concurrency: 4) {
                    guard $0.seats < 5 else {
                        throw RemoteError(code: "sold-out", message: "No seat is left.", details: ["left": 4])
                    }
                    return Ticket(number: $0.seats)
                }
                let ticket = try await requester.request(
                    encoding: Booking(seats: 2), on: "seats", as: Ticket.self)
                #expect(ticket == Ticket(number: 2))
                let failure = await error { () throws(SenteError) in
                    _ = try await requester.request(encoding: Booking(seats: 9), on: "seats", as: Ticket.self)
                }
                #expect(failure?.code == .remoteError)
                #expect(
                    failure?.remoteError
                        == RemoteError(code: "sold-out", message: "No seat is left.", details: ["left": 4]))
                await registration.drain()
                let nobody = await error { () throws(SenteError) in
                    _ = try await requester.request(["seats": 1], on: "seats")
                }
                #expect(nobody?.code == .noSubscribers || nobody?.code == .rejected)
                await service.disconnect(draining: .seconds(5))
                await requester.disconnect()
            }
        }

        @Test("clients see one another come, change and go")
        func arePresent() async throws {
            try await withServer { _, port in
                let clients = [try client(port), try client(port), try client(port)]
                var presences: [Presence<Person>] = []
                for (index, client) in clients.enumerated() {
                    try await client.connect()
                    let presence = try await client.presence(in: "room", as: Person.self)
                    try presence.enter(Person(name: "p\(index)"))
                    presences.append(presence)
                }
                func all(see names: Set<String>) async throws {
                    for presence in presences {
                        try await bounded("all see \(names)") {
                            for await change in presence.changes
                            where Set(change.members.compactMap { try? $0.get().name }) == names { return }
                        }
                    }
                }
                try await all(see: ["p0", "p1", "p2"])
                try presences[1].update(Person(name: "q1"))
                try await all(see: ["p0", "q1", "p2"])
                await clients[0].replacesLink()
                await presences[2].leave()
                try await all(see: ["p0", "q1"])
                for client in clients { await client.disconnect() }
            }
        }
    }
}
