// SPDX-License-Identifier: Apache-2.0

import Dispatch
import SenteCore
import SenteTransport

/// A client's way to its store: in before a message is sent, out when it is done, off the loop.
final class DurableMessages: Sendable {
    private let store: any OutboxStore
    private let clientID: String
    private let queue = DispatchQueue(label: "sente-lite.outbox-store")
    let backlog: StoredBacklog

    init(_ store: any OutboxStore, for clientID: String) throws(SenteError) {
        self.store = store
        self.clientID = clientID
        do throws(OutboxStoreError) {
            backlog = try store.load(for: clientID)
        } catch {
            throw SenteError(store: error)
        }
    }

    deinit {
        queue.async { [store, clientID] in store.unload(clientID) }
    }

    /// What is left of earlier lives goes to the outbox first.
    func restore(to submissions: SubmissionQueue) {
        if let damage = backlog.damage { submissions.note(.storeFailed(damage.description)) }
        guard !backlog.messages.isEmpty else { return }
        submissions.post(
            backlog.messages.map { .input(.command($0.restoring(as: submissions.makeCall()))) })
    }

    /// Keeps a message, and gives its id.
    func keep(
        _ outbound: Outbound, _ options: SendOptions, _ awaited: Awaited, id: String
    ) throws(SenteError) {
        guard let message = StoredMessage(outbound, options, awaited, id: id, clientID: clientID) else {
            throw SenteError(
                .invalidArgument, "Only publishes, requests and events can be durable.", outcome: .notSent)
        }
        do throws(OutboxStoreError) {
            try store.append(message)
        } catch {
            throw SenteError(store: error)
        }
    }

    /// A message is done.
    func settled(_ id: String, _ result: Result<Answer, SenteError>, _ submissions: SubmissionQueue) {
        let (outcome, failure): (Outcome, SenteError?) =
            switch result {
            case .success(.published(let receipt)): (receipt.outcome, nil)
            case .success(.written): (.written, nil)
            case .success: (.acknowledged, nil)
            case .failure(let error): (error.outcome ?? .notSent, error)
            }
        queue.async { [store] in
            do throws(OutboxStoreError) {
                try store.remove(id, outcome, error: failure)
            } catch {
                submissions.note(.storeFailed(error.description))
            }
        }
    }
}

extension SenteError {
    init(store error: OutboxStoreError) {
        self.init(.storeFailed, error.description, outcome: .notSent)
    }
}
