// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// Many clients of one process on three nodes, and how long those of a killed one are away.
struct CrowdMeasure {
    private static let channel = "crowd"
    /// How many connect at once: more than a node's queue of new connections holds would wait for the kernel to ask again.
    private static let share = 100

    let count: Int
    let output: ClusterOutput

    private struct Member {
        var client: SenteClient
        var handle: Subscription

        /// The name of the node it is connected to.
        var node: Value? { client.status.identity?.handshakeData?["server_name"] }
    }

    /// Whether all came back.
    func measure(_ cluster: Cluster) async throws -> Bool {
        let members = try await members(of: cluster)
        // Each knows the other nodes by what its own told it.
        let victim = 1
        let fallen = members.indices.filter { $0 % cluster.nodes.count == victim }
        let clock = ContinuousClock()
        let times = await withTaskGroup(of: ContinuousClock.Instant?.self) { group in
            for index in fallen { group.addTask { await Self.whenBack(members[index].handle) } }
            let killedAt = clock.now
            cluster.nodes[victim].kill()
            return await group.reduce(into: [Duration]()) { times, time in
                if let time { times.append(killedAt.duration(to: time)) }
            }.sorted()
        }
        let nodes = Set(fallen.compactMap { members[$0].node })
        let isWhole = times.count == fallen.count && members.allSatisfy { $0.handle.isConfirmed }
        let worst = times.last?.inMilliseconds ?? 0
        output.conclude(
            isWhole,
            "\(count) clients, \(fallen.count) of them on the killed node: all back on \(nodes.count) others after \(worst) ms, half of them after \(times.isEmpty ? 0 : times[times.count / 2].inMilliseconds) ms",
            [
                "event": "crowd", "clients": .integer(Int64(count)), "fallen": .integer(Int64(fallen.count)),
                "back": .integer(Int64(times.count)), "worst-ms": .double(worst),
            ])
        await withTaskGroup(of: Void.self) { group in
            for member in members { group.addTask { await member.client.disconnect() } }
        }
        try cluster.nodes[victim].start()
        return isWhole
    }

    private func members(of cluster: Cluster) async throws -> [Member] {
        var members: [Member] = []
        while members.count < count {
            let places = members.count..<min(members.count + Self.share, count)
            members += try await withThrowingTaskGroup(of: (Int, Member).self) { group in
                for place in places {
                    let client = try cluster.client(of: [cluster.nodes[place % cluster.nodes.count]])
                    group.addTask {
                        try await client.connect()
                        let handle = try await client.subscribe(Self.channel)
                        return (place, Member(client: client, handle: handle))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }.sorted { $0.0 < $1.0 }.map(\.1)
        }
        return members
    }

    /// When the channel was confirmed anew; nil when that took more than a minute.
    private static func whenBack(_ handle: Subscription) async -> ContinuousClock.Instant? {
        await withTaskGroup(of: ContinuousClock.Instant?.self) { group in
            group.addTask {
                var isLost = false
                for await state in handle.states {
                    if state == .subscribing { isLost = true }
                    if isLost, state == .subscribed { return .now }
                }
                return nil
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(60))
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}
