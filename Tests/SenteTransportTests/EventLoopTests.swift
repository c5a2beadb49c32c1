// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTransport
import Testing

extension TransportTests {
    @Suite("EventLoop")
    struct EventLoopTests {
        @Test(
            "work posted by one thread runs in its order, on the loop", arguments: EventLoop.Polling.allCases)
        func postOrder(_ polling: EventLoop.Polling) async throws {
            try await withLoop(polling) { loop in
                let seen = Collector<Int>()
                for number in 0..<1000 {
                    loop.post {
                        #expect(loop.isCurrent)
                        seen.append(number)
                    }
                }
                #expect(!loop.isCurrent)
                #expect(await seen.wait { $0.count == 1000 } == Array(0..<1000))
            }
        }

        @Test(
            "work posted by many threads all runs, each thread's in order",
            arguments: EventLoop.Polling.allCases)
        func postStress(_ polling: EventLoop.Polling) async throws {
            try await withLoop(polling) { loop in
                let counts = Box([Int](repeating: 0, count: 8))
                await withTaskGroup(of: Void.self) { group in
                    for thread in 0..<8 {
                        group.addTask {
                            for number in 0..<5000 {
                                loop.post {
                                    #expect(counts.value[thread] == number)
                                    counts.value[thread] += 1
                                }
                            }
                        }
                    }
                }
                #expect(await loop.run { counts.value } == [Int](repeating: 5000, count: 8))
            }
        }

        @Test(
            "timers fire in the order of their deadlines, equal ones in that of arming",
            arguments: EventLoop.Polling.allCases)
        func timerOrder(_ polling: EventLoop.Polling) async throws {
            try await withLoop(polling) { loop in
                let fired = Collector<Int>()
                let timers = Box<[any HostTimer]>([])
                loop.post {
                    let start = loop.now.instant
                    for (index, milliseconds) in [30, 10, 20, 10, 0, -5].enumerated() {
                        let timer = loop.makeTimer { fired.append(index) }
                        timer.arm(at: start.advanced(by: .milliseconds(milliseconds)))
                        timers.value.append(timer)
                    }
                }
                #expect(await fired.wait { $0.count == 6 } == [5, 4, 1, 3, 2, 0])
                let armed = await loop.run { loop.timerCount }
                #expect(armed == 0)
            }
        }

        @Test(
            "a timer never fires early, nor when disarmed, re-armed later or released",
            arguments: EventLoop.Polling.allCases)
        func timerArming(_ polling: EventLoop.Polling) async throws {
            try await withLoop(polling) { loop in
                let fired = Collector<String>()
                let timers = Box<[any HostTimer]>([])
                loop.post {
                    let start = loop.now.instant
                    let due = start.advanced(by: .milliseconds(5))
                    let disarmed = loop.makeTimer { fired.append("disarmed") }
                    disarmed.arm(at: due)
                    disarmed.arm(at: nil)
                    loop.makeTimer { fired.append("released") }.arm(at: due)
                    let moved = loop.makeTimer { fired.append("moved") }
                    moved.arm(at: due)
                    let late = start.advanced(by: .milliseconds(40))
                    moved.arm(at: late)
                    let last = loop.makeTimer {
                        #expect(loop.now.instant >= late)
                        fired.append("last")
                    }
                    last.arm(at: late)
                    timers.value = [disarmed, moved, last]
                    #expect(loop.timerCount == 2)
                }
                #expect(await fired.wait { $0.contains("last") } == ["moved", "last"])
            }
        }

        @Test("a timer released on another thread leaves the loop")
        func timerReleasedElsewhere() async throws {
            try await withLoop(.standard) { loop in
                let timer = await loop.run { () -> Box<(any HostTimer)?> in
                    let timer = loop.makeTimer { Issue.record("fired") }
                    timer.arm(at: .distantFuture)
                    return Box(timer)
                }
                timer.value = nil
                let armed = await loop.run { loop.timerCount }
                #expect(armed == 0)
            }
        }

        @Test("a loop that was shut down drops work and tells nobody", arguments: EventLoop.Polling.allCases)
        func shutDown(_ polling: EventLoop.Polling) async throws {
            let loop = try EventLoop(polling: polling)
            await loop.run {}
            loop.shutDown()
            loop.shutDown()
            loop.post { Issue.record("ran after the end") }
        }

        @Test("a loop can be shut down from itself and is released")
        func shutDownFromItself() async throws {
            weak var weakLoop: EventLoop?
            let ended = Collector<Int>()
            do {
                let loop = try EventLoop()
                weakLoop = loop
                let witness = Witness { ended.append(1) }
                loop.post { withExtendedLifetime(witness) { loop.shutDown() } }
            }
            _ = await ended.wait { !$0.isEmpty }
            // The thread lets go of the loop as its last act.
            for _ in 0..<1000 where weakLoop != nil { await Task.yield() }
        }

        @Test("tasks can run on the loop")
        func taskExecutor() async throws {
            try await withLoop(.standard) { loop in
                let all = await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<50 {
                        group.addTask(executorPreference: loop) {
                            let before = loop.isCurrent
                            await Task.yield()
                            return before && loop.isCurrent
                        }
                    }
                    return await group.reduce(true) { $0 && $1 }
                }
                #expect(all)
            }
        }

        @Test("a task whose loop was shut down still ends")
        func taskAfterShutDown() async throws {
            let loop = try EventLoop()
            loop.shutDown()
            let value = await Task(executorPreference: loop) { 1 }.value
            #expect(value == 1)
        }

        @Test("the clock goes forward, and the wall clock is after 2024")
        func clocks() throws {
            let loop = try EventLoop()
            defer { loop.shutDown() }
            let (first, second) = (loop.now, loop.now)
            #expect(first.instant <= second.instant)
            #expect(first.wallMilliseconds > 1_700_000_000_000)
        }

        @Test("the shared loop is one")
        func shared() throws {
            #expect(try EventLoop.shared() === EventLoop.shared())
        }
    }
}

/// Says when it is released.
private final class Witness: Sendable {
    private let gone: @Sendable () -> Void

    init(_ gone: @escaping @Sendable () -> Void) {
        self.gone = gone
    }

    deinit { gone() }
}
