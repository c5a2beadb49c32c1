// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore

/// Who is told how a call ended.
enum Waiter: Sendable {
    /// Not a checked one: that has no fixed layout, so that the runtime would copy, field by field, everything that holds it.
    case task(UnsafeContinuation<Result<Answer, SenteError>, Never>)
    case delivery(DeliveryResult)

    var isTask: Bool { if case .task = self { true } else { false } }

    func resume(_ result: consuming Result<Answer, SenteError>) {
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

/// Hears what the client does as it does it, on the loop; must not block, and leaves the app's code to its closures.
protocol ClientObserver: AnyObject, Sendable {
    /// Returns what is to run in order with the client's closures, if anything.
    func statusChanged(to status: ConnectionStatus, at now: Moment) -> (@Sendable () -> Void)?
    func recorded(_ signal: SessionSignal)
}
