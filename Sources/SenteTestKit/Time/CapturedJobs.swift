// SPDX-License-Identifier: Apache-2.0

import SenteTransport

/// While a time has its turn, what is given to the ordinary executor or to the main actor takes its turn there, too.
///
/// So it is known of an app's own tasks and of its main actor whether anything is left to do, and their order is the same in
/// each run. The runtime asks two hooks before it hands a job to an executor; what other threads give it goes where it always
/// does. Where the hooks are missing, everything does.
enum CapturedJobs {
    private typealias Enqueue = @convention(thin) (UnownedJob) -> Void
    private typealias Hook = @convention(thin) (UnownedJob, Enqueue) -> Void

    /// The time that has its turn; only times of the main queue ever are.
    private static let current = LockedValue<VirtualTime?>(nil)

    /// Runs `body` as a turn of `time`, on its queue.
    static func withTurn<Result>(of time: VirtualTime, _ body: () -> Result) -> Result {
        let former = current.withLock { current in
            defer { current = time }
            return current
        }
        defer { current.withLock { $0 = former } }
        return body()
    }

    /// Sets the hooks, once for the process, which then only look whether a time has its turn; false when they are missing.
    static let isPossible: Bool = {
        guard #available(macOS 15, iOS 18, tvOS 18, watchOS 11, *),
            let global = hook("swift_task_enqueueGlobal_hook"),
            let main = hook("swift_task_enqueueMainExecutor_hook")
        else { return false }
        global.pointee = { job, enqueue in
            guard let time = CapturedJobs.time else { return enqueue(job) }
            let executor = OrdinaryJobs(time)
            time.post(.world) { job.runSynchronously(on: executor.asUnownedTaskExecutor()) }
        }
        main.pointee = { job, enqueue in
            guard let time = CapturedJobs.time else { return enqueue(job) }
            time.post(.world) { job.runSynchronously(on: MainActor.sharedUnownedExecutor) }
        }
        return true
    }()

    /// The time that has its turn on this thread.
    private static var time: VirtualTime? {
        guard let time = current.withLock({ $0 }), time.isCurrent else { return nil }
        return time
    }

    private static func hook(_ name: String) -> UnsafeMutablePointer<Hook?>? {
        dlsym(dlopen(nil, RTLD_NOW), name)?.assumingMemoryBound(to: Hook?.self)
    }
}

/// Stands for the ordinary executor where a time runs its jobs.
@available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
private final class OrdinaryJobs: TaskExecutor {
    private let time: VirtualTime

    init(_ time: VirtualTime) {
        self.time = time
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        time.post(.world) { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
