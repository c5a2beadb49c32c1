// SPDX-License-Identifier: Apache-2.0

import SampleOptions
import SenteTransport

extension EventLoop {
    /// Runs a task on the loop's thread.
    func runTask<T: Sendable>(_ body: @Sendable () async throws -> T) async throws -> T {
        guard #available(macOS 15, iOS 18, tvOS 18, watchOS 11, *) else {
            throw UsageError("Tasks run on a loop's thread from macOS 15 on only.")
        }
        return try await withTaskExecutorPreference(self) { try await body() }
    }
}
