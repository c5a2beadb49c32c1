// SPDX-License-Identifier: Apache-2.0

import SenteBase

extension ServerSession {
    mutating func say(_ word: ServerWord, to id: ConnectionID, as manner: Manner) {
        guard let message = spelling.write(word, at: now) else { return }
        post(message, to: id, as: manner)
    }

    /// An `error` frame, where the faults ask for one.
    mutating func sayError(_ reason: Reason, _ requestID: String? = nil, to id: ConnectionID) {
        guard outbound.isFaulty, outbound.faults(of: id).sendsErrors else { return }
        say(.error(reason, requestID: requestID), to: id, as: .answer)
    }

    mutating func post(_ message: Message, to id: ConnectionID, as manner: Manner) {
        guard connections[id] != nil else { return }
        outbound.post(message, to: id, as: manner, at: now.instant, into: &effects)
    }
}
