// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Pending replies")
struct PendingRepliesTests {
    private static let now = Instant(nanoseconds: 0)
    private static let a = Correlation.next(.publish, channel: "a")

    @Test("Whatever happens, a reply finds who a plain list of slots would name", arguments: UInt64(0)..<30)
    func likeAList(seed: UInt64) {
        struct Slot {
            var number: UInt64
            var correlation: Correlation
            var owner: PendingReplies.Owner
        }
        var random = Generator(seed: seed)
        var pending = PendingReplies()
        var model: [Slot] = []
        var fences: [Int64: UInt64] = [:]
        var last: UInt64 = 0
        var fenced: UInt64 = 0
        let names: [Correlation] = [
            .next(.publish, channel: "a"), .next(.publish, channel: "b"), .next(.request, channel: "a"),
            .id(.answer, "1"), .id(.answer, "2"), .next(.channels, channel: nil),
        ]
        for step in UInt64(0)..<1_000 {
            let name = names.randomElement(using: &random) ?? Self.a
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<4:
                let owner: PendingReplies.Owner =
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: .nobody
                    case 1: .wish(channel: "a", number: step)
                    default: .call(CallID(step))
                    }
                last += 1
                #expect(pending.add(name, owner: owner, at: Self.now).sequence == last)
                model.append(Slot(number: last, correlation: name, owner: owner))
            case 4..<7:
                let index = model.firstIndex { $0.correlation == name }
                let expected = index.map { model.remove(at: $0).owner }
                #expect(pending.take(name, at: Self.now)?.owner == expected)
            case 7..<9:
                guard
                    let victim = model.filter({ if case .call = $0.owner { true } else { false } })
                        .randomElement(using: &random),
                    let index = model.firstIndex(where: { $0.number == victim.number })
                else { continue }
                let needsFence = pending.leave(
                    .init(correlation: victim.correlation, sequence: victim.number))
                if case .id = victim.correlation {
                    model.remove(at: index)
                    #expect(!needsFence)
                } else {
                    model[index].owner = .gone
                    #expect(needsFence == (victim.number > fenced))
                }
            case 9:
                pending.addFence(stamp: Int64(step))
                fences[Int64(step)] = last
                fenced = last
            case 10:
                guard let stamp = fences.keys.sorted().randomElement(using: &random) else { continue }
                let limit = fences.removeValue(forKey: stamp) ?? 0
                let gone = model.filter {
                    if case .id = $0.correlation { false } else { $0.number <= limit }
                }
                model.removeAll { slot in gone.contains { $0.number == slot.number } }
                let owners = gone.map(\.owner).filter { $0 != .nobody && $0 != .gone }
                #expect(pending.pong(stamp: stamp, at: Self.now) == .cleared(owners))
            default: break
            }
            for name in names {
                #expect(pending.isPending(name) == model.contains { $0.correlation == name })
            }
            #expect(pending.abandoned == model.count { $0.owner == .nobody || $0.owner == .gone })
            #expect(pending.isUnfenced == (last > fenced))
        }
    }

    @Test("The reply that a cancelled call caused goes to nobody, not to a later call")
    func leftSlot() {
        var pending = PendingReplies()
        let place = pending.add(Self.a, owner: .call(CallID(1)), at: Self.now)
        #expect(pending.leave(place) == true)
        pending.add(Self.a, owner: .call(CallID(2)), at: Self.now)
        #expect(pending.take(Self.a, at: Self.now)?.owner == .gone)
        #expect(pending.take(Self.a, at: Self.now)?.owner == .call(CallID(2)))
        #expect(pending.take(Self.a, at: Self.now) == nil)
    }

    @Test("The time of a round trip runs from the sending")
    func elapsed() {
        var pending = PendingReplies()
        let later = Self.now.advanced(by: .seconds(2))
        pending.add(Self.a, owner: .nobody, at: Self.now)
        #expect(pending.take(Self.a, at: later)?.elapsed == .seconds(2))
        pending.addPing(stamp: 1, call: CallID(1), at: Self.now)
        pending.addProbe(stamp: 2, at: Self.now)
        #expect(pending.pong(stamp: 1, at: later) == .roundTrip(CallID(1), .seconds(2)))
        #expect(pending.pong(stamp: 2, at: later) == .roundTrip(nil, .seconds(2)))
        #expect(pending.pong(stamp: 2, at: later) == .unknown)
    }

    @Test("A ping that was given up is not answered any more")
    func leftPing() {
        var pending = PendingReplies()
        pending.addPing(stamp: 1, call: CallID(1), at: Self.now)
        pending.addPing(stamp: 2, call: CallID(2), at: Self.now)
        pending.leavePing(call: CallID(1))
        #expect(pending.pong(stamp: 1, at: Self.now) == .unknown)
        #expect(pending.pong(stamp: 2, at: Self.now) == .roundTrip(CallID(2), .zero))
    }

    @Test("Of the pings that a server never answers only the last ones are remembered, and the app's")
    func stamps() {
        var pending = PendingReplies()
        pending.addPing(stamp: -1, call: CallID(1), at: Self.now)
        for stamp in Int64(0)..<10_000 { pending.addProbe(stamp: stamp, at: Self.now) }
        #expect(pending.pong(stamp: 9_999 - 256, at: Self.now) == .unknown)
        #expect(pending.pong(stamp: 9_999 - 255, at: Self.now) == .roundTrip(nil, .zero))
        #expect(pending.pong(stamp: -1, at: Self.now) == .roundTrip(CallID(1), .zero))
    }

    @Test("An early answer is held only while some request's id is still to come")
    func early() {
        var pending = PendingReplies()
        let answer = Correlation.id(.answer, "r1")
        #expect(pending.holdEarly(answer, .unsubscribed, size: 1) == 1)
        #expect(pending.takeEarly(answer) == nil)
        pending.add(.next(.request, channel: "a"), owner: .call(CallID(1)), at: Self.now)
        #expect(pending.holdEarly(answer, .unsubscribed, size: 1) == 0)
        #expect(pending.takeEarly(answer) == .unsubscribed)
        #expect(pending.takeEarly(answer) == nil)
    }

    @Test("Early answers are bounded in number and in bytes", arguments: [(100, 1, 64), (10, 300 << 10, 3)])
    func earlyBounds(count: Int, size: Int, kept: Int) {
        var pending = PendingReplies()
        pending.add(.next(.request, channel: "a"), owner: .nobody, at: Self.now)
        var dropped = 0
        for number in 0..<count {
            dropped += pending.holdEarly(.id(.answer, "\(number)"), .unsubscribed, size: size)
        }
        #expect(dropped == count - kept)
        let found = (0..<count).filter { pending.takeEarly(.id(.answer, "\($0)")) != nil }
        #expect(found == Array((count - kept)..<count))
    }

    @Test("A named slot that is left wants a fence where names are not used, and one fence serves many")
    func namedFence() {
        var pending = PendingReplies()
        let places = ["a", "b", "c"].map {
            pending.add(.id(.event, $0), owner: .call(CallID(1)), at: Self.now)
        }
        let firsts = [
            pending.leave(places[0], fencesNamed: true), pending.leave(places[0], fencesNamed: true),
        ]
        #expect(firsts == [true, false])
        pending.addFence(stamp: 1)
        let later = [pending.leave(places[1], fencesNamed: true), pending.leave(places[2])]
        #expect(later == [false, false])
        #expect(pending.pong(stamp: 1, at: Self.now) == .cleared([]))
        #expect(!pending.isPending(.id(.event, "b")))
    }

    @Test("A name of other bytes finds no slot")
    func bytes() {
        var pending = PendingReplies()
        pending.add(.next(.publish, channel: "caf\u{e9}"), owner: .call(CallID(1)), at: Self.now)
        pending.add(.id(.answer, "caf\u{e9}"), owner: .call(CallID(2)), at: Self.now)
        #expect(pending.take(.next(.publish, channel: "cafe\u{301}"), at: Self.now) == nil)
        #expect(pending.take(.id(.answer, "cafe\u{301}"), at: Self.now) == nil)
    }

    @Test("A slot that is never answered holds back none of those answered after it")
    func pileUp() {
        var pending = PendingReplies()
        pending.add(.next(.publish, channel: "never"), owner: .call(CallID(1)), at: Self.now)
        for number in UInt64(0)..<10_000 {
            pending.add(Self.a, owner: .call(CallID(number)), at: Self.now)
            #expect(pending.take(Self.a, at: Self.now)?.owner == .call(CallID(number)))
        }
        pending.add(.next(.publish, channel: "last"), owner: .call(CallID(2)), at: Self.now)
        pending.addFence(stamp: 1)
        #expect(pending.pong(stamp: 1, at: Self.now) == .cleared([.call(CallID(1)), .call(CallID(2))]))
        #expect(pending.pong(stamp: 1, at: Self.now) == .unknown)
    }
}
