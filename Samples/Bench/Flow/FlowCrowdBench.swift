// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteLite
import SenteServer

/// Every link of a server cut at once, while each client awaits the answers to ten calls.
enum FlowCrowdBench {
    private static let calls = 10
    private static let channel = "crowd"

    static func run(_ effort: FlowBench.Effort) async throws {
        let count = effort.isSmoke ? 20 : 1_000
        let total = count * calls
        let peers = try await FlowPeers.start {
            $0.maximumConnections = count * 3
            // Whoever watches is cut off too, and must miss nothing.
            $0.flow.resumption?.messages = total * 2
            $0.flow.resumption?.bytes = 64 << 20
            $0.flow.resumption?.sessions = count * 2
            $0.tables.delayedMessages = total * 4
            $0.channelDefaults.maximumSubscribers = count * 2
        }
        let policy = FlowPolicy.only(resumption: ResumptionPolicy())
        let watcher = try await peers.client(policy)
        let subscription = try await watcher.subscribe(channel)
        output.glimpse("opening \(count) clients")
        let clients = try await open(count, peers, policy)
        // Late enough that none is answered before all have left.
        var slow = Faults()
        slow.delay = effort.isSmoke ? .milliseconds(300) : .seconds(1)
        await peers.server.setFaults(slow)
        output.glimpse("\(total) calls")
        let tally = try await cut(clients, peers.server, answeringAfter: slow.delay)
        let came = await heard(subscription, total)
        output.show(FlowBar("calls in flight when every link was cut", Double(tally.inFlight), "calls"))
        output.show(
            FlowBar(
                "\(count) clients × \(calls) calls: acknowledged",
                100 * Double(tally.acknowledged) / Double(total),
                "%", .atLeast(100)))
        output.show(FlowBar("… carried out twice", Double(came.doubles), "calls", .atMost(0)))
        output.show(FlowBar("… from the cut to the last answer", tally.seconds, "s", .atMost(5)))
        output.show(
            FlowBar(
                "… without the \(slow.delay) that the server waits", tally.seconds - slow.delay / .seconds(1),
                "s"))
        await withTaskGroup(of: Void.self) { group in
            for client in clients + [watcher] { group.addTask { await client.disconnect() } }
        }
        await peers.server.stop()
    }

    private static func open(_ count: Int, _ peers: FlowPeers, _ flow: FlowPolicy) async throws
        -> [SenteClient]
    {
        var clients: [SenteClient] = []
        for _ in 0..<count {
            clients.append(
                try await peers.client(flow) {
                    $0.timeouts.request = .seconds(60)
                })
        }
        return clients
    }

    private struct Tally {
        var inFlight = 0
        var acknowledged = 0
        var seconds = 0.0
    }

    private static func cut(
        _ clients: [SenteClient], _ server: ReferenceServer, answeringAfter delay: Duration
    ) async throws -> Tally {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for (number, client) in clients.enumerated() {
                for call in 0..<calls {
                    group.addTask {
                        let data: Value = ["client": Value(number), "call": Value(call)]
                        let receipt = try? await client.publish(data, to: channel)
                        return receipt?.outcome == .acknowledged
                    }
                }
            }
            var tally = Tally()
            let limit = ContinuousClock.now.advanced(by: delay * 0.8)
            while tally.inFlight < clients.count * calls, .now < limit {
                try await Task.sleep(for: .milliseconds(5))
                tally.inFlight = clients.reduce(0) {
                    let metrics = $1.metrics
                    return $0 + (metrics.outbox.messages == 0 ? metrics.pendingRequests : 0)
                }
            }
            let start = Measure.nanoseconds()
            // What it has to say already stays late; what it says on the next links does not.
            await server.setFaults(Faults())
            await server.drop()
            for try await isAcknowledged in group where isAcknowledged { tally.acknowledged += 1 }
            tally.seconds = Double(Measure.nanoseconds() - start) / 1e9
            return tally
        }
    }

    /// What a subscriber heard of the calls.
    private static func heard(_ subscription: Subscription, _ total: Int) async -> (all: Int, doubles: Int) {
        let watch = Task {
            var seen: Set<Value> = []
            var all = 0
            for await message in subscription {
                all += 1
                seen.insert(message.data)
                if seen.count == total { break }
            }
            return (all, seen)
        }
        let limit = Task {
            try await Task.sleep(for: .seconds(10))
            watch.cancel()
        }
        let (all, seen) = await watch.value
        limit.cancel()
        return (all, all - seen.count)
    }
}
