// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire

/// What a test has its server answer.
struct ScriptedAnswers: Sendable {
    typealias Answer<Question> = @Sendable (Question) async throws -> Value

    var requests: [String: Answer<Value>] = [:]
    var events: [Keyword: @Sendable (Event) async -> Value?] = [:]

    /// What an answer came to; what it throws goes to the client as a service's error does.
    static func result(_ body: () async throws -> Value) async -> (data: Value, isError: Bool) {
        do {
            return (try await body(), false)
        } catch {
            return (["message": Value((error as? SenteError)?.message ?? String(describing: error))], true)
        }
    }
}
