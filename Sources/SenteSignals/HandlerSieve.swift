// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// Decides which signals a handler gets: by its filter, then its sample, then its limits, and counts what it does not get.
package struct HandlerSieve: Sendable {
    private let filter: SignalFilter
    private let hasRules: Bool
    private let sampler: Sampler
    private var limiters: [RateLimiter]
    package private(set) var filtered = 0
    package private(set) var sampled = 0
    package private(set) var limited = 0

    package init(filter: SignalFilter, sampler: Sampler, limits: [RateLimit]) {
        self.filter = filter
        self.sampler = sampler
        limiters = limits.map(RateLimiter.init)
        hasRules =
            !filter.levels.isEmpty || !filter.namespaces.isOpen || !filter.ids.isOpen || filter.kinds != nil
    }

    /// The signals that pass; one before which others of its kind were held back says how many, in `suppressed-count`.
    package mutating func sift(_ batch: SignalBatch) -> SignalBatch {
        guard limiters.isEmpty else { return limit(batch) }
        if !hasRules, filter.minimumLevel == nil, sampler.rate == 1 { return batch }
        return batch.filter { admits($0) }
    }

    private mutating func limit(_ batch: SignalBatch) -> SignalBatch {
        var passed = SignalBatch()
        batch.forEachRecord { record in
            guard admits(record) else { return }
            var signal = Signal(record)
            let owed = signal.suppressedCount
            var suppressed = owed
            for index in limiters.indices {
                let key = limiters[index].limit.key(namespace: signal.namespace, id: signal.id)
                switch limiters[index].take(key, owing: suppressed, at: signal.time) {
                case .suppressed:
                    limited += 1
                    return
                case .passes(let number): suppressed = number
                }
            }
            guard suppressed > owed else { return passed.append(record.buffer) }
            signal.data["suppressed-count" as Keyword] = .integer(Int64(suppressed))
            passed.append(signal, origin: record.origin)
        }
        return passed
    }

    private mutating func admits(_ record: SignalRecord) -> Bool {
        guard passesFilter(record) else {
            filtered += 1
            return false
        }
        guard sampler.admits(record.sequence) else {
            sampled += 1
            return false
        }
        return true
    }

    private func passesFilter(_ record: SignalRecord) -> Bool {
        guard hasRules else { return filter.minimumLevel.map { record.level >= $0 } ?? true }
        let namespace = record.namespace
        let minimum =
            filter.levels.first { $0.namespaces.matches(namespace) }?.minimumLevel ?? filter.minimumLevel
        return minimum.map { record.level >= $0 } ?? true
            && filter.kinds?.contains(record.kind) ?? true && filter.namespaces.admits(namespace)
            && (filter.ids.isOpen || record.withID { $0.map(filter.ids.admits) ?? true })
    }
}

extension Signal {
    /// How many limits have held back before it, as it says itself; who wrote it may have written anything.
    package var suppressedCount: Int {
        let count = data.value(named: "suppressed-count")?.integerValue ?? 0
        return Int(min(max(0, count), Int64(LimitWindow.most)))
    }
}

extension SignalRecord {
    /// Calls with the id in one piece.
    package func withID<R>(_ body: (Text?) -> R) -> R {
        guard let id else { return body(nil) }
        guard let namespace = id.namespace else { return body(id.name) }
        let whole = Array(namespace) + CollectionOfOne(UInt8(ascii: "/")) + Array(id.name)
        return whole.withUnsafeBufferPointer(body)
    }
}
