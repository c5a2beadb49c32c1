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

    // MARK: Those that a server names

    @Test("stand behind the app's own, each once, in place of those named before; where the client is stays")
    func learned() {
        var trial = Trial(["a", "b"])
        #expect(trial.next() == "a")
        trial.list.succeeded()
        trial.list.learn(["c", "b", "d", "c"])
        #expect(trial.list.currentURL == "a")
        #expect(trial.next(5) == ["a", "b", "c", "d", "a"])
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
