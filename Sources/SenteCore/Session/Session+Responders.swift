// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Services that end in good order: the server is told, what it had sent before it heard of that is served, and what was
/// taken is answered first.
///
/// So does NATS's drain: of a group one alone has a request, and what comes between UNSUB and its PONG would be lost.
extension Session {
    /// A service that ends, or all of them; it ends also when nobody waits for that any more.
    struct Drain: Sendable {
        let call: CallID
        /// nil for all.
        let inbox: InboxID?
    }

    /// Ends a service; resolves when nothing of it is under way any more.
    mutating func drain(_ call: CallID, _ inbox: InboxID) {
        calls.add(call, Call(purpose: .drain, phase: .waiting))
        draining.append(Drain(call: call, inbox: inbox))
        if let channel = subscriptions.release(scope: inbox) {
            endWish(channel)
            if resumption?.parking != nil { subscriptions.dropped(channel) }
            leave(channel, inbox)
        }
        endDrains()
    }

    /// Lets every service finish what it works on, for `disconnect()` follows: wishes stay for the next link.
    mutating func drainAll(_ call: CallID, _ limit: Duration) {
        // Nothing can be answered any more.
        guard refusalToQueue() == nil else { return resolve(call, .success(.done)) }
        calls.add(
            call, Call(purpose: .drain, phase: .waiting, deadline: now.instant.advanced(by: limit)))
        draining.append(Drain(call: call, inbox: nil))
        for channel in inboxes.served { leave(channel, nil) }
        endDrains()
    }

    /// The server is to route requests elsewhere.
    private mutating func leave(_ channel: WireName, _ inbox: InboxID?) {
        guard case .open = state else { return }
        let call = numbers.makeInternalCall()
        let deadline = now.instant.advanced(by: configuration.times.request)
        calls.add(call, Call(purpose: .leave(inbox), phase: .waiting, deadline: deadline))
        writeUnsubscribe(channel, for: call)
    }

    /// The link ends: services that were to finish first have had their time, and serve again on the next one.
    mutating func stopDraining() {
        inboxes.takesRequests = true
        for drain in draining where drain.inbox == nil { end(drain) }
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

    /// Ends the drains of which nothing is under way any more.
    mutating func endDrains() {
        for drain in draining where !isLeaving(drain.inbox) {
            if let inbox = drain.inbox { inboxes.retire(inbox) } else { inboxes.takesRequests = false }
            guard isDrained(drain.inbox) else { continue }
            if let inbox = drain.inbox { closeInbox(inbox) }
            end(drain)
        }
    }

    private mutating func end(_ drain: Drain) {
        draining.removeAll { $0.call == drain.call }
        // Who no longer waits has been told.
        if calls[drain.call] != nil { resolve(drain.call, .success(.done)) }
    }

    /// Whether the server may still send requests, for it has not confirmed that it will not.
    private mutating func isLeaving(_ inbox: InboxID?) -> Bool {
        !calls.all { $0.purpose == .leave(inbox) }.isEmpty
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
