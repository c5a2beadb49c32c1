// SPDX-License-Identifier: Apache-2.0

import SenteTestSupport
import SenteTransport
import Testing

@Suite("Work beside a loop")
struct WorkbenchTests {
    @Test("Is done in order, one piece at a time, elsewhere than on the loop, whoever gives it")
    func order() async throws {
        let loop = try EventLoop()
        defer { loop.shutDown() }
        let done = Locked<[Int]>([])
        let wasOnLoop = Locked(false)
        for round in 0..<3 {
            for number in 0..<100 {
                loop.offload {
                    if loop.isCurrent { wasOnLoop.withLock { $0 = true } }
                    done.withLock { $0.append(round * 100 + number) }
                }
            }
            // Its thread may have gone meanwhile; the next piece has another.
            try await eventually("the round is done") { done.withLock { $0.count } == (round + 1) * 100 }
        }
        #expect(done.withLock { $0 } == Array(0..<300))
        #expect(wasOnLoop.withLock { !$0 })
    }
}
