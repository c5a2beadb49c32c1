// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Endpoint list")
struct EndpointListTests {
    /// A list, and the chance and the time it is given.
    struct Trial {
        var list: EndpointList
        var random = Generator(seed: 5)
        var now = Instant(nanoseconds: 0)

        init(_ urls: [String], _ order: EndpointOrder = .listed) {
            list = EndpointList(urls, order: order)
        }

        mutating func next() -> String? {
            list.advance(at: now, using: &random)
            return list.currentURL
        }

        mutating func next(_ count: Int) -> [String?] { (0..<count).map { _ in next() } }

        /// As many of those not tried yet as there are, failing over from one to the next.
        mutating func failOver(_ count: Int) -> [String] {
            var tried: [String] = []
            while tried.count < count, list.hasUntried(at: now) {
                list.failOver(at: now, using: &random)
                next().map { tried.append($0) }
            }
            return tried
        }

        mutating func fail(_ prospect: Prospect, rest: Duration? = nil) {
            list.failed(prospect, rest: rest, at: now)
        }
    }

    @Test("in order, round after round, each once a round, doubles once")
    func listed() {
        var trial = Trial(["a", "b", "a", "c"])
        #expect(trial.next(7) == ["a", "b", "c", "a", "b", "c", "a"])
    }

    @Test("the last good one comes first, then the others")
    func lastGood() {
        var trial = Trial(["a", "b", "c"])
        _ = trial.next(2)
        trial.list.succeeded()
        #expect(trial.next(6) == ["b", "a", "c", "b", "a", "c"])
    }

    @Test(
        "The best that one of them leaves to hope for is what there is to hope for",
        arguments: [
            ([Prospect.elsewhere, .elsewhere], Prospect.elsewhere), ([.mendable, .elsewhere], .mendable),
            ([.hopeless, .mendable], .mendable), ([.hopeless, .elsewhere], .elsewhere),
            ([.hopeless, .hopeless], .hopeless), ([.hopeless], .mendable),
        ])
    func prospects(ends: [Prospect], best: Prospect) {
        var trial = Trial(["a", "b"])
        for end in ends {
            _ = trial.next()
            trial.fail(end)
        }
        #expect(trial.list.prospect == best)
        trial.list.startAnew()
        #expect(trial.list.prospect == .mendable)
    }

    @Test("What failed before the last open link does not count")
    func success() {
        var trial = Trial(["a", "b"])
        _ = trial.next()
        trial.fail(.hopeless)
        _ = trial.next()
        trial.list.succeeded()
        _ = trial.next()
        trial.fail(.hopeless)
        #expect(trial.list.prospect == .mendable)
    }

    @Test("One that asks for a rest is passed over until then, and none waits for it")
    func rest() {
        var trial = Trial(["a", "b"])
        _ = trial.next()
        trial.fail(.mendable, rest: .seconds(25))
        #expect(trial.list.notBefore(at: trial.now) == nil)
        #expect(trial.next(3) == ["b", "b", "b"])
        trial.now = Instant(nanoseconds: 25_000_000_000)
        #expect(trial.next(2) == ["a", "b"])
    }

    @Test("When all of them ask for a rest, the shortest holds")
    func allRest() {
        var trial = Trial(["a", "b"])
        for rest in [25, 10] {
            _ = trial.next()
            trial.fail(.mendable, rest: .seconds(rest))
        }
        #expect(trial.list.notBefore(at: trial.now) == Instant(nanoseconds: 10_000_000_000))
        // Who insists is not kept waiting.
        #expect(trial.next() == "a")
        trial.now = Instant(nanoseconds: 10_000_000_000)
        #expect(trial.list.notBefore(at: trial.now) == nil)
        #expect(trial.next() == "b")
    }

    @Test("shuffled, every round has each once, and every order comes")
    func shuffled() {
        var trial = Trial(["a", "b", "c"], .shuffled)
        var orders: Set<[String]> = []
        for _ in 0..<200 {
            let round = trial.next(3).compactMap(\.self)
            #expect(round.sorted() == ["a", "b", "c"])
            orders.insert(round)
        }
        #expect(orders.count == 6)
        let good = trial.next()
        trial.list.succeeded()
        #expect(trial.next() == good)
    }

    @Test("with one URL or none there is nothing to choose", arguments: [[], ["a"], ["a", "a"]])
    func single(urls: [String]) {
        var trial = Trial(urls)
        #expect(trial.next() == nil)
        for prospect in [Prospect.mendable, .elsewhere, .hopeless] {
            trial.fail(prospect)
            #expect(trial.list.prospect == prospect)
        }
        trial.fail(.mendable, rest: .seconds(3))
        #expect(trial.list.notBefore(at: trial.now) == Instant(nanoseconds: 3_000_000_000))
        trial.list.succeeded()
        #expect(trial.list.notBefore(at: trial.now) == nil)
        #expect(trial.next() == nil)
    }

    // MARK: Failing over

    @Test("goes to each of the others once, in their order, and then the last good one begins a round")
    func failsOver() {
        var trial = Trial(["a", "b", "c"])
        _ = trial.next(2)
        trial.list.succeeded()
        trial.list.lostStable()
        #expect(trial.failOver(5) == ["a", "c"])
        #expect(trial.next(4) == ["b", "a", "c", "b"])
    }

