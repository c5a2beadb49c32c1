// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport
import SenteWire

/// Answers the requests of one channel, each on a task of its own; the session bounds how many.
final class Responder: InboxReceiver {
    typealias Body = @Sendable (Value) async throws -> Value

    private let channel: String
    private let inbox: InboxID
    private let options: SendOptions
    private let submissions: SubmissionQueue
    private let entropy: Entropy
    private let body: Body

    init(
        _ channel: String, _ inbox: InboxID, _ options: SendOptions, _ submissions: SubmissionQueue,
        entropy: Entropy, _ body: @escaping Body
    ) {
        self.channel = channel
        self.inbox = inbox
        self.options = options
        self.submissions = submissions
        self.entropy = entropy
        self.body = body
    }

    func receive(_ elements: [InboxElement]) {
        for case .request(let request) in elements {
            submissions.host.start { await self.answer(request) }
        }
        submissions.consumed(elements.count, from: inbox)
    }

    func finish() {}

    private func answer(_ request: IncomingRequest) async {
        do {
            let answer = try await within(request.trace) { try await body(request.data) }
            post(answer, to: request, isError: false)
        } catch let error as RemoteError {
            post(error.value, to: request, isError: true)
        } catch {
            // What went wrong in here is nobody else's business: the text may hold anything.
            let id = entropy.uuid().description
            let text = (error as? SenteError)?.description ?? String(describing: error)
            submissions.note(.responderFailed(channel: channel, id: id, text: text))
            post(RemoteError.internalError(id: id).value, to: request, isError: true)
        }
    }

    private func post(_ data: Value, to request: IncomingRequest, isError: Bool) {
        submissions.post(
            .answer(
                inbox, requestID: request.id, data: data, isError: isError, options: options,
                trace: request.trace))
    }
}
