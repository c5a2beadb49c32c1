// SPDX-License-Identifier: Apache-2.0

import SenteBase

extension ServerSession {
    mutating func send(_ message: ServerMessage, to id: ConnectionID, as kind: MessageKind) {
        guard let message = dialect.encode(message, at: now) else { return }
        send(message, to: id, as: kind)
    }

    /// An `error` frame, where the faults ask for one.
    mutating func sendError(_ reason: RejectionReason, _ requestID: String? = nil, to id: ConnectionID) {
        guard outbox.isFaulty, outbox.faults(of: id).sendsErrors else { return }
        send(.error(reason, requestID: requestID), to: id, as: .answer)
    }

    mutating func send(_ message: Message, to id: ConnectionID, as kind: MessageKind) {
        guard connections[id] != nil else { return }
        outbox.send(message, to: id, as: kind, at: now.instant, into: &effects)
    }
}
