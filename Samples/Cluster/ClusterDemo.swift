// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// A publisher, a follower, and nodes that are killed under them.
struct ClusterDemo {
    private static let channel = "numbers"
    /// How many numbers come between one kill and the next.
    private static let distance = 200
    let kills: Int
    let output: ClusterOutput

    /// Whether nothing was lost, doubled, or missing without a word.
    func run() async throws -> Bool {
        try await Cluster.run { try await run($0) }
    }

    private func run(_ cluster: Cluster) async throws -> Bool {
        let nodes = cluster.nodes
        let publisher = try cluster.client(of: nodes)
        let reader = try cluster.client(of: nodes.reversed())
        try await publisher.connect()
        try await reader.connect()
        try await cluster.makeStream(of: Self.channel, by: publisher)
        output.say("three nodes keep “\(Self.channel)”", ["event": "ready"])

        let numbers = Numbers()
        let publishing = Task { try await publish(by: publisher, numbers) }
        let handle = try await reader.subscribe(Self.channel, from: .sequence(1))
        let following = Task { await follow(handle, numbers) }
        for kill in 0..<kills {
            let node = nodes[kill % nodes.count]
            await numbers.reach(numbers.followed + Self.distance)
            node.kill()
            output.say(
                "\(node.name) killed after number \(await numbers.followed)",
                ["event": "killed", "node": .string(node.name)])
            await numbers.reach(numbers.followed + Self.distance / 2)
            try node.start()
            output.say("\(node.name) started again", ["event": "started", "node": .string(node.name)])
        }
        await numbers.reach(numbers.followed + Self.distance)
        await numbers.stop()
        let published = try await publishing.value
        await numbers.reach(published)
        handle.cancel()
        await following.value
        await publisher.disconnect()
        await reader.disconnect()
        return await conclude(numbers, published)
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
            if let gap = message.gap { output.say("a gap was told: \(gap)", ["event": "gap"]) }
        }
    }

    private func conclude(_ numbers: Numbers, _ published: Int) async -> Bool {
        let followed = await numbers.followed
        let faults = await numbers.faults
        let isWhole = faults.isEmpty && followed == published
        for fault in faults.prefix(10) { output.say(fault, ["event": "fault", "text": .string(fault)]) }
        output.conclude(
            isWhole,
            isWhole
                ? "\(published) numbers published, each came once and in order"
                : "\(published) numbers published, \(followed) came",
            [
                "event": "end", "published": .integer(Int64(published)),
                "followed": .integer(Int64(followed)),
                "faults": .integer(Int64(faults.count)),
            ])
        return isWhole
    }
}
