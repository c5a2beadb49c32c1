// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    /// The rules over real sockets: what the random worlds try with pipes, a few times with TCP.
    @Suite("A client behind a proxy that breaks connections")
    struct FaultProxyTests {
        private static let messages = 40

        @Test("keeps its word about every message, whatever the network does", arguments: 0..<6)
        func seededRuns(batch: Int) async throws {
            try await withThrowingTaskGroup(of: [LineFaults.Ending: Int].self) { group in
                for seed in batch * 4..<batch * 4 + 4 {
                    group.addTask { try await Self.run(seed: UInt64(seed)) }
                }
                var ends: [LineFaults.Ending: Int] = [:]
                for try await some in group { ends.merge(some, uniquingKeysWith: +) }
                // Faults that never came to pass prove nothing.
                #expect(ends.values.reduce(0, +) > 0, "batch \(batch)")
            }
        }

        /// What the n-th connection of a seed suffers.
        private static func faults(_ seed: UInt64, _ connection: Int) -> LineFaults {
            var random = Generator(seed: seed &* 1_000 &+ UInt64(connection))
            var faults = LineFaults()
            if Bool.random(using: &random) {
                faults.latency = .milliseconds(Int.random(in: 0...15, using: &random))
            }
            switch Int.random(in: 0..<4, using: &random) {
            case 0: faults.piece = 1
            case 1: faults.piece = Int.random(in: 2...40, using: &random)
            default: break
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                faults.stall = (Int.random(in: 0...3_000, using: &random), .milliseconds(100))
            }
            if Int.random(in: 0..<4, using: &random) > 0,
                let ending = LineFaults.Ending.allCases.randomElement(using: &random)
            {
                faults.end = (Int.random(in: 0...4_000, using: &random), ending)
            }
            return faults
        }

        private static func run(seed: UInt64) async throws -> [LineFaults.Ending: Int] {
            let isCalm = Locked(false)
            var ends: [LineFaults.Ending: Int] = [:]
            try await withServer { server, port in
                let proxy = try FaultProxy(to: port) { connection in
                    isCalm.withLock { $0 } ? LineFaults() : faults(seed, connection)
                }
                defer { proxy.stop() }
                let witness = try client(port)
                try await witness.connect()
                let heard = Collector<Int64>()
                witness.onMessage(in: "c") { message in
                    if let number = message.data["n"]?.integerValue { heard.append(number) }
                }
                _ = try await witness.subscribe("c")

                let client = try client(proxy.port) {
                    $0.heartbeat = Heartbeat(interval: .milliseconds(300), limit: .milliseconds(300))
                    $0.timeouts = TimeLimits(connect: .seconds(2), request: .seconds(2), close: .seconds(1))
                }
                let changes = client.collectStatuses()
                client.reconnect()
                let subscription = try await client.subscribe("c")
                let outcomes = await publish(on: client)

                isCalm.withLock { $0 = true }
                client.reconnect()
                try await client.reaches(.open)
                let last = Int64(messages)
                try await client.publish(["n": .integer(last)], to: "c")
                try await heard.wait("the last message") { $0.contains(last) }
                try await bounded("the client hears its own last message") {
                    for await message in subscription where message.data["n"] == .integer(last) { return }
                }

                check(outcomes, heard.elements, seed)
                let name = try #require(client.status.identity?.connectionID)
                #expect(try await client.confirmedSubscriptions() == ["c"], "seed \(seed), \(name)")
                #expect(client.metrics.pendingRequests == 0)
                #expect(client.metrics.outbox.messages == 0)

                let attempts = proxy.connections
                await client.disconnect()
                _ = try await witness.ping()
                #expect(client.state == .closed)
                #expect(proxy.connections == attempts, "seed \(seed): it came back after disconnect()")
                check(transitions: changes.elements.map(\.state), seed)
                await witness.disconnect()
                ends = proxy.ends
            }
            return ends
        }

        /// Publishes one after the other from several tasks; what the client said of each.
        private static func publish(on client: SenteClient) async -> [Int64: Outcome] {
            await withTaskGroup(of: [Int64: Outcome].self) { group in
                for lane in 0..<4 {
                    group.addTask {
                        var outcomes: [Int64: Outcome] = [:]
                        for number in stride(from: lane, to: messages, by: 4) {
                            let number = Int64(number)
                            do throws(SenteError) {
                                outcomes[number] = try await client.publish(["n": .integer(number)], to: "c")
                                    .outcome
                            } catch {
                                // Without an outcome a failed call said nothing, which the check below finds.
                                outcomes[number] = error.outcome
                            }
                        }
                        return outcomes
                    }
                }
                var all: [Int64: Outcome] = [:]
                for await some in group { all.merge(some) { first, _ in first } }
                return all
            }
        }

        private static func check(_ outcomes: [Int64: Outcome], _ heard: [Int64], _ seed: UInt64) {
            #expect(outcomes.count == messages, "seed \(seed): a call did not say what became of its message")
            let times = Dictionary(heard.map { ($0, 1) }, uniquingKeysWith: +)
            for (number, outcome) in outcomes {
                let count = times[number, default: 0]
                switch outcome {
                case .acknowledged: #expect(count == 1, "seed \(seed): \(number) is acknowledged")
                case .notSent: #expect(count == 0, "seed \(seed): \(number) is not sent")
                case .unknown, .written: #expect(count <= 1, "seed \(seed): \(number) is \(outcome)")
                }
            }
        }

        private static func check(transitions: [ConnectionState], _ seed: UInt64) {
            let allowed: [ConnectionState: Set<ConnectionState>] = [
                .closed: [.connecting], .connecting: [.open, .reconnecting, .failed, .closing, .closed],
                .open: [.closing, .reconnecting, .closed], .closing: [.closed],
                .reconnecting: [.connecting, .closed, .failed], .failed: [.connecting, .closed],
            ]
            for (old, new) in zip([.closed] + transitions, transitions) where old != new {
                #expect(allowed[old]?.contains(new) == true, "seed \(seed): \(old) → \(new)")
            }
        }
    }
}
