// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// An enqueued message, and what becomes of it.
///
/// It keeps its client. Dropping it changes nothing for the message, as long as something else keeps the
/// client.
public final class Delivery: Sendable {
    private let client: SenteClient
    private let call: CallID
    private let result: DeliveryResult

    init(_ client: SenteClient, _ call: CallID, _ result: DeliveryResult) {
        self.client = client
        self.call = call
        self.result = result
    }

    /// What became of the message, as soon as that is known.
    ///
    /// Cancelling the task that waits changes nothing; `cancel()` ends the wait.
    public var outcome: Outcome {
        get async {
            switch await result.wait() {
            case .success(.published(let receipt)): receipt.outcome
            case .success: .written
            case .failure(let error): error.outcome ?? .notSent
            }
        }
    }

    /// Why it was not sent, or why that is not known.
    ///
    /// nil while it is under way, and when it was sent.
    public var error: SenteError? {
        guard case .failure(let error) = result.value else { return nil }
        return error
    }

    /// Takes the message back if it still waits, which then is *not sent*; else its outcome is *unknown*.
    ///
    /// Does nothing once the outcome is known.
    public func cancel() {
        client.driver.submissions.post(.cancel(call))
    }
}
