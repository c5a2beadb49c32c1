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
                #expect(pending.add(name, owner: owner, at: Self.now).number == last)
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
                let needsFence = pending.leave(.init(victim.number))
                if case .id = victim.correlation {
                    model.remove(at: index)
                    #expect(!needsFence)
                } else {
                    model[index].owner = .gone
                    #expect(needsFence == (victim.number > fenced))
                }
            case 9:
                pending.addPing(stamp: Int64(step), isFence: true, at: Self.now)
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
                #expect(pending.pong(stamp: stamp, at: Self.now)?.cleared == owners)
            default: break
            }
            #expect(pending.abandoned == model.count { $0.owner == .nobody || $0.owner == .gone })
            #expect(pending.isUnfenced == (last > fenced))
        }
    }

    @Test("The reply that a cancelled call caused goes to nobody, not to a later call")
    func leftSlot() {
        var pending = PendingReplies()
        let slot = pending.add(Self.a, owner: .call(CallID(1)), at: Self.now)
        #expect(pending.leave(slot) == true)
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
        pending.addPing(stamp: 1, for: CallID(1), at: Self.now)
        pending.addPing(stamp: 2, at: Self.now)
        #expect(pending.pong(stamp: 1, at: later) == .init(call: CallID(1), elapsed: .seconds(2)))
        #expect(pending.pong(stamp: 2, at: later) == .init(elapsed: .seconds(2)))
        #expect(pending.pong(stamp: 2, at: later) == nil)
    }

    @Test("A ping that was given up is not answered any more")
    func leftPing() {
        var pending = PendingReplies()
        pending.addPing(stamp: 1, for: CallID(1), at: Self.now)
        pending.addPing(stamp: 2, for: CallID(2), at: Self.now)
        pending.leavePing(stamp: 1)
        #expect(pending.pong(stamp: 1, at: Self.now) == nil)
        #expect(pending.pong(stamp: 2, at: Self.now) == .init(call: CallID(2), elapsed: .zero))
    }

    @Test("Of the pings that a server never answers only the last ones are remembered, and the app's")
    func stamps() {
        var pending = PendingReplies()
        pending.addPing(stamp: -1, for: CallID(1), at: Self.now)
        for stamp in Int64(0)..<10_000 { pending.addPing(stamp: stamp, at: Self.now) }
        #expect(pending.pong(stamp: 9_999 - 256, at: Self.now) == nil)
        #expect(pending.pong(stamp: 9_999 - 255, at: Self.now) == .init(elapsed: .zero))
        #expect(pending.pong(stamp: -1, at: Self.now) == .init(call: CallID(1), elapsed: .zero))
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

    // MARK: Answers that do not say what they answer

    private static func event(_ data: Value) -> Event { Event(id: "my/ev", data: data) }

    /// A table for a server that answers in order, and what is written to it.
    private static func write(
        _ outbound: Outbound, _ call: UInt64, into pending: inout PendingReplies
    ) -> PendingReplies.SlotKey? {
        let capabilities = Dialect.senteLiteVectors.capabilities
        return outbound.correlation(in: capabilities).map {
            pending.add(
                $0, marks: outbound.marks(in: capabilities), owner: .call(CallID(call)), at: Self.now)
        }
    }

    private static func ask(_ data: Value, _ call: UInt64, into pending: inout PendingReplies)
        -> PendingReplies.SlotKey?
    {
        write(.event(event(data), callback: "cb\(call)"), call, into: &pending)
    }

    private static func owner(_ correlation: Correlation, _ pending: inout PendingReplies) -> UInt64? {
        if case .call(let call)? = pending.take(correlation, at: Self.now)?.owner { call.number } else { nil }
    }

    @Test("One acknowledgement of both goes to what was written first on its channel")
    func sharedAcknowledgement() {
        var pending = PendingReplies(stampsPongs: false)
        let words: [Outbound] = [
            .subscribe(channel: "a"), .unsubscribe(channel: "a"), .subscribe(channel: "b"),
            .subscribe(channel: "a"),
        ]
        for (number, word) in words.enumerated() { _ = Self.write(word, UInt64(number), into: &pending) }
        let owners = ["b", "a", "a", "a", "a"].map {
            Self.owner(.next(.subscription, channel: WireName($0)), &pending)
        }
        #expect(owners == [2, 0, 1, 3, nil])
    }

    @Test("An echo goes to the oldest event just like it, or else to the oldest of its id")
    func echoes() {
        var pending = PendingReplies(stampsPongs: false)
        for (number, data) in [1, 2, 2, .list([1])].enumerated() as EnumeratedSequence<[Value]> {
            _ = Self.ask(data, UInt64(number), into: &pending)
        }
        let owners = [2, 2, [1], 1, 1].map { (data: Value) in
            Self.owner(.echo("my/ev", data: data), &pending)
        }
        #expect(owners == [1, 2, 0, 3, nil])
        _ = Self.ask(1, 4, into: &pending)
        #expect(Self.owner(.echo("my/other", data: 1), &pending) == nil)
        #expect(Self.owner(.id(.event, "cb4"), &pending) == 4)
        #expect(Self.owner(.echo("my/ev", data: 1), &pending) == nil)
    }

    @Test("The echo for a call that gave up is nobody's, and its reply by name too")
    func lateEcho() {
        var pending = PendingReplies(stampsPongs: false)
        let slots = (0..<3).compactMap { Self.ask(1, $0, into: &pending) }
        let needsFence = [pending.leave(slots[0]), pending.leave(slots[0]), pending.leave(slots[1])]
        #expect(needsFence == [true, false, true])
        #expect(pending.take(.echo("my/ev", data: 1), at: Self.now)?.owner == .gone)
        #expect(pending.take(.id(.event, "cb1"), at: Self.now)?.owner == .gone)
        #expect(Self.owner(.echo("my/ev", data: 1), &pending) == 2)
        #expect(pending.abandoned == 0)
    }

    @Test("Each pong answers the oldest ping and clears what was written before it")
    func everyPingIsAFence() {
        var pending = PendingReplies(stampsPongs: false)
        _ = Self.write(.unsubscribe(channel: "a"), 0, into: &pending)
        let old = Self.ask([.keyword("request-id"): 7], 1, into: &pending)
        _ = Self.ask(.null, 2, into: &pending)
        pending.addPing(stamp: 1, for: CallID(3), at: Self.now)
        _ = Self.write(.subscribe(channel: "a"), 4, into: &pending)
        _ = Self.ask(.null, 5, into: &pending)
        #expect(old.map { pending.leave($0) } == false, "A fence is on its way.")
        _ = Self.ask([.keyword("request-id"): 8], 6, into: &pending)
        pending.addPing(stamp: 2, at: Self.now)
        #expect(
            pending.pong(stamp: nil, at: Self.now)
                == .init(call: CallID(3), elapsed: .zero, cleared: [.call(CallID(0))]))
        #expect(Self.owner(.next(.subscription, channel: "a"), &pending) == 4)
        #expect(Self.owner(.echo("my/ev", data: .null), &pending) == 5, "The older one is not echoed now.")
        #expect(pending.take(.requestID(7), at: Self.now) == nil, "Its call gave up.")
        #expect(pending.pong(stamp: nil, at: Self.now) == .init(elapsed: .zero))
        #expect(Self.owner(.echo("my/ev", data: .null), &pending) == nil)
        #expect(Self.owner(.requestID(8), &pending) == 6, "Who copies a request-id may take its time.")
        #expect(Self.owner(.id(.event, "cb2"), &pending) == 2, "Who names the callback too.")
        #expect(pending.pong(stamp: nil, at: Self.now) == nil)
    }

    @Test("Pings beyond a thousand are not told apart, and none is taken for another")
    func manyPings() {
        var pending = PendingReplies(stampsPongs: false)
        func answered() -> UInt64? { pending.pong(stamp: nil, at: Self.now)?.call?.number }
        func ping(_ number: UInt64) {
            pending.addPing(stamp: Int64(number), for: CallID(number), at: Self.now)
        }
        for number in UInt64(0)..<1_030 { ping(number) }
        pending.leavePing(stamp: 5)
        for number in UInt64(0)..<1_024 { #expect(answered() == (number == 5 ? nil : number)) }
        ping(5_000)
        for _ in 0..<7 { #expect(answered() == nil) }
        ping(6_000)
        #expect(answered() == 6_000)
    }

    @Test(
        "No more is asked than can be told apart by its answers; room comes with the answers, and with a pong"
    )
    func bounds() {
        var pending = PendingReplies(stampsPongs: false)
        let asking = Outbound.event(Self.event(1), callback: "cb")
        for number in UInt64(0)..<4_096 { _ = Self.ask(1, number, into: &pending) }
        let refusal = pending.refusal(of: asking)
        #expect(refusal?.code == .busy && refusal?.outcome == .notSent)
        #expect(refusal?.message.contains("4096") == true)
        #expect(pending.refusal(of: .event(Self.event(1))) == nil)
        #expect(pending.refusal(of: .subscribe(channel: "a")) == nil)
        #expect(Self.owner(.id(.event, "cb7"), &pending) == 7)
        #expect(pending.refusal(of: asking) == nil)
        _ = Self.ask(1, 7, into: &pending)
        pending.addPing(stamp: 1, at: Self.now)
        #expect(pending.refusal(of: asking)?.code == .busy)
        #expect(pending.pong(stamp: nil, at: Self.now)?.cleared == [])
        #expect(pending.refusal(of: asking) == nil)

        for number in UInt64(0)..<65_536 { _ = Self.write(.subscribe(channel: "a"), number, into: &pending) }
        #expect(pending.refusal(of: .unsubscribe(channel: "b"))?.code == .busy)
        #expect(Self.owner(.next(.subscription, channel: "a"), &pending) == 0)
        #expect(pending.refusal(of: .unsubscribe(channel: "b")) == nil)
    }

    @Test(
        "Whatever happens, an answer finds whom a plain list of events would name", arguments: UInt64(0)..<30)
    func likeAListOfEvents(seed: UInt64) {
        struct Slot: Equatable {
            var number: UInt64
            var call: UInt64
            var event: Event
            var requestID: Value?
            var isGone = false
            var isEchoed = true
        }
        var random = Generator(seed: seed)
        var pending = PendingReplies(stampsPongs: false)
        var model: [Slot] = []
        var pings: [UInt64] = []
        for step in UInt64(1)..<600 {
            let id = Keyword(namespace: "my", name: "\(Int.random(in: 0..<2, using: &random))")
            let number = Value.integer(Int64.random(in: 0..<2, using: &random))
            let isMarked = Bool.random(using: &random)
            let requestID = isMarked ? number : Value?.none
            let data: Value = isMarked ? [.keyword("request-id"): number] : number
            let event = Event(id: id, data: data)
            let index: Int?
            let correlation: Correlation
            switch Int.random(in: 0..<9, using: &random) {
            case 0..<3:
                let slot = Self.write(.event(event, callback: "cb\(step)"), step, into: &pending)
                model.append(
                    Slot(number: slot?.number ?? 0, call: step, event: event, requestID: requestID))
                continue
            case 3:
                guard let index = model.indices.randomElement(using: &random) else { continue }
                _ = pending.leave(.init(model[index].number))
                // What is echoed no more is known by its name alone, which now finds nobody.
                if model[index].isEchoed { model[index].isGone = true } else { model.remove(at: index) }
                continue
            case 4:
                pending.addPing(stamp: Int64(step), at: Self.now)
                pings.append(model.last?.number ?? 0)
                continue
            case 5:
                guard !pings.isEmpty else { continue }
                let limit = pings.removeFirst()
                #expect(pending.pong(stamp: nil, at: Self.now)?.cleared == [])
                model.removeAll { $0.isGone && $0.number <= limit }
                for index in model.indices where model[index].number <= limit {
                    model[index].isEchoed = false
                }
                continue
            case 6:
                guard let requestID else { continue }
                correlation = .requestID(requestID)
                index = model.firstIndex { $0.requestID == requestID }
            case 7:
                correlation = .echo(id, data: data)
                index =
                    model.firstIndex { $0.isEchoed && $0.event == event }
                    ?? model.firstIndex { $0.isEchoed && $0.event.id == id }
            default:
                guard let slot = model.indices.randomElement(using: &random) else { continue }
                index = slot
                correlation = .id(.event, WireName("cb\(model[slot].call)"))
            }
            let expected = index.map { model.remove(at: $0) }
            let owner = expected.map { $0.isGone ? PendingReplies.Owner.gone : .call(CallID($0.call)) }
            #expect(pending.take(correlation, at: Self.now)?.owner == owner)
        }
        #expect(pending.abandoned == model.count { $0.isGone })
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
        pending.addPing(stamp: 1, isFence: true, at: Self.now)
        #expect(pending.pong(stamp: 1, at: Self.now)?.cleared == [.call(CallID(1)), .call(CallID(2))])
        #expect(pending.pong(stamp: 1, at: Self.now) == nil)
    }
}
