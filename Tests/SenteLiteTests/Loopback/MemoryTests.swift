// SPDX-License-Identifier: Apache-2.0

import SampleTestSupport
import SenteBase
import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

extension Loopback {
    @Suite("What is left after many reconnects")
    struct MemoryTests {
        /// Every connection is ended by its first message, which is the restored wish.
        private static let dropping: Faults = {
            var faults = Faults()
            faults.ending = .drop
            faults.endingAfter = 1
            return faults
        }()

        #if os(Linux)
        private static let reconnects = Machine.isSanitized ? 2_000 : 10_000

        /// A client's process, at rest.
        private struct Footprint {
            let reconnects: Int64
            let residentSize: Int
            let ownMemory: Int
            let descriptors: Int
            let registrations: Int

            /// Waits until the client is subscribed on a connection that stays.
            init(of client: SampleProcess) async throws {
                while try await client.ask("publish probe {}")["kind"] != "outcome" {}
                let metrics = try await client.ask("metrics")
                reconnects = metrics["connection"]?["reconnects"]?.integerValue ?? 0
                residentSize = Machine.residentSize(of: client.id)
                ownMemory = Machine.residentSize(of: client.id, "RssAnon")
                descriptors = Machine.descriptors(of: client.id)
                registrations = Machine.registrations(of: client.id)
            }
        }

        @Test(
            "10,000 reconnects leave a process as large as 1,000 did, with as many descriptors and registrations"
        )
        func footprint() async throws {
            try await withServer { server, port in
                let client = try SampleProcess([
                    "ws://127.0.0.1:\(port)/", "--backoff-initial", "0", "--backoff-jitter", "0",
                    "--attempts",
                    "1000000000",
                ])
                try await client.open()
                #expect(try await client.ask("subscribe probe")["confirmed"] == true)
                var footprints: [Footprint] = []
                let began = ContinuousClock.now
                // The first time brings in the code that the others use.
                for goal in [100, 1_000, Self.reconnects] {
                    await server.setFaults(Self.dropping)
                    await server.drop()
                    // Three states a reconnect.
                    try await client.wait(forLines: goal * 3, within: .seconds(240))
                    await server.setFaults(Faults())
                    footprints.append(try await Footprint(of: client))
                }
                for footprint in footprints {
                    print(
                        "Loopback memory: \(footprint.reconnects) reconnects, \(footprint.residentSize) KiB resident, \(footprint.ownMemory) without code,",
                        "\(footprint.descriptors) descriptors, \(footprint.registrations) registrations")
                }
                print("Loopback memory: all of it took \(began.duration(to: .now))")
                let (early, late) = (footprints[1], footprints[2])
                #expect(early.reconnects >= 900)
                #expect(late.reconnects >= Self.reconnects * 9 / 10)
                #expect(early.ownMemory > 0)
                if !Machine.isSanitized { #expect(late.ownMemory <= early.ownMemory + 256) }
                #expect(late.descriptors == early.descriptors)
                #expect(late.registrations == early.registrations)
                #expect(try await client.quit() == 0)
            }
        }
        #endif

        @Test("a loop holds as many descriptors and timers after hundreds of reconnects as after a few")
        func registrations() async throws {
            try await withServer { server, port in
                let loop = try EventLoop()
                defer { loop.shutDown() }
                var configuration = SenteClient.Configuration()
                configuration.reconnect = .exponential(initial: .zero, jitter: 0, attempts: nil)
                configuration.networkPath = .none
                let client = try SenteClient(
                    "ws://127.0.0.1:\(port)/", configuration: configuration, host: loop,
                    transport: SocketTransport())
                try await client.connect()
                _ = try await client.subscribe("probe")
                var counts: [[Int]] = []
                for goal in [50, 500] {
                    let opens = Collector<ConnectionStatus>()
                    let registration = client.onStateChange { _, new in
                        if new.state == .open { opens.append(new) }
                    }
                    await server.setFaults(Self.dropping)
                    await server.drop()
                    try await opens.wait("\(goal) reconnects") { $0.count >= goal }
                    await server.setFaults(Faults())
                    registration.cancel()
                    while await error({ () throws(SenteError) in try await client.publish([:], to: "probe") })
                        != nil
                    {}
                    counts.append(
                        await withCheckedContinuation { continuation in
                            loop.post {
                                continuation.resume(returning: [loop.descriptorCount, loop.timerCount])
                            }
                        })
                }
                #expect(counts[0] == counts[1])
                #expect(counts[1][0] == 1)
                #expect(client.metrics.connection.reconnects >= 550)
                await client.disconnect()
            }
        }
    }
}
