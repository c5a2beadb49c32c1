// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Outbox")
struct OutboxTests {
    /// An outbox as one would write it without a thought for speed.
    private struct Model {
        struct Item {
            var call: CallID
            var place: String?
            var priority = SendOptions.Priority.normal
            var weight: Int
            var expires: Instant?
        }

        var policy: OutboxPolicy
        var items: [Item] = [] {
            didSet {
                for priority in SendOptions.Priority.allCases where first(priority) == nil {
                    passed[priority] = 0
                }
            }
        }
        var bytes: Int { items.reduce(0) { $0 + $1.weight } }

        /// How many bytes of more urgent ones left since a priority's last turn.
        var passed: [SendOptions.Priority: Int] = [:]

        func first(_ priority: SendOptions.Priority) -> Item? { items.first { $0.priority == priority } }

        mutating func popNext() -> Item? {
            let due = SendOptions.Priority.allCases.first { (passed[$0] ?? 0) >= 65_536 }
            let next =
                due.flatMap(first)
                ?? first(.urgent) ?? first(.normal) ?? first(.bulk)
            guard let next else { return nil }
            passed[next.priority] = 0
            if next.priority != .bulk { passed[.bulk, default: 0] += next.weight }
            if next.priority == .urgent { passed[.normal, default: 0] += next.weight }
            items.removeAll { $0.call == next.call }
            return next
        }

        mutating func insert(_ item: Item) -> (Outbox.Insertion, dropped: [(CallID, SenteError.Code)]) {
            var rest = items
            var dropped: [(CallID, SenteError.Code)] = []
            if policy.overflow == .coalesce, let place = item.place,
                let index = rest.firstIndex(where: { $0.place == place })
            {
                dropped.append((rest.remove(at: index).call, .superseded))
            }
            let fitsAlone = policy.maximumMessages > 0 && item.weight <= policy.maximumBytes
            func fits() -> Bool {
                rest.count < policy.maximumMessages
                    && rest.reduce(item.weight) { $0 + $1.weight } <= policy.maximumBytes
            }
            if !fits(), policy.overflow != .wait {
                if policy.overflow == .dropNewest { return (.refused(.dropped), []) }
                guard policy.overflow == .dropOldest, fitsAlone else { return (.refused(.outboxFull), []) }
                while !fits() { dropped.append((rest.removeFirst().call, .dropped)) }
            }
            items = rest
            items.append(item)
            return (.accepted, dropped)
        }
    }

    private static func policy(_ overflow: OutboxPolicy.Overflow, _ random: inout Generator) -> OutboxPolicy {
        OutboxPolicy(
            maximumMessages: .random(in: 0...12, using: &random),
            maximumBytes: .random(in: 0...(Bool.random(using: &random) ? 2_000 : 400_000), using: &random),
            timeToLive: Bool.random(using: &random)
                ? .nanoseconds(Int64.random(in: 1...60, using: &random)) : nil,
            overflow: overflow)
    }

