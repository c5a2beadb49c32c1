// SPDX-License-Identifier: Apache-2.0

import Dispatch
import SenteBase
import SenteTestSupport
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

        @Test(
            "what was in time is handed over before what is due fires, however late the loop gets to both",
            arguments: EventLoop.Polling.allCases)
        func lateTimers(_ polling: EventLoop.Polling) async throws {
            try await withLoop(polling) { loop in
                let order = Collector<String>()
                let held = Box<[Any]>([])
                loop.post {
                    let pair = SocketPair(on: loop, order)
                    pair.write()
                    let timer = loop.makeTimer { order.append("timer") }
                    timer.arm(at: loop.now.instant)
                    held.value = [pair, timer]
                }
                #expect(await order.wait { $0.count == 3 } == ["read", "handed over", "timer"])
                await loop.run { held.value = [] }
            }
        }

        @Test(
            "what another thread posts waits for one round of a turn, not for all",
            arguments: EventLoop.Polling.allCases)
        func postBetweenRounds(_ polling: EventLoop.Polling) async throws {
            try await withLoop(polling) { loop in
                let order = Collector<String>()
                let held = Box<[Any]>([])
                loop.post {
                    let member = Rounds(of: loop, order) {
                        let hasPosted = DispatchSemaphore(value: 0)
                        DispatchQueue.global().async {
                            loop.post { order.append("posted") }
                            hasPosted.signal()
                        }
                        hasPosted.wait()
                    }
                    loop.finishTurn(member)
                    held.value = [member]
                }
                #expect(await order.wait { $0.count >= 3 }.prefix(3) == ["round", "posted", "round"])
                await loop.run { held.value = [] }
            }
        }

        @Test(
            "after a large message the loop looks at its sockets before the next",
            arguments: EventLoop.Polling.allCases)
        func socketsBetweenRounds(_ polling: EventLoop.Polling) async throws {
            for isLarge in [false, true] {
                try await withLoop(polling) { loop in
                    let order = Collector<String>()
                    let held = Box<[Any]>([])
                    loop.post {
                        let pair = SocketPair(on: loop, order)
                        let member = Rounds(of: loop, order) {
                            pair.write()
                            if isLarge { loop.noteBytes(64 << 10) }
                        }
                        loop.finishTurn(member)
                        held.value = [pair, member]
                    }
                    let seen = await order.wait { $0.contains("handed over") }
                    #expect(seen.prefix(2) == ["round", isLarge ? "read" : "round"])
                    await loop.run { held.value = [] }
                }
            }
        }

        @Test("a timer that what came has moved does not fire", arguments: EventLoop.Polling.allCases)
        func movedTimer(_ polling: EventLoop.Polling) async throws {
            try await withLoop(polling) { loop in
                let order = Collector<String>()
                let held = Box<[Any]>([])
                loop.post {
                    let timer = loop.makeTimer { order.append("timer") }
                    let pair = SocketPair(on: loop, order) { timer.arm(at: nil) }
                    pair.write()
                    timer.arm(at: loop.now.instant)
                    held.value = [pair, timer]
                }
                _ = await order.wait { $0.contains("handed over") }
                #expect(await loop.run { loop.timerCount } == 0)
                #expect(order.elements == ["read", "handed over"])
                await loop.run { held.value = [] }
            }
        }

        @Test(
            "what came while the loop stood still is handed over before what other threads posted, and that runs before what is due",
            arguments: EventLoop.Polling.allCases)
        func lateTimersAndPosts(_ polling: EventLoop.Polling) async throws {
            try await withLoop(polling) { loop in
                let order = Collector<String>()
                let held = Box<[Any]>([])
                let (stands, goesOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
                loop.post {
                    let timer = loop.makeTimer { order.append("timer") }
                    timer.arm(at: loop.now.instant)
                    let pair = SocketPair(on: loop, order)
                    pair.write()
                    held.value = [timer, pair]
                    stands.signal()
                    goesOn.wait()
                }
                stands.wait()
                loop.post { order.append("posted") }
                goesOn.signal()
                #expect(
                    await order.wait { $0.count == 4 } == ["read", "handed over", "posted", "timer"])
                await loop.run { held.value = [] }
            }
        }

        @Test(
            "a loop that is stopped after its look at the sockets looks again before anything is declared late",
            arguments: [false, true])
        func stoppedAfterLook(isInterrupted: Bool) async throws {
            let poller = StoppedPoller(try PollPoller())
            poller.reports = !isInterrupted
            let loop = try EventLoop(poller: poller)
            defer { loop.shutDown() }
            let order = Collector<String>()
            let held = Box<[Any]>([])
            loop.post {
                let pair = SocketPair(on: loop, order)
                let due = loop.now.instant.advanced(by: .microseconds(200))
                let timer = loop.makeTimer { order.append("timer") }
                timer.arm(at: due)
                poller.afterLook = {
                    pair.write()
                    while loop.now.instant < due {}
                }
                held.value = [pair, timer]
            }
            #expect(await order.wait { $0.count == 3 } == ["read", "handed over", "timer"])
            await loop.run { held.value = [] }
        }

        @Test("more descriptors than one wait can name are all read before anything is declared late")
        func manyReady() async throws {
            try await withLoop(.standard) { loop in
                let order = Collector<String>()
                let held = Box<[Any]>([])
                loop.post {
                    let pairs = (0..<300).map { _ in SocketPair(on: loop, order) }
                    for pair in pairs { pair.write() }
                    let timer = loop.makeTimer { order.append("timer") }
                    timer.arm(at: loop.now.instant)
                    held.value = pairs + [timer]
                }
                let all = await order.wait { $0.contains("timer") }
                #expect(all.count { $0 == "handed over" } == 300)
                await loop.run { held.value = [] }
            }
        }

        @Test("a timer that is armed in the past by its own firing does not keep the loop from its sockets")
        func rearmedTimer() async throws {
            try await withLoop(.standard) { loop in
                let timers = Box<[any HostTimer]>([])
                loop.post {
                    let timer = loop.makeTimer { timers.value.first?.arm(at: .distantPast) }
                    timer.arm(at: .distantPast)
                    timers.value = [timer]
                }
                for _ in 0..<10 { await loop.run {} }
                await loop.run { timers.value = [] }
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
                let recorder = Witness { ended.append(1) }
                loop.post { withExtendedLifetime(recorder) { loop.shutDown() } }
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

/// Asks for six rounds, and does something in the first.
///
/// Used on the loop only.
private final class Rounds: LoopMember {
    private let loop: EventLoop
    private let order: Collector<String>
    private let first: () -> Void
    private var count = 0

    init(of loop: EventLoop, _ order: Collector<String>, first: @escaping () -> Void) {
        self.loop = loop
        self.order = order
        self.first = first
    }

    func ready(_ descriptor: Int32, _ readiness: Readiness) {}

    func turnEnds() {
        count += 1
        order.append("round")
        if count == 1 { first() }
        if count < 6 { loop.finishTurn(self) }
    }

    func loopStopped() {}
}

/// Two connected sockets, of which a loop reads one.
///
/// Used on the loop only.
private final class SocketPair: LoopMember {
    private let loop: EventLoop
    private let order: Collector<String>
    private let handOver: () -> Void
    private var ends: [Int32] = [-1, -1]

    init(on loop: EventLoop, _ order: Collector<String>, handOver: @escaping () -> Void = {}) {
        self.loop = loop
        self.order = order
        self.handOver = handOver
        #if canImport(Glibc)
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        #else
        #expect(socketpair(AF_UNIX, SOCK_STREAM, 0, &ends) == 0)
        #endif
        #expect(throws: Never.self) { try loop.adopt(ends[0], .read, self) }
    }

    deinit { close(ends[1]) }

    func write() {
        #expect(send(ends[1], "x", 1, 0) == 1)
    }

    func ready(_ descriptor: Int32, _ readiness: Readiness) {
        var byte: UInt8 = 0
        #expect(recv(descriptor, &byte, 1, 0) == 1)
        order.append("read")
        loop.finishTurn(self)
    }

    func turnEnds() {
        order.append("handed over")
        handOver()
        loop.close(ends[0])
    }

    func loopStopped() {}
}

/// Does something once after a look at the sockets, as if the process had been stopped there.
final class StoppedPoller: Poller, @unchecked Sendable {
    private let poller: PollPoller
    /// How many descriptors it refuses before it takes one.
    var refusals = 0
    var afterLook: (() -> Void)?
    /// Whether the look counts; else it was interrupted.
    var reports = true

    init(_ poller: sending PollPoller) {
        self.poller = poller
    }

    func add(_ descriptor: Int32, generation: UInt32, interest: Interest) throws(LinkFailure) {
        if refusals > 0 {
            refusals -= 1
            throw LinkFailure(.unavailable, "There is no memory to watch a descriptor.")
        }
        try poller.add(descriptor, generation: generation, interest: interest)
    }

    func update(_ descriptor: Int32, generation: UInt32, interest: Interest) {
        poller.update(descriptor, generation: generation, interest: interest)
    }

    func remove(_ descriptor: Int32) { poller.remove(descriptor) }
    func wake() { poller.wake() }
    func close() { poller.close() }

    func wait(milliseconds: Int32, into ready: inout [ReadyDescriptor]) -> Bool {
        guard let afterLook else { return poller.wait(milliseconds: milliseconds, into: &ready) }
        self.afterLook = nil
        let hasSeenAll = poller.wait(milliseconds: milliseconds, into: &ready)
        afterLook()
        return hasSeenAll && reports
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
