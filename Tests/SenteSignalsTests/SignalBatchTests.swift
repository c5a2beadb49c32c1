// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import Testing

@Suite("Batches")
struct SignalBatchTests {
    private let signals: [Signal] = {
        var random = RandomSignals(seed: 3)
        return (0..<20).map { _ in random.next() }
    }()

    @Test("a batch gives its signals in order, as often as it is asked")
    func order() {
        let batch = SignalBatch(signals)
        #expect(batch.count == 20)
        #expect(Array(batch) == signals)
        #expect(Array(batch) == signals)
    }

    @Test("a part of it leaves the whole as it is")
    func part() {
        let batch = SignalBatch(signals)
        let part = batch.filter { $0.level >= .warn }
        #expect(Array(part) == signals.filter { $0.level >= .warn })
        #expect(Array(batch) == signals)
    }

    @Test("one that is kept is not touched when the next is filled")
    func kept() {
        var batch = SignalBatch(signals)
        let kept = batch
        batch.removeAll()
        signals[5].withRecord { batch.append($0, sequence: 77) }
        #expect(Array(kept) == signals)
        #expect(batch.map(\.sequence) == [77])
    }
}
