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

    static func nothingMissed(_ client: SenteClient, _ saved: inout ChannelCursor?) async throws {
        let receipt = try await client.publish(["total": 9], to: "orders.new", stored: .once)
        print(receipt.messageID ?? "", receipt.isDuplicate)  // ORDERS:17 false

        let start = saved.map { ChannelStart.cursor($0) } ?? .sequence(1)
        for await message in try await client.subscribe("orders.>", from: start) {
            if let gap = message.gap {
                print("the stream has let go of \(String(describing: gap.sequences))")
            }
            print(message.subject, message.data, message.position ?? 0)
            saved = message.cursor
        }
    }
}
