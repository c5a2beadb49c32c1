// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// What it costs when the node is killed that a subscriber is connected to: the time until it is subscribed at another, what a
/// plain subscription misses, and what one that follows a stream does.
///
/// One node is never killed: the publishers are there.
struct FailoverMeasure {
    private static let plain = "ticks"
    private static let kept = "numbers"
    /// How many plain messages are published around a kill, one a millisecond.
    private static let run = 450
    /// After how many of them the node is killed.
    private static let killAt = 150

    let kills: Int
    let output: ClusterOutput

    /// What one kill cost.
    private struct Cost {
        var back: Duration
        var lost: Int
        var doubled: Int
    }

    /// Whether what was stored came whole, and nothing came twice.
    func measure(_ cluster: Cluster) async throws -> Bool {
        let (safe, first, second) = (cluster.nodes[0], cluster.nodes[1], cluster.nodes[2])
        let publisher = try cluster.client(of: [safe])
        let reader = try cluster.client(of: [first, second]) { $0.nats.learnsEndpoints = false }
        try await publisher.connect()
        try await reader.connect()
        try await cluster.makeStream(of: Self.kept, by: publisher)

        let numbers = Numbers()
        let publishing = Task { try await publish(by: publisher, numbers) }
        let handle = try await reader.subscribe(Self.kept, from: .sequence(1))
        let following = Task { for await message in handle { await numbers.came(message) } }
        let arrivals = Arrivals()
        let ticks = try await reader.subscribe(Self.plain)
        let counting = Task { for await message in ticks { await arrivals.came(message.data.integerValue) } }
        let watching = Task { for await state in ticks.states { await arrivals.became(state) } }

        var costs: [Cost] = []
        for kill in 0..<kills {
            try await cluster.heal(Self.kept, by: publisher)
            // A connection that was open for less counts as flapping, and another server is not gone to at once again.
            try await Task.sleep(for: ReconnectPolicy.default.stableTime + .milliseconds(200))
            let victim = kill.isMultiple(of: 2) ? first : second
            let cost = try await self.kill(victim, publisher, arrivals)
            costs.append(cost)
            say(kill + 1, victim, cost)
            try victim.start()
        }
        await numbers.stop()
        let published = try await publishing.value
        await numbers.reach(published)
        handle.cancel()
        ticks.cancel()
        await following.value
        await counting.value
        watching.cancel()
        await publisher.disconnect()
        await reader.disconnect()
        return await conclude(costs, numbers, published)
    }

    private func kill(_ victim: Node, _ publisher: SenteClient, _ arrivals: Arrivals) async throws -> Cost {
        await arrivals.begin(Self.run)
        let clock = ContinuousClock()
        let start = clock.now
        var killedAt = start
        for number in 0..<Self.run {
            if number == Self.killAt {
                killedAt = clock.now
                victim.kill()
            }
            try publisher.enqueue(publish: .integer(Int64(number)), to: Self.plain)
            // Those that are late go at once.
            let next = start.advanced(by: .milliseconds(number + 1))
            if clock.now < next { try await Task.sleep(until: next, tolerance: .zero, clock: clock) }
        }
        for _ in 0..<1_000 {
            if await arrivals.hasLast { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        guard let backAt = await arrivals.backAt else {
            throw SenteError(
                code: .timedOut, message: "The client was not back within 10 s of \(victim.name)'s end.")
        }
        return Cost(
            back: killedAt.duration(to: backAt), lost: await arrivals.lost, doubled: await arrivals.doubled)
    }

    /// One message at a time, so that their order is theirs; a pause between, so that the machine has time for the rest.
    private func publish(by client: SenteClient, _ numbers: Numbers) async throws -> Int {
        var count = 0
        while await !numbers.isOver {
            try await client.publish(
                .integer(Int64(count)), to: Self.kept, stored: .once, timeout: .seconds(60))
            count += 1
            try await Task.sleep(for: .milliseconds(5))
        }
        return count
    }

    private func say(_ kill: Int, _ victim: Node, _ cost: Cost) {
        output.say(
            "kill \(kill), \(victim.name): subscribed elsewhere after \(cost.back.inMilliseconds) ms; of \(Self.run) messages \(cost.lost) lost, \(cost.doubled) doubled",
            [
                "event": "failover", "kill": .integer(Int64(kill)), "node": .string(victim.name),
                "back-ms": .double(cost.back.inMilliseconds), "lost": .integer(Int64(cost.lost)),
                "doubled": .integer(Int64(cost.doubled)),
            ])
    }

    private func conclude(_ costs: [Cost], _ numbers: Numbers, _ published: Int) async -> Bool {
        let faults = await numbers.faults
        for fault in faults.prefix(10) { output.say(fault, ["event": "fault", "text": .string(fault)]) }
        let backs = costs.map(\.back.inMilliseconds).sorted()
        let (median, worst) = (backs.isEmpty ? 0 : backs[backs.count / 2], backs.last ?? 0)
        let lost = costs.map(\.lost).max() ?? 0
        let doubled = costs.map(\.doubled).reduce(0, +)
        let followed = await numbers.followed
        let holds = faults.isEmpty && followed == published && doubled == 0
        output.conclude(
            holds,
            "\(costs.count) kills: back after \(median) ms, at most \(worst); at most \(lost) of \(Self.run) lost, \(doubled) doubled; \(published) stored, \(faults.count) of them not once and in order",
            [
                "event": "failovers", "kills": .integer(Int64(costs.count)), "median-ms": .double(median),
                "worst-ms": .double(worst), "most-lost": .integer(Int64(lost)),
                "doubled": .integer(Int64(doubled)), "stored": .integer(Int64(published)),
                "stored-faults": .integer(Int64(faults.count)),
            ])
        return holds
    }
}
