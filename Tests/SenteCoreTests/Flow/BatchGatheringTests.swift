// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Batch gathering")
struct BatchGatheringTests {
    private func gathering() -> BatchGathering<Int> { .init(limits: .init(messages: 3, bytes: 100)) }

    private func texts(_ batches: [BatchGathering<Int>.Batch]) -> [String] {
        batches.map { "\($0.items) \($0.reason)" }
    }

    @Test("So many messages are a batch")
    func count() {
        var gathering = gathering()
        #expect(texts(gathering.add(1, bytes: 1)) == [])
        #expect(texts(gathering.add(2, bytes: 1)) == [])
        #expect(texts(gathering.add(3, bytes: 1)) == ["[1, 2, 3] count"])
        #expect(texts(gathering.flush(.idle)) == [])
    }

    @Test("One that would be too many bytes begins the next batch")
    func bytes() {
        var gathering = gathering()
        _ = gathering.add(1, bytes: 49)
        _ = gathering.add(2, bytes: 49)
        #expect(texts(gathering.add(3, bytes: 3)) == ["[1, 2] bytes"])
        #expect(texts(gathering.flush(.idle)) == ["[3] idle"])
    }

    @Test("What is in a hurry or large goes alone, behind what came before it")
    func alone() {
        var gathering = gathering()
        _ = gathering.add(1, bytes: 1)
        #expect(texts(gathering.add(2, bytes: 1, goesAlone: true)) == ["[1] urgent", "[2] urgent"])
        #expect(texts(gathering.add(3, bytes: 50)) == ["[3] urgent"])
    }

    @Test(
        "Whatever is added, everything leaves in order, in batches within the limits",
        arguments: UInt64(0)..<20)
    func order(seed: UInt64) {
        var random = Generator(seed: seed)
        var gathering = gathering()
        var batches: [BatchGathering<Int>.Batch] = []
        var sizes: [Int] = []
        for number in 0..<500 {
            sizes.append(Int.random(in: 0..<60, using: &random))
            batches += gathering.add(
                number, bytes: sizes[number], goesAlone: Int.random(in: 0..<9, using: &random) == 0)
            if Int.random(in: 0..<9, using: &random) == 0 { batches += gathering.flush(.time) }
        }
        batches += gathering.flush(.idle)
        #expect(batches.flatMap(\.items) == Array(0..<500))
        for batch in batches {
            #expect((1...3).contains(batch.items.count))
            #expect(batch.items.count == 1 || batch.items.reduce(0) { $0 + sizes[$1] } <= 100)
        }
    }

    // MARK: The delay

    private let start = Instant(nanoseconds: 0)
    private func after(_ milliseconds: Int) -> Instant { start.advanced(by: .milliseconds(milliseconds)) }

    @Test("Without a linger nothing ever waits")
    func noLinger() {
        var delay = BatchDelay(linger: .zero, flushesWhenIdle: false)
        delay.left(at: start)
        #expect(delay.end(oldest: start, isFull: false, at: start) == nil)
    }

    @Test("A message waits for company as long as it may, and no longer; a full batch goes")
    func linger() {
        let delay = BatchDelay(linger: .milliseconds(10), flushesWhenIdle: false)
        #expect(delay.end(oldest: start, isFull: false, at: start) == after(10))
        #expect(delay.end(oldest: start, isFull: false, at: after(9)) == after(10))
        #expect(delay.end(oldest: start, isFull: false, at: after(10)) == nil)
        #expect(delay.end(oldest: start, isFull: true, at: start) == nil)
    }

    @Test("A message that finds nothing under way goes at once, the next ones wait")
    func idle() {
        var delay = BatchDelay(linger: .milliseconds(10), flushesWhenIdle: true)
        #expect(delay.end(oldest: start, isFull: false, at: start) == nil)
        delay.left(at: start)
        #expect(delay.end(oldest: after(1), isFull: false, at: after(1)) == after(11))
        #expect(delay.end(oldest: after(1), isFull: false, at: after(11)) == nil)
        #expect(delay.end(oldest: after(30), isFull: false, at: after(30)) == nil)
    }
}
