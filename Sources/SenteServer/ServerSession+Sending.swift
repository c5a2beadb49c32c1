// SPDX-License-Identifier: Apache-2.0

import SenteBase

extension ServerSession {
    mutating func say(
        _ word: ServerWord, to id: ConnectionID, as manner: Manner, at now: Moment,
        into effects: inout [ServerEffect]
    ) {
        guard let message = spelling.write(word, at: now) else { return }
        post(message, to: id, as: manner, at: now, into: &effects)
    }

    /// An `error` frame, where the faults ask for one.
    mutating func sayError(
        _ reason: Reason, _ requestID: String? = nil, to id: ConnectionID, at now: Moment,
        into effects: inout [ServerEffect]
    ) {
        guard outbound.isFaulty, outbound.faults(of: id).sendsErrors else { return }
        say(.error(reason, requestID: requestID), to: id, as: .answer, at: now, into: &effects)
    }

    mutating func post(
        _ message: Message, to id: ConnectionID, as manner: Manner, at now: Moment,
        into effects: inout [ServerEffect]
    ) {
        guard connections[id] != nil else { return }
        outbound.post(message, to: id, as: manner, at: now.instant, into: &effects)
    }
}
