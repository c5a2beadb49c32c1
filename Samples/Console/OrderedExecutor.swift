// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// Runs the beginnings of tasks in the order in which they were made, so that calls leave in the order of their lines.
@available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
final class OrderedExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "console.calls")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
