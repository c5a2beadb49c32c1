// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteLite
import SenteServer

/// How long a cut connection takes to be open again, with a session that goes on and without.
enum FlowResumptionBench {
    /// Each way, so that a round trip is twice as long.
    private static let delay = Duration.milliseconds(15)

    static func run(_ effort: FlowBench.Effort) async throws {
        let peers = try await FlowPeers.start()
        let proxy = try DelayingProxy(to: peers.port, by: delay)
        let on = try await client(peers, proxy, .only(resumption: ResumptionPolicy()))
        let off = try await client(peers, proxy, .off)
        var times: [Bool: [Double]] = [:]
        for _ in 0..<effort.count(500) / 10 {
            for (isOn, client) in [(true, on), (false, off)] {
                times[isOn, default: []].append(try await reopen(client, peers.server))
            }
        }
        guard case .resumed = on.status.recovery else {
            throw BenchFailure(message: "The session did not go on: \(on.status.recovery).")
        }
        let trip = try await on.ping() / .milliseconds(1)
        for client in [on, off] { await client.disconnect() }
        proxy.stop()
        await peers.server.stop()
        let (with, without) = (FlowBench.median(times[true] ?? []), FlowBench.median(times[false] ?? []))
        output.show(FlowBar("from cut to open, plain", without / trip, "round trips"))
        output.show(FlowBar("from cut to open, the session goes on", with / trip, "round trips"))
        // What is measured beside the network takes a part of a round trip too.
        output.show(
            FlowBar(
                "… more than plain", ((with - without) / trip * 10).rounded() / 10, "round trips", .atMost(1)
            ))
    }

    private static func client(
        _ peers: FlowPeers, _ proxy: DelayingProxy, _ flow: FlowPolicy
    ) async throws -> SenteClient {
        try await peers.client(flow, port: proxy.port) {
            $0.reconnect = .exponential(
                initial: .milliseconds(1), multiplier: 1, jitter: 0, maximum: .milliseconds(1), attempts: nil)
        }
    }

    /// Milliseconds from the loss of the connection to the next greeting.
    private static func reopen(_ client: SenteClient, _ server: ReferenceServer) async throws -> Double {
        guard let name = client.status.identity?.connectionID else {
            throw BenchFailure(message: "The client is not open.")
        }
        let (instants, seen) = AsyncStream.makeStream(of: (ConnectionState, UInt64).self)
        let registration = client.onStateChange { old, new in
            if old.state != new.state { seen.yield((new.state, Measure.nanoseconds())) }
        }
        defer { registration.cancel() }
        for connection in await server.stats.connections where connection.name == name {
            await server.drop(connection.id)
        }
        var lost: UInt64 = 0
        for await (state, time) in instants {
            if lost == 0 { lost = time }
            if state == .open { return Double(time - lost) / 1e6 }
        }
        throw BenchFailure(message: "The client did not come back.")
    }
}
