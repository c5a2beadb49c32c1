// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Does work that would hold up a loop, one piece after the other, on a thread that stands only while there is some.
///
/// Whoever gives it work sees to it that there is never much of it at once.
package final class Workbench: @unchecked Sendable {
    private let lock = Lock()
    private var queue: [@Sendable () -> Void] = []
    private var isRunning = false

    package init() {}

    package func add(_ work: @escaping @Sendable () -> Void) {
        let starts = lock.withLock {
            queue.append(work)
            defer { isRunning = true }
            return !isRunning
        }
        guard starts else { return }
        do throws(LinkFailure) {
            try SystemThread(name: "sente-work") { self.run() }.detach()
        } catch {
            // Without a thread it is done here: late is better than never.
            run()
        }
    }

    private func run() {
        while let work = next() { work() }
    }

    private func next() -> (@Sendable () -> Void)? {
        lock.withLock {
            guard !queue.isEmpty else {
                isRunning = false
                return nil
            }
            return queue.removeFirst()
        }
    }
}
