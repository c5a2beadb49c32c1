// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

/// What the storage of large data is doing.
struct StorageTasks {
    private let desk: LargeDataDesk?
    private var tasks: [StorageID: Task<Void, Never>] = [:]

    /// Without a desk nothing is asked of it.
    init(_ desk: LargeDataDesk?) {
        self.desk = desk
    }

    mutating func begin(
        _ id: StorageID, _ work: StorageWork, on host: any Host, tells submissions: SubmissionQueue
    ) {
        guard let desk else { return }
        tasks[id] = host.start {
            submissions.post([.input(.storageDone(id, await desk.outcome(of: work)))])
        }
    }

    mutating func cancel(_ id: StorageID) { tasks.removeValue(forKey: id)?.cancel() }

    mutating func ended(_ id: StorageID) { tasks[id] = nil }
}
