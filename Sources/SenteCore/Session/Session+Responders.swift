// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Services that end in good order: no new request is taken, and what was taken is answered first.
extension Session {
    /// Ends a service; resolves when nothing of it is under way any more.
    mutating func drain(_ call: CallID, _ inbox: InboxID) {
        calls.add(call, Call(purpose: .drain(inbox), phase: .waiting))
        draining.append(call)
        inboxes.retire(inbox)
        if let channel = subscriptions.release(scope: inbox) { dropWish(channel) }
        endDrains()
    }

    /// Lets every service finish what it works on, for `disconnect()` follows: wishes stay for the next link.
    ///
    /// The server is to route new requests elsewhere meanwhile. One that is on its way is left to the others who serve the
    /// channel, for the first answer wins.
    mutating func drainAll(_ call: CallID, _ limit: Duration) {
        // Nothing can be answered any more.
        guard refusalToQueue() == nil else { return resolve(call, .success(.done)) }
        calls.add(
            call,
            Call(purpose: .drain(nil), phase: .waiting, deadline: now.instant.advanced(by: limit)))
        draining.append(call)
        inboxes.takesRequests = false
        for channel in inboxes.served { writeUnsubscribe(channel, for: nil) }
        endDrains()
    }

    /// The link ends: services that were to finish first have had their time, and serve again on the next one.
    mutating func stopDraining() {
        inboxes.takesRequests = true
        for call in draining where calls[call]?.purpose == .drain(nil) { resolve(call, .success(.done)) }
        draining.removeAll { calls[$0] == nil }
    }

    /// A request's handler is done; its answer has yet to leave.
    mutating func answered(
        _ inbox: InboxID, _ id: String, _ data: Value, isError: Bool, _ options: SendOptions,
        _ trace: TraceContext?
    ) {
        inboxes.answered(inbox)
        answer(id, data, isError: isError, options, from: inbox, trace)
        endDrains()
    }

    /// Resolves the drains of which nothing is under way any more.
    mutating func endDrains() {
        guard !draining.isEmpty else { return }
        for call in draining {
            guard case .drain(let inbox)? = calls[call]?.purpose, isDrained(inbox) else { continue }
            if let inbox { closeInbox(inbox) }
            resolve(call, .success(.done))
        }
        draining.removeAll { calls[$0] == nil }
    }

    /// Whether a service, or every service, has neither a request in work nor an answer that waits.
    private mutating func isDrained(_ inbox: InboxID?) -> Bool {
        guard inboxes.unanswered(of: inbox) == 0 else { return false }
        return calls.all { call in
            guard case .answer(let from) = call.purpose else { return false }
            return inbox == nil || from == inbox
        }.isEmpty
    }
}