    @Test("goes nowhere twice before a link was stable or the app asks to connect")
    func triesOnce() {
        var trial = Trial(["a", "b", "c"])
        #expect(trial.next() == "a")
        trial.list.succeeded()
        trial.list.lostStable()
        #expect(trial.failOver(1) == ["b"])
        trial.list.succeeded()
        #expect(trial.failOver(1) == ["c"])
        trial.list.succeeded()
        #expect(trial.failOver(1) == [])
        trial.list.lostStable()
        #expect(trial.failOver(2) == ["a", "b"])
        trial.list.startAnew()
        #expect(trial.failOver(4) == ["a", "b", "c"])
    }

    @Test("passes over who asked for a rest, and finds those named meanwhile")
    func failsOverToReady() {
        var trial = Trial(["a", "b"])
        _ = trial.next(2)
        trial.fail(.mendable, rest: .seconds(9))
        _ = trial.next()
        trial.list.succeeded()
        trial.list.lostStable()
        #expect(!trial.list.hasUntried(at: trial.now))
        trial.list.learn(["c"])
        #expect(trial.failOver(3) == ["c"])
        trial.now = trial.now.advanced(by: .seconds(9))
        #expect(trial.failOver(3) == ["b"])
    }

    @Test("has nowhere to go from the only one", arguments: [[], ["a"]])
    func failsOverFromOne(urls: [String]) {
        var trial = Trial(urls)
        #expect(!trial.list.hasUntried(at: trial.now))
        _ = trial.next()
        trial.list.succeeded()
        trial.list.lostStable()
        #expect(!trial.list.hasUntried(at: trial.now))
    }

    @Test(
        "spreads those that fell from one server over the others, unless the app lists whom it prefers",
        arguments: [
            (["a"], EndpointOrder.listed, true), (["a", "b", "c", "d"], .shuffled, true),
            (["a", "b", "c", "d"], .listed, false),
        ])
    func spreads(configured: [String], order: EndpointOrder, isSpread: Bool) {
        var arrivals: [String: Int] = [:]
        for client in UInt64(0)..<3_000 {
            var trial = Trial(configured, order)
            trial.random = Generator(seed: client)
            while trial.next() != (configured.count > 1 ? "a" : nil) {}
            trial.list.succeeded()
            trial.list.learn(["a", "b", "c", "d"])
            trial.list.lostStable()
            arrivals[trial.failOver(1).first ?? "nowhere", default: 0] += 1
        }
        if isSpread {
            #expect(arrivals.count == 3 && arrivals.values.allSatisfy { (900...1_100).contains($0) })
        } else {
            #expect(arrivals == ["b": 3_000])
        }
    }

    // MARK: Those that a server names

    @Test("stand behind the app's own, each once, in place of those named before; where the client is stays")
    func learned() {
        var trial = Trial(["a", "b"])
        #expect(trial.next() == "a")
        trial.list.succeeded()
        trial.list.learn(["c", "b", "d", "c"])
        #expect(trial.list.currentURL == "a")
        var orders: Set<[String]> = []
        for _ in 0..<20 {
            #expect(trial.next(2) == ["a", "b"])
            orders.insert(trial.next(2).compactMap(\.self))
        }
        #expect(orders == [["c", "d"], ["d", "c"]])
        #expect(trial.next() == "a")
        trial.list.learn(["d"])
        #expect(trial.next(4) == ["a", "b", "d", "a"])
        #expect(trial.next(2) == ["b", "d"])
        trial.list.succeeded()
        trial.list.learn([])
        #expect(trial.list.currentURL == "d")
        #expect(trial.next(3) == ["d", "a", "b"])
    }

    @Test("a server that said it would stop comes last for a while, also when it is the only one")
    func left() {
        var trial = Trial(["a", "b"])
        _ = trial.next()
        trial.list.succeeded()
        trial.list.leave(until: trial.now.advanced(by: .seconds(30)))
        #expect(trial.next(3) == ["b", "b", "b"])
        trial.now = trial.now.advanced(by: .seconds(30))
        #expect(trial.next() == "a")
        var alone = Trial(["a"])
        _ = alone.next()
        alone.list.leave(until: alone.now.advanced(by: .seconds(30)))
        #expect(alone.next() == nil)
    }

    @Test("a place is spelled as the server's other URLs are")
    func places() {
        func url(_ place: String, _ like: String) -> String? { EndpointList.url(of: place, like: like) }
        #expect(url("10.0.0.2:8080", "ws://n1:80/chat?x=1") == "ws://10.0.0.2:8080/chat?x=1")
        #expect(url("n2.example.org:443", "wss://n1/") == "wss://n2.example.org:443/")
        #expect(url("[::1]:80", "ws://n1") == "ws://[::1]:80")
        #expect(url("10.0.0.2:443", "wss://n1/") == nil && url("[::1]:443", "WSS://n1/") == nil)
        for place in [
            "", ":80", "a", "a:", "a:0", "a:x", "a:99999", "a/b:80", "u@a:80", "a b:80", "a\r\n:80", "ä:80",
        ] {
            #expect(url(place, "ws://n1/") == nil, "\(place)")
        }
    }
}
