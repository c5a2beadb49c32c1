// SPDX-License-Identifier: Apache-2.0

import SenteTransport

/// Runs tasks on the queue of a world, in turn with everything else that happens there.
@available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
final class WorldExecutor: TaskExecutor {
    private let time: VirtualTime
    private let pump: Pump

    init(_ time: VirtualTime, _ pump: Pump) {
        self.time = time
        self.pump = pump
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pump.wasTold()
        time.post(.app) { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// The app, as a world's clients know it.
final class WorldApp: VirtualApp {
    private let time: VirtualTime
    private let pump: Pump
    /// A `WorldExecutor` where there is such a thing.
    private let anyExecutor: (any Executor)?

    init(_ time: VirtualTime, _ pump: Pump) {
        self.time = time
        self.pump = pump
        if #available(macOS 15, iOS 18, tvOS 18, watchOS 11, *) {
            anyExecutor = WorldExecutor(time, pump)
        } else {
            anyExecutor = nil
        }
    }

    @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
    var executor: any TaskExecutor { anyExecutor as? any TaskExecutor ?? WorldExecutor(time, pump) }

    func wasTold() { pump.wasTold() }

    @discardableResult
    func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        if #available(macOS 15, iOS 18, tvOS 18, watchOS 11, *) {
            Task(executorPreference: executor) { await body() }
        } else {
            Task { await body() }
        }
    }
}
