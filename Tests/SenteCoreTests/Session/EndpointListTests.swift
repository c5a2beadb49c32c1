// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Endpoint list")
struct EndpointListTests {
    @Test("in order, round after round, each once a round, doubles once")
    func listed() {
        var random = Generator(seed: 1)
        var list = EndpointList(["a", "b", "a", "c"], order: .listed)
        var seen: [String?] = []
        for _ in 0..<7 { seen.append(list.next(using: &random)) }
        #expect(seen == ["a", "b", "c", "a", "b", "c", "a"])
        #expect(list.current == "a")
    }

    @Test("the last good one comes first, then the others")
    func lastGood() {
        var random = Generator(seed: 1)
        var list = EndpointList(["a", "b", "c"], order: .listed)
        _ = list.next(using: &random)
        _ = list.next(using: &random)
        list.succeeded()
        let seen = (0..<6).map { _ in list.next(using: &random) }
        #expect(seen == ["b", "a", "c", "b", "a", "c"])
    }

    @Test(
        "a round is hopeless when none of its URLs can be mended",
        arguments: [([false, false], true), ([true, false], false), ([false, true], false)])
    func hopeless(ends: [Bool], isHopeless: Bool) {
        var random = Generator(seed: 1)
        var list = EndpointList(["a", "b"], order: .listed)
        // What was before the last greeting, or in an earlier round, does not count.
        _ = list.next(using: &random)
        list.failed(isMendable: true)
        list.succeeded()
        for isMendable in ends {
            _ = list.next(using: &random)
            list.failed(isMendable: isMendable)
        }
        #expect(list.isHopeless == isHopeless)
        for _ in 0..<2 {
            _ = list.next(using: &random)
            list.failed(isMendable: false)
        }
        #expect(list.isHopeless)
    }

    @Test("shuffled, every round has each once, and every order comes")
    func shuffled() {
        var orders: Set<[String]> = []
        var random = Generator(seed: 5)
        var list = EndpointList(["a", "b", "c"], order: .shuffled)
        for _ in 0..<200 {
            let round = (0..<3).compactMap { _ in list.next(using: &random) }
            #expect(round.sorted() == ["a", "b", "c"])
            orders.insert(round)
        }
        #expect(orders.count == 6)
        _ = list.next(using: &random)
        let good = list.current
        list.succeeded()
        #expect(list.next(using: &random) == good)
    }

    @Test("with one URL or none there is nothing to choose", arguments: [[], ["a"], ["a", "a"]])
    func single(urls: [String]) {
        var random = Generator(seed: 1)
        var list = EndpointList(urls, order: .listed)
        #expect(list.next(using: &random) == nil)
        for isMendable in [true, false, true] {
            list.failed(isMendable: isMendable)
            #expect(list.isHopeless == !isMendable)
        }
        list.succeeded()
        #expect(list.next(using: &random) == nil)
    }
}
