// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import SenteWire
import Testing

@Suite("Batches for a server")
struct RemoteBatcherTests {
    private typealias Item = RemoteBatcher.Item
    private static let start = Instant(nanoseconds: 0)

    private static func after(_ milliseconds: Int) -> Instant {
        start.advanced(by: .milliseconds(milliseconds))
    }

    private static func items(_ numbers: Range<Int>) -> [Item] {
        numbers.map { Item(Value($0), weight: 100) }
    }

    @Test("a batch leaves when it is full, or when its oldest has waited")
    func leaves() {
        var batcher = RemoteBatcher()
        batcher.connectionChanged(isOpen: true)
        for item in Self.items(0..<9) { #expect(batcher.add(item, at: Self.after(5)).isEmpty) }
        #expect(batcher.next(at: Self.after(1_004)) == nil)
        #expect(batcher.deadline == Self.after(1_005))
        _ = batcher.add(Item(9, weight: 100), at: Self.after(6))
        #expect(batcher.next(at: Self.after(6)) == Self.items(0..<10))
        _ = batcher.add(Item(10, weight: 100), at: Self.after(7))
        #expect(batcher.next(at: Self.after(5_000)) == nil, "one at a time")
        #expect(batcher.ended(.sent, at: Self.after(8)).isEmpty)
        #expect(batcher.next(at: Self.after(1_006)) == nil)
        #expect(batcher.next(at: Self.after(1_007)) == Self.items(10..<11))
    }

    @Test("nothing leaves without a connection, and nothing waits for company when there is a hurry")
    func connection() {
        var batcher = RemoteBatcher()
        for item in Self.items(0..<3) { _ = batcher.add(item, at: Self.start) }
        #expect(batcher.next(at: Self.after(60_000)) == nil)
        batcher.hurry()
        #expect(batcher.next(at: Self.after(60_000)) == nil)
        batcher.connectionChanged(isOpen: true)
        #expect(batcher.next(at: Self.start) == Self.items(0..<3))
    }

    @Test("what did not leave goes first the next time, a little later or on a new connection")
    func again() {
        var batcher = RemoteBatcher()
        batcher.connectionChanged(isOpen: true)
        for item in Self.items(0..<12) { _ = batcher.add(item, at: Self.start) }
        #expect(batcher.next(at: Self.start) == Self.items(0..<10))
        _ = batcher.ended(.notSent, at: Self.after(10))
        #expect(batcher.next(at: Self.after(1_009)) == nil)
        batcher.connectionChanged(isOpen: false)
        batcher.connectionChanged(isOpen: true)
        #expect(batcher.next(at: Self.after(20)) == Self.items(0..<10))
        #expect(batcher.ended(.unknown, at: Self.after(30)) == Self.items(0..<10))
        #expect(batcher.next(at: Self.after(1_000)) == Self.items(10..<12), "never a second time")
    }

    @Test("the oldest come back when there is no room, by number and by weight")
    func room() {
        var batcher = RemoteBatcher(.init(maximumCount: 3, maximumBytes: 1_000))
        for item in Self.items(0..<3) { _ = batcher.add(item, at: Self.start) }
        #expect(batcher.add(Item(3, weight: 100), at: Self.start) == Self.items(0..<1))
        #expect(batcher.add(Item(4, weight: 850), at: Self.start) == Self.items(1..<3))
        #expect(batcher.add(Item(5, weight: 2_000), at: Self.start).map(\.value) == [3, 4, 5])
        #expect(batcher.takeAll().isEmpty)
        #expect(batcher.counts.givenBack == batcher.counts.accepted)
    }

    @Test("settings that make no sense count as the nearest that do, and what just fits stays")
    func limits() {
        typealias Settings = RemoteBatcher.Settings
        #expect(
            Settings(count: 0, interval: .seconds(-1), maximumCount: 0, maximumBytes: -1)
                == Settings(count: 1, interval: .zero, maximumCount: 1, maximumBytes: 0))
        var batcher = RemoteBatcher(.init(maximumBytes: 300))
        for item in Self.items(0..<3) { #expect(batcher.add(item, at: Self.start).isEmpty) }
        #expect(batcher.add(Item(3, weight: 1), at: Self.start) == Self.items(0..<1))
    }

    @Test("a hurry is over when all that waited has left")
    func hurry() {
        var batcher = RemoteBatcher()
        batcher.connectionChanged(isOpen: true)
        batcher.hurry()
        _ = batcher.add(Item(0, weight: 100), at: Self.start)
        #expect(batcher.next(at: Self.start) == nil, "nothing waited")
        batcher.hurry()
        #expect(batcher.next(at: Self.start) == Self.items(0..<1))
        _ = batcher.ended(.sent, at: Self.start)
        _ = batcher.add(Item(1, weight: 100), at: Self.start)
        #expect(batcher.next(at: Self.after(999)) == nil)
        #expect(batcher.next(at: Self.after(1_000)) == Self.items(1..<2))
    }

    @Test("a link that was there before is no new one")
    func sameLink() {
        var batcher = RemoteBatcher()
        batcher.connectionChanged(isOpen: true)
        for item in Self.items(0..<10) { _ = batcher.add(item, at: Self.start) }
        _ = batcher.next(at: Self.start)
        _ = batcher.ended(.notSent, at: Self.start)
        batcher.connectionChanged(isOpen: true)
        #expect(batcher.next(at: Self.after(999)) == nil)
        #expect(batcher.next(at: Self.after(1_000)) == Self.items(0..<10))
    }

    @Test("what is on its way has no weight until it comes back, nor what was taken")
    func weights() {
        let heavy = Item(0, weight: 900)
        var batcher = RemoteBatcher(.init(maximumBytes: 1_000))
        batcher.connectionChanged(isOpen: true)
        batcher.hurry()
        _ = batcher.add(heavy, at: Self.start)
        batcher.hurry()
        #expect(batcher.next(at: Self.start) == [heavy])
        #expect(batcher.add(heavy, at: Self.start).isEmpty)
        #expect(batcher.ended(.notSent, at: Self.start) == [heavy])
        #expect(batcher.add(heavy, at: Self.start) == [heavy])
        #expect(batcher.takeAll() == [heavy])
        #expect(batcher.add(heavy, at: Self.start).isEmpty)
    }

    @Test(
        "each signal is sent once, may have been, comes back, or waits; in order",
        arguments: 0..<200 as Range<UInt64>)
    func random(seed: UInt64) {
        var random = Generator(seed: seed)
        let settings = RemoteBatcher.Settings(
            count: Int.random(in: 1...12, using: &random),
            interval: .milliseconds(Int.random(in: 0...500, using: &random)),
            maximumCount: Int.random(in: 1...40, using: &random),
            maximumBytes: Int.random(in: 0...2_000, using: &random))
        var batcher = RemoteBatcher(settings)
        var now = Self.start
        var accepted = 0
        var (sent, unknown, back): ([Int64], [Int64], [Int64]) = ([], [], [])
        var flight: [Item]?
        func numbers(_ items: [Item]) -> [Int64] { items.compactMap(\.value.integerValue) }
        for _ in 0..<400 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0...2:
                back += numbers(
                    batcher.add(
                        Item(Value(accepted), weight: Int.random(in: 1...300, using: &random)), at: now))
                accepted += 1
            case 3: batcher.connectionChanged(isOpen: Bool.random(using: &random))
            case 4: now = now.advanced(by: .milliseconds(Int.random(in: 0...400, using: &random)))
            default:
                guard let batch = flight else { break }
                flight = nil
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    sent += numbers(batch)
                    back += numbers(batcher.ended(.sent, at: now))
                case 1:
                    unknown += numbers(batch)
                    #expect(batcher.ended(.unknown, at: now) == batch)
                default: back += numbers(batcher.ended(.notSent, at: now))
                }
            }
            let due = batcher.deadline
            if let batch = batcher.next(at: now) {
                #expect(flight == nil && due != nil && !batch.isEmpty && batch.count <= settings.count)
                flight = batch
            } else {
                #expect(due.map { $0 > now } ?? true)
            }
            #expect(batcher.count - (flight?.count ?? 0) <= settings.maximumCount)
        }
        #expect(sent == sent.sorted() && unknown == unknown.sorted())
        let rest = numbers(batcher.takeAll())
        #expect((sent + unknown + back + rest).sorted() == (0..<Int64(accepted)).map { $0 })
        #expect(batcher.counts.accepted == accepted && batcher.counts.sent == sent.count)
        #expect(batcher.counts.givenBack == back.count + rest.count - (flight?.count ?? 0))
        #expect(batcher.counts.unknown == unknown.count + (flight?.count ?? 0))
        #expect(batcher.ended(.notSent, at: now).isEmpty && batcher.count == 0, "nothing comes back twice")
    }
}