    private static func outbound(_ random: inout Generator) -> (Outbound, place: String?) {
        let name = ["a", "b", "c"].randomElement(using: &random) ?? "a"
        let isLarge = Int.random(in: 0..<8, using: &random) == 0
        let size = Int.random(in: 0...(isLarge ? 90_000 : 400), using: &random)
        let data = Value.string(String(repeating: "x", count: size))
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return (.event(Event(id: Keyword(name), data: data)), "event " + name)
        case 1: return (.request(channel: name, data: data, limit: 5), nil)
        default: return (.publish(channel: name, data: data, excludeSender: false), "channel " + name)
        }
    }

    @Test(
        "Whatever is done to it, it holds what a plain list would hold",
        arguments: OutboxPolicy.Overflow.allCases, UInt64(0)..<25)
    func likeAList(overflow: OutboxPolicy.Overflow, seed: UInt64) {
        var random = Generator(seed: seed)
        var model = Model(policy: Self.policy(overflow, &random))
        var outbox = Outbox(policy: model.policy)
        for step in 0..<800 {
            let now = Instant(nanoseconds: Int64(step))
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                let (outbound, place) = Self.outbound(&random)
                var dropped: [(CallID, SenteError.Code)] = []
                let call = CallID(UInt64(step))
                let priority = SendOptions.Priority.allCases.randomElement(using: &random) ?? .normal
                let insertion = outbox.insert(
                    outbound, for: call, SendOptions(priority: priority), at: now, dropped: &dropped)
                let expected = model.insert(
                    .init(
                        call: call, place: place, priority: priority, weight: outbound.weight,
                        expires: model.policy.timeToLive.map { now.advanced(by: $0) }))
                #expect(insertion == expected.0)
                #expect(dropped.map(\.0) == expected.dropped.map(\.0))
                #expect(dropped.map(\.1) == expected.dropped.map(\.1))
            case 6..<8:
                #expect(outbox.popNext()?.call == model.popNext()?.call)
            case 8:
                let victim = model.items.randomElement(using: &random)?.call ?? CallID(.max)
                #expect(outbox.contains(victim) == model.items.contains { $0.call == victim })
                #expect((outbox.remove(victim) != nil) == model.items.contains { $0.call == victim })
                model.items.removeAll { $0.call == victim }
            default:
                let isDue = model.items.first?.expires.map { $0 <= now } ?? false
                #expect(outbox.popExpired(at: now)?.call == (isDue ? model.items.removeFirst().call : nil))
            }
            if step.isMultiple(of: 3) { outbox.giveBackMemory() }
            #expect(outbox.count == model.items.count)
            #expect(outbox.isEmpty == model.items.isEmpty)
            #expect(outbox.bytes == model.bytes)
            #expect(outbox.oldest?.call == model.items.first?.call)
            #expect(outbox.deadline == model.items.first?.expires)
        }
    }

    @Test("Throwing out the oldest spares nobody for being urgent")
    func oldestGoes() {
        var outbox = Outbox(policy: OutboxPolicy(maximumMessages: 2, overflow: .dropOldest))
        var dropped: [(CallID, SenteError.Code)] = []
        let now = Instant(nanoseconds: 0)
        for (number, priority) in [(1, SendOptions.Priority.urgent), (2, .bulk), (3, .normal)] {
            _ = outbox.insert(
                Self.publish("a"), for: CallID(UInt64(number)), SendOptions(priority: priority), at: now,
                dropped: &dropped
            )
        }
        #expect(dropped.map(\.0) == [CallID(1)])
        #expect(outbox.popNext()?.call == CallID(3))
        #expect(outbox.popNext()?.call == CallID(2))
    }

    @Test("Durable ones come back in their order, before all others, and take their room until they are done")
    func durable() {
        var outbox = Outbox(policy: OutboxPolicy(maximumMessages: 3))
        var dropped: [(CallID, SenteError.Code)] = []
        let now = Instant(nanoseconds: 0)
        for number in UInt64(1)...3 {
            _ = outbox.insert(
                Self.publish("a"), for: CallID(number), SendOptions(durable: number < 3), at: now,
                dropped: &dropped)
        }
        #expect(outbox.popNext()?.call == CallID(1))
        #expect(outbox.popNext()?.call == CallID(2))
        #expect(outbox.count == 3)
        let insertion = outbox.insert(Self.publish("a"), for: CallID(4), at: now, dropped: &dropped)
        #expect(insertion == .refused(.outboxFull))
        #expect(outbox.takeBack().count == 2)
        #expect(outbox.hasLeft(CallID(1)))
        #expect(!outbox.hasLeft(CallID(3)))
        #expect(outbox.popNext()?.call == CallID(1))
        outbox.settle(CallID(1))
        #expect(outbox.takeBack().isEmpty)
        #expect([outbox.popNext(), outbox.popNext()].map { $0?.call } == [CallID(2), CallID(3)])
        outbox.settle(CallID(2))
        #expect(outbox.count == 0)
        #expect(outbox.bytes == 0)
    }

    @Test("A durable message knows no time to live, and nothing takes its place")
    func durableStays() {
        for overflow in OutboxPolicy.Overflow.allCases {
            var outbox = Outbox(
                policy: OutboxPolicy(maximumMessages: 2, timeToLive: .nanoseconds(5), overflow: overflow))
            var dropped: [(CallID, SenteError.Code)] = []
            _ = outbox.insert(
                Self.publish("a"), for: CallID(1), SendOptions(durable: true), at: Instant(nanoseconds: 0),
                dropped: &dropped)
            for number in UInt64(2)...5 {
                _ = outbox.insert(
                    Self.publish("a"), for: CallID(number), at: Instant(nanoseconds: 0), dropped: &dropped)
            }
            while outbox.popExpired(at: Instant(nanoseconds: 100)) != nil {}
            #expect(outbox.contains(CallID(1)))
            #expect(outbox.popNext()?.call == CallID(1))
        }
    }

    private static func publish(_ channel: String, bytes: Int = 0) -> Outbound {
        .publish(
            channel: channel, data: .string(String(repeating: "x", count: bytes)), excludeSender: false)
    }

    @Test("A later publish that finds no room does not cost the earlier one its place")
    func coalesceKeeps() {
        var outbox = Outbox(policy: OutboxPolicy(maximumBytes: 500, overflow: .coalesce))
        var dropped: [(CallID, SenteError.Code)] = []
        let now = Instant(nanoseconds: 0)
        _ = outbox.insert(Self.publish("a"), for: CallID(1), at: now, dropped: &dropped)
        let insertion = outbox.insert(
            Self.publish("a", bytes: 900), for: CallID(2), at: now, dropped: &dropped)
        #expect(insertion == .refused(.outboxFull))
        #expect(dropped.isEmpty)
        #expect(outbox.contains(CallID(1)))
    }

    @Test("Nothing is thrown out for a message that fits nowhere")
    func tooLarge() {
        var outbox = Outbox(policy: OutboxPolicy(maximumBytes: 500, overflow: .dropOldest))
        var dropped: [(CallID, SenteError.Code)] = []
        let now = Instant(nanoseconds: 0)
        _ = outbox.insert(Self.publish("a"), for: CallID(1), at: now, dropped: &dropped)
        let insertion = outbox.insert(
            Self.publish("b", bytes: 900), for: CallID(2), at: now, dropped: &dropped)
        #expect(insertion == .refused(.outboxFull))
        #expect(dropped.isEmpty)
        #expect(outbox.count == 1)
    }

    @Test("Ten thousand replaced behind one that waits take no time to speak of and no room")
    func pileUp() {
        var outbox = Outbox(policy: OutboxPolicy(overflow: .coalesce))
        var dropped: [(CallID, SenteError.Code)] = []
        let now = Instant(nanoseconds: 0)
        _ = outbox.insert(Self.publish("head"), for: CallID(0), at: now, dropped: &dropped)
        for number in UInt64(1)...10_000 {
            _ = outbox.insert(Self.publish("busy"), for: CallID(number), at: now, dropped: &dropped)
        }
        #expect(outbox.count == 2)
        #expect(dropped.count == 9_999)
        #expect(outbox.popNext()?.call == CallID(0))
        #expect(outbox.popNext()?.call == CallID(10_000))
        #expect(outbox.popNext() == nil)
    }

    @Test("Names that differ in their bytes are two places, however alike they look")
    func coalescesByBytes() {
        var outbox = Outbox(policy: OutboxPolicy(overflow: .coalesce))
        var dropped: [(CallID, SenteError.Code)] = []
        let now = Instant(nanoseconds: 0)
        _ = outbox.insert(Self.publish("caf\u{e9}"), for: CallID(1), at: now, dropped: &dropped)
        _ = outbox.insert(Self.publish("cafe\u{301}"), for: CallID(2), at: now, dropped: &dropped)
        #expect(outbox.count == 2)
        #expect(dropped.isEmpty)
    }
}
