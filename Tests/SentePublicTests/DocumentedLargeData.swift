// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// The examples of *References to storage*, to be compiled; none is ever called.
enum DocumentedLargeData {
    static func setUp() throws {
        var configuration = SenteClient.Configuration()
        configuration.largeData = LargeDataPolicy(
            storage: try FileStorage(directory: "/srv/shared/large"), delivery: .automatic)
        _ = try SenteClient("ws://127.0.0.1:3000/", configuration: configuration)
    }

    static func show(_ data: Value) {}

    static func fetch(_ client: SenteClient) async throws {
        for await message in try await client.subscribe("exports") {
            var data = message.data
            if let reference = LargeDataReference(data) { data = try await client.fetch(reference) }
            show(data)
        }
    }

    struct Backend: Sendable {
        struct Ticket: Sendable {
            var key: String
            var url: String
        }

        func uploadTicket(size: Int, sha256: String) async throws -> Ticket { Ticket(key: sha256, url: "") }
        func downloadURL(key: String) async throws -> String { key }
    }

    static func overHTTP(_ backend: Backend) {
        let storage = HTTPStorage { upload in
            let ticket = try await backend.uploadTicket(size: upload.size, sha256: upload.sha256)
            return .init(reference: ticket.key, url: ticket.url)
        } get: { reference in
            .init(url: try await backend.downloadURL(key: reference.reference))
        }
        _ = storage
    }
}
