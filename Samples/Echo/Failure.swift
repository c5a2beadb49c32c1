// SPDX-License-Identifier: Apache-2.0

import SampleTerminal

/// Why the program ends early: a sentence for people, and the exit status.
struct Failure: Error {
    let message: String
    let status: Int32

    init(_ message: String, status: Int32 = 1) {
        self.message = message
        self.status = status
    }
}

/// Does a step and gives what it gave, or fails when it takes longer than the limit.
func within<Result: Sendable>(
    _ limit: Duration, _ step: String, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let result = first else {
            throw Failure("\(step) did not happen within \(limit.seconds).")
        }
        return result
    }
}

/// Fails with the sentence unless the condition holds.
func demand(_ condition: Bool, _ sentence: @autoclosure () -> String) throws {
    guard condition else { throw Failure(sentence()) }
}
