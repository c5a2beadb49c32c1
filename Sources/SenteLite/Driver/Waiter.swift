// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// Who is told how a call ended.
enum Waiter: Sendable {
    case task(CheckedContinuation<Result<Answer, SenteError>, Never>)
    case delivery(DeliveryResult)

    func resume(_ result: Result<Answer, SenteError>) {
        switch self {
        case .task(let continuation): continuation.resume(returning: result)
        case .delivery(let delivery): delivery.resolve(result)
        }
    }
}

/// Takes what came through one inbox; called on the loop, and must not block.
protocol InboxReceiver: AnyObject, Sendable {
    func receive(_ elements: [InboxElement])
    func finish()
}

extension Mailbox<InboxElement>: InboxReceiver {
    func receive(_ elements: [InboxElement]) { put(elements) }
}
