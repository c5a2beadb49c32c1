// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Durable messages: each outlives its call and its link, until the server's word or the app's ends it.
extension Session {
    /// What an earlier life accepted goes ahead of what this one will.
    mutating func restore(_ call: CallID, _ submission: consuming Submission) {
        calls.add(call, Call(purpose: .submit(submission.awaited), phase: .queued))
        if let id = submission.id { calls.outlive(call, as: id) }
        calls.tell(call)
        name(&submission)
        outbox.restore(submission.outbound, for: call, submission.options, at: now.instant)
        drain()
    }

    /// What was on its way when the link ended waits for the next.
    mutating func takeBackDurables() {
        for call in outbox.takeBack() { calls.takenBack(call) }
    }

    /// Nothing will be sent for now: who waits for a durable message is told, and the message stays.
    mutating func leaveDurables(_ error: SenteError) {
        guard !outbox.isEmpty else { return }
        for call in calls.untold where calls[call]?.phase == .queued {
            var error = error.with(outcome: .unknown)
            error.message += " The message is durable: the next connection sends it."
            resolve(call, .failure(error))
        }
    }

    /// Whether the server takes a message that comes twice with the same id once.
    ///
    /// What is sent between the client's handshake and the server's word is read behind the handshake, so the greeting decides.
    private var deduplicates: Bool {
        guard let flow = traffic.flow, flow.offered.deduplication else { return false }
        if let features = flow.features { return features.deduplication }
        return status.identity?.capabilities.map { FlowFeatures(wire: $0) { _ in }.deduplication } ?? false
    }

    /// Whether messages of the call go as they are, as almost all do.
    func isPlain(_ call: CallID) -> Bool {
        calls.trace(of: call) == nil && calls.messageID(of: call) == nil
    }

    /// The message with its trace, if it has one, and with its id, where the server asks for it.
    func identified(_ outbound: Outbound, for call: CallID) -> Outbound {
        let outbound = calls.trace(of: call).map { outbound.traced(by: $0) } ?? outbound
        guard let id = calls.messageID(of: call), deduplicates else { return outbound }
        return .identified(id, outbound)
    }
}

extension Result<Answer, SenteError> {
    /// Whether it ends a durable message, not only the waiting for it.
    ///
    /// That the server answered what came later proves that it has read this.
    var settles: Bool {
        guard case .failure(let error) = self else { return true }
        return error.outcome != .unknown || error.code == .noReply
    }
}
