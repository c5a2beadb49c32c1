// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Messages that streams are to keep: each goes until a stream has answered, or its call gives up.
extension Session {
    mutating func store(_ call: CallID, _ submission: Submission) {
        if let error = refusalToQueue() ?? refusalToStore(submission.outbound) {
            return resolve(call, .failure(error))
        }
        calls.add(
            call,
            Call(
                purpose: .store, phase: .waiting,
                deadline: submission.limit.map { now.instant.advanced(by: $0) }))
        let token = stored.nextToken()
        let outbound = submission.outbound.stored(as: token)
        stored.add(
            submission.trace.map { outbound.traced(by: $0) } ?? outbound, as: token, for: call,
            in: WireName(outbound.channel ?? ""))
        sendStored()
    }

    /// They take their room among all that waits, and nobody else's.
    private func refusalToStore(_ outbound: Outbound) -> SenteError? {
        let load = outbox.load + stored.load
        switch configuration.outbox.admission(of: outbound.weight, beside: load, largest: largestMessage) {
        case .accepted, .waits: return nil
        case .refused(let code): return configuration.outbox.error(code)
        case .replacesOldest: return configuration.outbox.error(.outboxFull)
        }
    }

    /// Gives the link those that are to go, as it has room.
    mutating func sendStored() {
        guard case .open(let open) = state else { return }
        while canTransmit, let next = stored.popReady(at: now.instant) {
            do throws(SenteError) {
                effects.append(.transmit(open.link, [try encode(next.outbound).transmission]))
            } catch {
                effects.append(.record(.dropped(reason: error.code)))
                endStored(next.call, error.with(outcome: next.wasSent ? .unknown : .notSent))
            }
        }
    }

    /// What a stream, or the server for want of one, says to a message.
    mutating func answered(_ token: UInt64, _ answer: StoredAnswer) {
        guard let call = stored.call(of: token) else { return ignore(.lateReply) }
        switch answer {
        case .kept(let receipt):
            _ = stored.end(call)
            resolve(call, .success(.published(receipt)))
        case .refused(let error):
            _ = stored.end(call)
            resolve(call, .failure(error))
        case .unavailable(let trouble):
            stored.rest(token, because: trouble, at: now.instant, using: &random)
        }
        sendStored()
    }

    /// The call ends from this side.
    mutating func giveUpStored(_ call: CallID, _ error: SenteError) {
        guard let end = stored.end(call) else { return }
        var error = error.with(outcome: end.wasSent ? .unknown : .notSent)
        if end.wasSent {
            error.message +=
                " No stream said that it keeps the message: publish it again with the same `messageID`."
            error.underlying = end.trouble
        }
        resolve(call, .failure(error))
        sendStored()
    }

    /// It cannot be said on this link; on an earlier one it may have been.
    private mutating func endStored(_ call: CallID, _ error: SenteError) {
        guard stored.end(call) != nil else { return }
        resolve(call, .failure(error))
    }

    /// Nothing will be sent any more.
    mutating func emptyStored(_ error: SenteError) {
        for call in stored.calls { giveUpStored(call, error) }
    }

    mutating func expireStored() {
        stored.wake(at: now.instant)
        sendStored()
    }
}

extension Outbound {
    /// Whether a stream is to keep it.
    var isStored: Bool {
        switch self {
        case .jetStream(.store): true
        case .headed(_, let outbound): outbound.isStored
        default: false
        }
    }

    /// The same under the session's name for it.
    fileprivate func stored(as token: UInt64) -> Outbound {
        switch self {
        case .jetStream(.store(let channel, let data, let stored, _)):
            .jetStream(.store(channel: channel, data: data, stored, token: token))
        case .headed(let fields, let outbound): .headed(fields, outbound.stored(as: token))
        default: self
        }
    }
}
