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
        guard case .failure(let error) = result.known else { return nil }
        return error
    }

    /// Takes the message back if it still waits, which then is *not sent*; else its outcome is *unknown*.
    ///
    /// Does nothing once the outcome is known.
    public func cancel() {
        client.driver.intake.post(.cancel(call))
    }
}

/// Where the driver leaves the result of a call that no task has to wait for.
final class DeliveryResult: Sendable {
    typealias Content = Result<Answer, SenteError>

    private struct State {
        var result: Content?
        var waiters: [CheckedContinuation<Content, Never>] = []
    }

    private let state = Guarded(State())
    /// Told the result once, wherever it becomes known.
    private let observer: (@Sendable (Content) -> Void)?

    init(_ observer: (@Sendable (Content) -> Void)? = nil) {
        self.observer = observer
    }

    var known: Content? { state.withLock { $0.result } }

    func resolve(_ result: Content) {
        let waiters = state.withLock { state -> [CheckedContinuation<Content, Never>]? in
            guard state.result == nil else { return nil }
            state.result = result
            defer { state.waiters = [] }
            return state.waiters
        }
        guard let waiters else { return }
        observer?(result)
        for waiter in waiters { waiter.resume(returning: result) }
    }

    func wait() async -> Content {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state -> Content? in
                if state.result == nil { state.waiters.append(continuation) }
                return state.result
            }
            if let known { continuation.resume(returning: known) }
        }
    }
}
