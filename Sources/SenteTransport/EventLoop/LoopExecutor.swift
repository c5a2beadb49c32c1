// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// Lets tasks run on the loop's thread: `await withTaskExecutorPreference(loop) { … }`. They must not block there.
@available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
extension EventLoop: TaskExecutor {
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let taken = tryPost { [unowned self] in
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
        // A task must run to its end even if its loop was shut down.
        if !taken {
            DispatchQueue.global().async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }
}
