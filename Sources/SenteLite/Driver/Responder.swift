// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire

/// Answers the requests of one channel, each on a task of its own; the session bounds how many.
final class Responder: InboxReceiver {
    typealias Body = @Sendable (Value) async throws -> Value

    private let inbox: InboxID
    private let submissions: SubmissionQueue
    private let body: Body

    init(_ inbox: InboxID, _ submissions: SubmissionQueue, _ body: @escaping Body) {
        self.inbox = inbox
        self.submissions = submissions
        self.body = body
    }

    func receive(_ elements: [InboxElement]) {
        for case .request(let request) in elements {
            Task { await answer(request) }
        }
        submissions.consumed(elements.count, from: inbox)
    }

    func finish() {}

    private func answer(_ request: IncomingRequest) async {
        do {
            let data = try await body(request.data)
            submissions.post(.answer(inbox, requestID: request.id, data: data, isError: false))
        } catch {
            let text = (error as? SenteError)?.message ?? String(describing: error)
            let data: Value = ["message": Value(text)]
            submissions.post(.answer(inbox, requestID: request.id, data: data, isError: true))
        }
    }
}
