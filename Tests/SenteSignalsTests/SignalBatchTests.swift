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
        var next = signals[5]
        next.sequence = 0
        next.withRecord { batch.append(records: $0.buffer) { _ in 77 } }
        #expect(Array(kept) == signals)
        #expect(batch.map(\.sequence) == [77])
    }

    @Test("records that lie one behind the other are taken at once; those without a number get the next ones")
    func together() {
        var bytes: [UInt8] = []
        for number in 0..<5 {
            var signal = signals[number]
            signal.sequence = number == 2 ? 9 : 0
            signal.withRecord { bytes += $0.buffer }
        }
        var batch = SignalBatch()
        var asked: [Int] = []
        bytes.withUnsafeBytes {
            batch.append(records: $0) { count in
                asked.append(count)
                return 40
            }
        }
        #expect(asked == [4] && batch.map(\.sequence) == [40, 41, 9, 42, 43])
        #expect(batch.map(\.namespace) == signals[..<5].map(\.namespace))
        batch.append(records: UnsafeRawBufferPointer(start: nil, count: 0)) { _ in 0 }
        #expect(batch.count == 5)
    }
}
