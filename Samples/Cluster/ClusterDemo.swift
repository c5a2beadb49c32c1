// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTerminal
import SenteLite

/// A publisher, a follower, and nodes that are killed under them.
struct ClusterDemo {
    private static let channel = "numbers"
    /// How many numbers come between one kill and the next.
    private static let distance = 200
    private let arguments: ClusterArguments
    private let ink = Ink(of: STDOUT_FILENO)

    init(_ arguments: ClusterArguments) {
        self.arguments = arguments
    }

    /// Whether nothing was lost, doubled, or missing without a word.
    func run() async throws -> Bool {
        let home = FileManager.default.temporaryDirectory
            .appendingPathComponent("sente-cluster-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: home) }
        let nodes = try await Node.cluster(in: home)
        defer { for node in nodes { node.kill() } }
        for node in nodes { try node.start() }
        let publisher = try client(of: nodes)
        let reader = try client(of: nodes.reversed())
        try await publisher.connect()
        try await reader.connect()
        try await makeStream(publisher)
        say("three nodes keep “\(Self.channel)”", ["event": "ready"])

        let numbers = Numbers()
        let publishing = Task { try await publish(by: publisher, numbers) }
        let handle = try await reader.subscribe(Self.channel, from: .sequence(1))
        let following = Task { await follow(handle, numbers) }
        for kill in 0..<arguments.kills {
            let node = nodes[kill % nodes.count]
            await numbers.reach(Self.distance * (kill + 1))
            node.kill()
            say(
                "\(node.name) killed after number \(await numbers.followed)",
                ["event": "killed", "node": .string(node.name)])
            await numbers.reach(Self.distance * (kill + 1) + Self.distance / 2)
            try node.start()
            say("\(node.name) started again", ["event": "started", "node": .string(node.name)])
        }
        await numbers.reach(Self.distance * (arguments.kills + 1))
        await numbers.stop()
        let published = try await publishing.value
        await numbers.reach(published)
        handle.cancel()
        await following.value
        await publisher.disconnect()
        await reader.disconnect()
        return await conclude(numbers, published)
    }

    private func client(of nodes: [Node]) throws -> SenteClient {
        var configuration = SenteClient.Configuration()
        configuration.dialect = .nats
        configuration.endpoints = nodes.dropFirst().map(\.url)
        // Quick, so that it is soon seen; the default spreads clients over seconds.
        configuration.reconnect = .exponential(
            initial: .milliseconds(50), multiplier: 1.5, maximum: .seconds(1), attempts: nil)
        return try SenteClient(nodes[0].url, configuration: configuration)
    }

    /// Operators do this once; a cluster that has just begun elects its leaders first.
    private func makeStream(_ client: SenteClient) async throws {
        let stream: Value = [
            "name": "NUMBERS", "subjects": [.string(Self.channel)], "num_replicas": 3, "storage": "file",
        ]
        for _ in 0..<60 {
            let answer = try? await client.request(
                stream, on: "$JS.API.STREAM.CREATE.NUMBERS", timeout: .seconds(2))
            if answer?["config"] != nil { return }
            try await Task.sleep(for: .milliseconds(500))
        }
        throw SenteError(code: .timedOut, message: "The nodes did not agree on a stream within a minute.")
    }

    private func publish(by client: SenteClient, _ numbers: Numbers) async throws -> Int {
        var count = 0
        while await !numbers.isOver {
            try await client.publish(
                .integer(Int64(count)), to: Self.channel, stored: .once, timeout: .seconds(60))
            count += 1
        }
        return count
    }

    private func follow(_ handle: Subscription, _ numbers: Numbers) async {
        for await message in handle {
            await numbers.came(message)
            if let gap = message.gap { say("a gap was told: \(gap)", ["event": "gap"]) }
        }
    }

    private func conclude(_ numbers: Numbers, _ published: Int) async -> Bool {
        let followed = await numbers.followed
        let faults = await numbers.faults
        let isWhole = faults.isEmpty && followed == published
        for fault in faults.prefix(10) { say(fault, ["event": "fault", "text": .string(fault)]) }
        say(
            isWhole
                ? ink("✓ ", .green) + "\(published) numbers published, each came once and in order"
                : ink("✗ ", .red) + "\(published) numbers published, \(followed) came",
            [
                "event": "end", "published": .integer(Int64(published)),
                "followed": .integer(Int64(followed)),
                "faults": .integer(Int64(faults.count)),
            ])
        return isWhole
    }

    private func say(_ sentence: String, _ value: Value) {
        let json = (try? WireFormat.json.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        // Nobody is left to be told when standard output is gone.
        try? FileHandle.standardOutput.write(
            contentsOf: Data(((arguments.printsJSON ? json : sentence) + "\n").utf8))
    }
}
