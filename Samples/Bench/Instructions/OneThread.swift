// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteTransport

/// A client's host and the executor of all tasks in one: what is posted and what is resumed runs in order, on the thread
/// that calls `run`.
///
/// Nothing depends on the machine then: not on how threads are scheduled, and not on the clock, which moves by itself.
final class OneThread: SenteTransport.Host, @unchecked Sendable {
    private enum Work {
        case posted(@Sendable () -> Void)
        case job(UnownedJob)
    }

    /// Whoever the process's tasks are given to.
    private nonisolated(unsafe) static var current: OneThread?

    private var queue: [Work] = []
    private var position = 0
    private var time: Int64 = 1_000_000_000

    /// Takes over every task of the process that belongs to no actor.
    ///
    /// Foundation's executor, Dispatch, has threads of its own, which valgrind 3.19 does not survive. The runtime's hook
    /// stands in its place; nil when this runtime has none.
    init?() {
        guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "swift_task_enqueueGlobal_hook") else { return nil }
        Self.current = self
        symbol.assumingMemoryBound(to: Hook.self).pointee = { job, _ in
            OneThread.current?.queue.append(.job(job))
        }
    }

    private typealias Original = @convention(thin) (UnownedJob) -> Void
    private typealias Hook = (@convention(thin) (UnownedJob, Original) -> Void)?

    /// Runs everything that is there, and what comes of it.
    func run() {
        while position < queue.count {
            let work = queue[position]
            position += 1
            if position == queue.count {
                queue.removeAll(keepingCapacity: true)
                position = 0
            }
            time += 1_000
            switch work {
            case .posted(let body): body()
            case .job(let job): job.runSynchronously(on: .generic)
            }
        }
    }

    // MARK: Host

    var now: Moment {
        Moment(instant: Instant(nanoseconds: time), wallMilliseconds: 1_700_000_000_000 + time / 1_000_000)
    }

    var isCurrent: Bool { true }

    var entropy: Entropy {
        Entropy { buffer in
            for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index &* 37 &+ 11) }
        }
    }

    func offload(_ work: @escaping @Sendable () -> Void) { post(work) }

    func post(_ work: @escaping @Sendable () -> Void) {
        queue.append(.posted(work))
    }

    func makeTimer(_ fire: @escaping @Sendable () -> Void) -> any HostTimer { UnfiredTimer() }

    /// Too little time passes for any to fire.
    private final class UnfiredTimer: HostTimer {
        private var instant: Instant?

        func arm(at instant: Instant?) { self.instant = instant }
    }
}

extension UnownedSerialExecutor {
    /// Where jobs of no actor run; Dispatch's threads name it the same way (`SerialExecutorRef::generic`).
    fileprivate static var generic: UnownedSerialExecutor {
        unsafeBitCast((0, 0), to: UnownedSerialExecutor.self)
    }
}
