// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteServer
import Testing

@Suite struct StreamWorldTests {
    #if DEBUG
    static let seeds: UInt64 = 90
    #else
    static let seeds: UInt64 = 3_000
    #endif

    /// Runs the worlds of many seeds; nil when one of them broke a rule, which is recorded with its seed.
    private func run(_ noise: StreamWorld.Noise, of seeds: UInt64 = seeds) async -> StreamWorld.Tally? {
        var tally = StreamWorld.Tally()
        for seed in 0..<seeds {
            // A world takes its thread for long, and others have time limits.
            await Task.yield()
            var world = StreamWorld(seed: seed, noise: noise)
            let isOver = world.run()
            tally.add(world.tally)
            guard isOver else {
                let why = world.broken ?? "it does not end"
                Issue.record("seed \(seed): \(why) after \(world.tally.steps) steps\n\(world.report)")
                return nil
            }
        }
        return tally
    }

    @Test(
        "whatever the network does, bytes come out as they went in, within the credits, and nothing is left")
    func network() async throws {
        let tally = try #require(await run(.none))
        // What never happened was not tried.
        #expect(tally.completed > 0)
        #expect(tally.cancelled > 0)
        #expect(tally.cuts > 0)
        #expect(tally.rewinds > 0)
        #expect(tally.seeks > 0)
        #expect(tally.resentChunks > 0)
        #expect(tally.stalls > 0)
        #expect(tally.restarts > 0)
        #expect(tally.controls > 0)
        #expect(tally.progress > 0)
        #expect(tally.failed == [:])
    }

    @Test("words and chunks about other streams, of any kind, disturb none of those that are there")
    func strangers() async throws {
        let tally = try #require(await run(.strangers, of: Self.seeds / 3))
        #expect(tally.noise > 0)
        #expect(tally.completed > 0)
    }

    @Test("whatever is said about a stream, it comes to an end, and both ends keep no more than they may")
    func assault() async throws {
        let tally = try #require(await run(.assault, of: Self.seeds / 3))
        #expect(tally.noise > 0)
    }
}
