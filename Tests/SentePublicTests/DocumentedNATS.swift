// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// The examples of *Beyond one machine*, to be compiled; none is ever called.
enum DocumentedNATS {
    static func connecting(password: String) async throws {
        var configuration = SenteClient.Configuration()
        configuration.dialect = .nats
        configuration.nats.credentials = .user("ann", password: password)
        configuration.endpoints = ["wss://n2.example.org/", "wss://n3.example.org/"]
        let client = try SenteClient("wss://n1.example.org/", configuration: configuration)
        try await client.connect()
    }

    static func headers(_ client: SenteClient) async throws {
        try await client.publish(
            ["n": 1], to: "orders.7.paid", options: SendOptions(headers: ["shop": "north"]))
    }

    static func wildcards(_ client: SenteClient) async throws {
        for await message in try await client.subscribe("orders.*.paid") {
            print(message.subject, message.data, message.headers["traceparent"] ?? "")
        }
    }
}
