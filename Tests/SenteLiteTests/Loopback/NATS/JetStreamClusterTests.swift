// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    /// Three nodes that keep each message thrice.
    @Suite("A client and the streams of a cluster", .needs(.natsServer))
    struct JetStreamClusterTests {
        /// Which node is killed.
        enum Victim: CaseIterable {
            case streamLeader
            /// The one that the follower is connected to.
            case followersNode
            /// The one that hands the follower its messages: only silence tells of its end.
            case consumersNode
        }

        @Test(
            "a node is killed while one publishes and one follows: none is lost, none doubled, no gap is silent",
            arguments: Victim.allCases)
        func killed(victim: Victim) async throws {
            try await Intermediary.withJetStreamCluster { nodes in
                let publisher = try await nodes[0].connected { $0.endpoints = Self.urls(nodes) }
                let reader = try await nodes[1].connected { $0.endpoints = Self.urls(nodes) }
                try await publisher.makeStream("EV", ["ev"], ["num_replicas": 3])
                let handle = try await reader.subscribe("ev", from: .sequence(1))
                let count = Locked(0)
                let isEnough = Locked(false)
                let publishing = Task {
                    while !isEnough.withLock({ $0 }) {
                        let number = count.withLock { $0 }
                        let receipt = try await publisher.publish(
                            Value(number), to: "ev", stored: .once, timeout: .seconds(60))
                        #expect(receipt.acknowledgement == .stored)
                        count.withLock { $0 += 1 }
                    }
                }
                var messages = try await handle.take(100)
                let name =
                    switch victim {
                    case .streamLeader: try await reader.leader(of: "EV")
                    case .followersNode:
                        reader.status.identity?.handshakeData?["server_name"]?.stringValue
                    case .consumersNode: try await reader.consumersNode(of: "EV")
                    }
                let node = try #require(["n0": nodes[0], "n1": nodes[1], "n2": nodes[2]][name ?? ""])
                try await node.stop()
                let before = count.withLock { $0 }
                try await eventually("publishing goes on") { count.withLock { $0 } > before + 100 }
                isEnough.withLock { $0 = true }
                try await publishing.value
                let total = count.withLock { $0 }
                messages += try await handle.take(total - messages.count)
                #expect(messages.map(\.data) == (0..<total).map { Value($0) })
                #expect(messages.compactMap(\.position) == (1...UInt64(total)).map(\.self))
                #expect(messages.allSatisfy { $0.gap == nil && $0.missed == 0 })
                await publisher.disconnect()
                await reader.disconnect()
            }
        }

        private static func urls(_ nodes: [Intermediary]) -> [String] {
            nodes.map { "ws://127.0.0.1:\($0.port)/" }
        }
    }
}
