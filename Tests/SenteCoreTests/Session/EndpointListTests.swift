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
        #expect(!list.isRoundOver)
        list.succeeded()
        #expect(list.isRoundOver)
        let seen = (0..<6).map { _ in list.next(using: &random) }
        #expect(seen == ["b", "a", "c", "b", "a", "c"])
        #expect(list.isRoundOver)
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
        #expect(list.isRoundOver)
        list.succeeded()
        #expect(list.next(using: &random) == nil)
    }
}
