// SPDX-License-Identifier: Apache-2.0

/// What was waited for did not happen.
package struct Overdue: Error, CustomStringConvertible {
    let what: String
    let limit: Duration

    package init(what: String, limit: Duration) {
        self.what = what
        self.limit = limit
    }

    package var description: String { "Within \(limit) this did not happen: \(what)." }
}

/// Runs `body`, which must end when it is cancelled, for at most `limit`.
package func bounded<Result: Sendable>(
    _ what: String, within limit: Duration = .seconds(300),
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let result = first else {
            throw Overdue(what: what, limit: limit)
        }
        return result
    }
}

/// Looks again and again, for what tells nobody when it changes.
package func eventually(
    _ what: String, within limit: Duration = .seconds(300), _ condition: @escaping @Sendable () async -> Bool
) async throws {
    try await bounded(what, within: limit) {
        while await !condition() {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}
