// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import SenteWire
import Testing

@Suite("What a handler gets")
struct HandlerSieveTests {
    /// Asks the parts one after the other, signal by signal.
    private struct Oracle {
        let filter: SignalFilter
        let sampler: Sampler
        var limiters: [RateLimiter]
        var (filtered, sampled, limited) = (0, 0, 0)

        init(_ filter: SignalFilter, _ sampler: Sampler, _ limits: [RateLimit]) {
            self.filter = filter
            self.sampler = sampler
            limiters = limits.map(RateLimiter.init)
        }

        mutating func passes(_ signal: Signal) -> Signal? {
            guard filter.admits(signal) else {
                filtered += 1
                return nil
            }
            guard sampler.admits(signal.sequence) else {
                sampled += 1
                return nil
            }
            var (signal, suppressed) = (signal, 0)
            for index in limiters.indices {
                let key = limiters[index].limit.key(namespace: signal.namespace, id: signal.id)
                guard case .passes(let number) = limiters[index].take(key, owing: suppressed, at: signal.time)
                else {
                    limited += 1
                    return nil
                }
                suppressed = number
            }
            if suppressed > 0 { signal.data["suppressed-count" as Keyword] = .integer(Int64(suppressed)) }
            return signal
        }
    }

    private static func names(_ patterns: [SignalPattern], _ random: inout Generator) -> SignalFilter.Names {
        func some() -> [SignalPattern] { patterns.filter { _ in Int.random(in: 0..<4, using: &random) == 0 } }
        return SignalFilter.Names(allow: Bool.random(using: &random) ? nil : some() + some(), deny: some())
    }

    /// Each part is there or not, so that all ways to decide are taken.
    private static func filter(_ random: inout Generator) -> SignalFilter {
        func isThere() -> Bool { Int.random(in: 0..<3, using: &random) == 0 }
        let levels = SignalLevel.named
        var filter = SignalFilter()
        if isThere() { filter.minimumLevel = levels.randomElement(using: &random) }
        if isThere() {
            filter.levels = ["a.b", "a(.*)", "*"].shuffled(using: &random).prefix(2).map { pattern in
                .init(SignalPattern(pattern), levels.randomElement(using: &random) ?? .info)
            }
        }
        if isThere() { filter.namespaces = names(["a", "a.*", "b", "*"], &random) }
        if isThere() { filter.ids = names(["a/x", "*/y", "a.b/*", "plain"], &random) }
        if isThere() { filter.kinds = Bool.random(using: &random) ? [.event, .log] : [.span] }
        return filter
    }

    private static func signal(_ sequence: Int, at time: inout Int64, _ random: inout Generator) -> Signal {
        time += Int64.random(in: -1...6, using: &random)
        let namespace = ["a", "a.b", "b"].randomElement(using: &random) ?? ""
        let id = [nil, "plain", namespace + "/x", namespace + "/y"].randomElement(using: &random) ?? nil
        return Signal(
            time: time, level: SignalLevel.named.randomElement(using: &random) ?? .info,
            kind: [.event, .log, .span].randomElement(using: &random) ?? .log, namespace: namespace, id: id,
            data: [.keyword("n"): .integer(Int64(sequence))], sequence: UInt64(sequence))
    }

    @Test(
        "it is what its filter, its sample and its limits let pass, in this order, and the rest is counted",
        arguments: 0..<300 as Range<UInt64>)
    func oracle(seed: UInt64) {
        var random = Generator(seed: seed)
        let filter = Self.filter(&random)
        let sampler = Sampler(rate: [1, 1, 0.5].randomElement(using: &random) ?? 1)
        let keys: [RateLimit.Key] = [.all, .namespace, .id]
        let limits = keys.shuffled(using: &random).prefix(Int.random(in: 0...2, using: &random)).map { key in
            RateLimit(
                Int.random(in: 1...4, using: &random),
                per: .nanoseconds(Int.random(in: 5...40, using: &random)), each: key)
        }
        var sieve = HandlerSieve(filter: filter, sampler: sampler, limits: limits)
        var oracle = Oracle(filter, sampler, limits)
        var time: Int64 = 1_000
        for batch in 0..<10 {
            let signals = (0..<20).map { Self.signal(20 * batch + $0, at: &time, &random) }
            let passed = Array(sieve.sift(SignalBatch(signals)))
            #expect(passed == signals.compactMap { oracle.passes($0) })
        }
        #expect(sieve.filtered == oracle.filtered)
        #expect(sieve.sampled == oracle.sampled)
        #expect(sieve.limited == oracle.limited)
    }

    @Test(
        "however many limits there are, each signal passes or is told of by one that does",
        arguments: 0..<100 as Range<UInt64>)
    func conservation(seed: UInt64) {
        var random = Generator(seed: seed)
        let keys: [RateLimit.Key] = [.all, .namespace, .id]
        let limits = keys.shuffled(using: &random).map { key in
            RateLimit(
                Int.random(in: 1...4, using: &random),
                per: .nanoseconds(Int.random(in: 5...40, using: &random)), each: key)
        }
        var sieve = HandlerSieve(filter: SignalFilter(), sampler: Sampler(rate: 1), limits: limits)
        var time: Int64 = 1_000
        var signals = (0..<200).map { Self.signal($0, at: &time, &random) }
        // Each id and namespace comes once more when all intervals have ended, and pays what is owed.
        let last = Dictionary(grouping: signals) { $0.namespace + ($0.id ?? " ") }.values.compactMap(\.last)
        for (number, signal) in zip(1..., last) {
            var signal = signal
            signal.time = time + Int64(number) * 100
            signals.append(signal)
        }
        let passed = sieve.sift(SignalBatch(signals))
        let told = passed.compactMap { $0.data["suppressed-count" as Keyword]?.integerValue }.reduce(0, +)
        #expect(sieve.limited > 0 && sieve.limited == Int(told))
        #expect(passed.count + sieve.limited == signals.count)
    }

    @Test("a signal that tells what was held back still says which handler raised it")
    func origin() {
        var sieve = HandlerSieve(
            filter: SignalFilter(), sampler: Sampler(rate: 1), limits: [RateLimit(1, per: .nanoseconds(10))])
        var batch = SignalBatch()
        for time in [0, 1, 10] as [Int64] {
            batch.append(Signal(time: time, namespace: "a", id: "a/x"), origin: 7)
        }
        var origins: [UInt16] = []
        let passed = sieve.sift(batch)
        passed.forEachRecord { origins.append($0.origin) }
        #expect(origins == [7, 7] && passed.hasRaised)
    }

    @Test("what limits before its own held back is told beside what they do")
    func limitsBefore() {
        var sieve = HandlerSieve(
            filter: SignalFilter(), sampler: Sampler(rate: 1), limits: [RateLimit(1, per: .nanoseconds(10))])
        let signals = [(0, 0), (1, 3), (2, 0), (10, 4), (11, 5), (20, 0), (30, 7)].map { time, before in
            Signal(
                time: time, namespace: "a", id: "a/x",
                data: before == 0 ? [:] : [.keyword("suppressed-count"): .integer(before)])
        }
        let told = sieve.sift(SignalBatch(signals)).map { $0.data["suppressed-count" as Keyword] }
        #expect(told == [nil, 9, 6, 7])
    }
}
