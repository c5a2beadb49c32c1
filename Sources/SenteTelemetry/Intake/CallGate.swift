// SPDX-License-Identifier: Apache-2.0

import SenteSignals

/// Thins out, at the call, what all filters let pass: by a sample, then by limits that hold for all threads together.
///
/// No lock is taken. A sample is chosen by each thread's own count; a limit's count is a word that threads exchange.
final class CallGate: Sendable {
    let sampler: Sampler
    private let tables: [LimitTable]
    private let counts: GateCounts

    private init(_ sampler: Sampler, _ tables: [LimitTable], _ counts: GateCounts) {
        self.sampler = sampler
        self.tables = tables
        self.counts = counts
    }

    /// One that lets everything pass.
    convenience init() {
        self.init(Sampler(rate: 1), [], GateCounts())
    }

    /// The same with another sample; its limits count on.
    func sampling(_ rate: Double) -> CallGate { CallGate(Sampler(rate: rate), tables, counts) }

    /// The same with other limits, which begin to count.
    func limiting(_ limits: [RateLimit]) -> CallGate {
        CallGate(sampler, limits.map(LimitTable.init), counts)
    }

    var limits: [RateLimit] { tables.map(\.limit) }
    /// Whether everything passes.
    var isOpen: Bool { sampler.rate == 1 && tables.isEmpty }
    /// How many the sample left out.
    var sampled: Int { Int(counts.sampled.value) }
    /// How many were beyond a limit.
    var limited: Int { Int(counts.limited.value) }

    /// Nil when the signal does not pass; else how many limits held back before it: those that it owes already, and those of
    /// its kind since the last that passed.
    func take(namespace: String, id: String?, owing owed: Int, number: UInt64) -> Int? {
        guard sampler.admits(number) else {
            counts.sampled.add(1)
            return nil
        }
        guard !tables.isEmpty else { return owed }
        let now = Clock.monotonic
        var suppressed = owed
        for table in tables {
            let key = table.limit.key(namespace: namespace, id: id)
            switch table.take(key, owing: suppressed, at: now) {
            case .passes(let number): suppressed = number
            case .suppressed:
                counts.limited.add(1)
                return nil
            }
        }
        return suppressed
    }
}

/// What was held back, by all the gates that a telemetry ever had: a thread may ask an old one a moment longer.
private final class GateCounts: Sendable {
    let sampled = SharedWord(0)
    let limited = SharedWord(0)

    deinit {
        sampled.deallocate()
        limited.deallocate()
    }
}

/// The counts of one limit, by key.
private final class LimitTable: Sendable {
    let limit: RateLimit
    private let scale: LimitWindow.Scale
    private static let slots = 1_024
    private static let probes = 16
    /// For each slot its key's hash, 0 while it is free, and its window; behind them the window of all that found no slot.
    private let words: SharedWords

    init(_ limit: RateLimit) {
        self.limit = limit
        scale = LimitWindow.Scale(limit)
        words = SharedWords(count: 2 * Self.slots + 1)
    }

    deinit { words.deallocate() }

    func take(_ key: String, owing owed: Int, at now: Int64) -> RateLimiter.Decision {
        let place = window(of: key)
        while true {
            let seen = words[place]
            var window = LimitWindow(word: seen)
            let decision = window.take(at: now, owing: owed, scale)
            if words.exchange(place, seen, for: window.word) { return decision }
        }
    }

    /// Where the window of a key is; a free slot becomes its own for ever.
    private func window(of key: String) -> Int {
        let hash = Self.hash(key)
        for probe in 0..<Self.probes {
            let slot = 2 * ((Int(truncatingIfNeeded: hash) &+ probe) & (Self.slots - 1))
            if words[slot] == hash || words.exchange(slot, 0, for: hash) || words[slot] == hash {
                return slot + 1
            }
        }
        return 2 * Self.slots
    }

    /// FNV-1a, of 64 bits; never 0.
    private static func hash(_ key: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        // The low bits choose the slot.
        return max(1, hash ^ hash >> 32)
    }
}
