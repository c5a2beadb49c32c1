// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// What members of a channel see of one another, whatever the network and their clocks do.
@Suite("Presence in the world")
struct PresenceWorldTests {
    private static let settings = PresenceSettings(maximumMembers: 50)
    /// Latency, and clocks that are one in a hundred off.
    private static let slack: Duration = .seconds(2)

    /// Five minutes in which everything happens.
    private static func rage(_ world: inout PresenceWorld, crashes: Bool) {
        for index in world.members.indices { world.connect(index) }
        var number: Int64 = 0
        for _ in 0..<150 {
            let index = world.pick()
            number += 1
            switch Int.random(in: 0..<100, using: &world.random) {
            case 0..<25: world.enter(index, number)
            case 25..<35: if world.members[index].data != nil { world.enter(index, number) }
            case 35..<50: world.leave(index)
            case 50..<70:
                world.cut(index)
                world.reconnect(index, after: world.seconds(0...100))
            case 70..<75:
                // All at once, as when a server restarts.
                for index in world.members.indices {
                    world.cut(index)
                    world.reconnect(index, after: world.seconds(0...2))
                }
            case 75..<80 where crashes:
                world.crash(index)
                world.reconnect(index, after: world.seconds(0...20))
            case 80..<85: world.send(["sente-lite/presence": ["member": "x", "sequence": Value(-number)]])
            case 85..<88: world.send(["text": "hello"])
            default: break
            }
            world.advance(by: world.seconds(0...4))
        }
    }

    /// From now on nothing happens that the members do not do themselves.
    private static func calmDown(_ world: inout PresenceWorld) {
        world.loss = 0
        world.repetitions = 0
        for index in world.members.indices { world.connect(index) }
    }

    private static func expectEqual(_ world: PresenceWorld, _ seed: UInt64) {
        let present = world.present
        for (index, member) in world.members.enumerated() {
            #expect(member.seen == present, "seed \(seed), member \(index)")
        }
    }

    @Test("all see the same within one heartbeat of quiet, after cuts and restarts", arguments: 0..<60)
    func convergesAfterCuts(seed: UInt64) {
        var world = PresenceWorld(seed: seed, members: 2 + Int(seed % 7), Self.settings)
        Self.rage(&world, crashes: false)
        Self.calmDown(&world)
        world.advance(by: Self.settings.heartbeat + Self.slack)
        Self.expectEqual(world, seed)
        #expect(world.broken == [])
    }

    @Test(
        "after losses and crashes all see whoever is there within one heartbeat of quiet, and nobody else after the expiry",
        arguments: 0..<60)
    func convergesAfterLoss(seed: UInt64) {
        var world = PresenceWorld(seed: 1_000 + seed, members: 2 + Int(seed % 7), Self.settings)
        world.loss = 30
        world.repetitions = 10
        Self.rage(&world, crashes: true)
        Self.calmDown(&world)
        world.advance(by: Self.settings.heartbeat + Self.slack)
        let present = world.present
        for (index, member) in world.members.enumerated() {
            for (id, data) in present { #expect(member.seen[id] == data, "seed \(seed), member \(index)") }
        }
        // Whoever is there stays in sight.
        let lost = Box<[String]>([])
        world.vanished = { id, viewer in
            if present[id] != nil { lost.value.append("\(viewer) lost \(id)") }
        }
        world.advance(by: Self.settings.expiry - Self.settings.heartbeat + Self.slack)
        Self.expectEqual(world, seed)
        world.advance(by: .seconds(600))
        Self.expectEqual(world, seed)
        #expect(lost.value == [])
        #expect(world.broken == [])
    }

    @Test("in quiet each member speaks once a heartbeat and no more")
    func isFrugal() {
        var world = PresenceWorld(seed: 3, members: 20, Self.settings)
        for index in world.members.indices {
            world.connect(index)
            world.enter(index, Int64(index))
        }
        world.advance(by: .seconds(60))
        let before = world.frames
        world.advance(by: .seconds(3_000))
        #expect(20 * 100...20 * 134 ~= world.frames - before)
        Self.expectEqual(world, 3)
    }

    @Test("a leave that was said while its link broke is said again, so that nobody waits for the expiry")
    func leaveIsRepeated() {
        var world = PresenceWorld(seed: 4, members: 3, Self.settings)
        for index in world.members.indices {
            world.connect(index)
            world.enter(index, Int64(index))
        }
        world.advance(by: .seconds(5))
        world.cut(0)
        world.leave(0)
        world.reconnect(0, after: .seconds(5))
        world.advance(by: .seconds(6))
        Self.expectEqual(world, 4)
    }

    /// What a closure shares with its test.
    private final class Box<Value> {
        var value: Value
        init(_ value: Value) { self.value = value }
    }
}
