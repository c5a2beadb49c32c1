// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// A call of the app that is not resolved yet.
package struct Call: Sendable {
    package enum Purpose: Sendable, Equatable {
        case connect
        case subscribe(channel: WireName, InboxID, scoped: Bool)
        case unsubscribe
        case ping(stamp: Int64)
        case submit(Awaited)
        /// A message that a stream is to keep; it may go more than once.
        case store
        /// An answer of ours to a request that came through this inbox; nobody waits.
        case answer(InboxID)
        /// What a reference names.
        case fetch
        /// The end of a service, or a pause of all.
        case drain
        /// The server is told that a service, or all of them, takes no more; nobody waits.
        case leave(InboxID?)

        var isPing: Bool {
            if case .ping = self { true } else { false }
        }

        /// It is done when its message is written.
        var endsWritten: Bool {
            switch self {
            case .submit(.written), .answer: true
            default: false
            }
        }
    }

    package enum Phase: Sendable, Equatable {
        /// Nothing of it left, and nothing of it waits in the outbox.
        case waiting
        case queued
        /// On the current link, with the slot that its reply fills.
        case sent(PendingReplies.SlotKey?)
    }

    package var purpose: Purpose
    package var phase: Phase
    package var deadline: Instant?
    /// How long its answer may take, from when it leaves; then it is part of the deadline.
    package var answerLimit: Duration?

    package init(
        purpose: Purpose, phase: Phase, deadline: Instant? = nil, answerLimit: Duration? = nil
    ) {
        self.purpose = purpose
        self.phase = phase
        self.deadline = deadline
        self.answerLimit = answerLimit
    }
}

extension Call {
    /// It left; returns its deadline, where that runs from now on.
    fileprivate mutating func sent(_ slot: PendingReplies.SlotKey?, at now: Instant) -> Instant? {
        phase = .sent(slot)
        guard let limit = answerLimit else { return nil }
        answerLimit = nil
        deadline = now.advanced(by: limit)
        return deadline
    }
}

/// The unresolved calls, and which of them runs out of time first.
package struct Calls: Sendable {
    /// By number: what wraps one takes half as long again to hash, at each of a call's steps.
    private var calls: [UInt64: Call] = [:]
    /// A binary heap; an entry whose call is gone is skipped when it comes up.
    private var heap: [(deadline: Instant, call: CallID)] = []
    /// Requests by the names that the server gave them, and when they left.
    private var names: [CallID: (id: String, sentAt: Instant, trace: TraceContext?)] = [:]
    /// Those whose messages are durable.
    private var durables: [CallID: Durable] = [:]
    /// The traces of those that belong to one.
    private var traces: [CallID: TraceContext] = [:]
    /// How many entries were looked at or moved since the beginning, for tests of what a step costs.
    package private(set) var steps = 0

    /// A call whose message may outlive it.
    private struct Durable {
        /// The message's.
        var id: String
        /// Its caller has been told how it ended, or there is none; what it was for goes on.
        var isTold = false
    }

    package init() {}

    package subscript(id: CallID) -> Call? { calls[id.number] }

    package var deadline: Instant? { heap.first?.deadline }

    /// Calls that left, or wait to: those that a server has to answer.
    package private(set) var pendingCount = 0

    /// All calls for which `condition` holds, oldest first.
    ///
    /// It looks at every call, so it is for the moments at which nearly all of them end: when a link opens or ends, and
    /// when waiting does. What is neither on the link nor waits for one then waits in the outbox, under its bounds.
    package mutating func all(where condition: (Call) -> Bool) -> [CallID] {
        steps += calls.count
        return calls.filter { condition($0.value) }.map { CallID($0.key) }.sorted()
    }

    package mutating func add(_ id: CallID, _ call: consuming Call) {
        let call = consume call
        if call.purpose == .submit(.reply) { pendingCount += 1 }
        if let deadline = call.deadline { schedule(id, deadline) }
        calls[id.number] = consume call
    }

    package mutating func sent(_ id: CallID, _ slot: PendingReplies.SlotKey?, at now: Instant) {
        guard let index = calls.index(forKey: id.number) else { return }
        if let deadline = calls.values[index].sent(slot, at: now) { schedule(id, deadline) }
    }

    /// The call's message is durable, and has this id.
    package mutating func outlive(_ id: CallID, as messageID: String) {
        durables[id] = Durable(id: messageID)
    }

    /// The id of the call's message, where that is durable.
    package func messageID(of id: CallID) -> String? { durables.isEmpty ? nil : durables[id]?.id }

    /// Whether its caller has been told how it ended, or there is none, while its message goes on.
    package func isTold(_ id: CallID) -> Bool { !durables.isEmpty && durables[id]?.isTold == true }

    /// Those with durable messages whose callers wait, oldest first.
    package var untold: [CallID] { durables.filter { !$0.value.isTold }.map(\.key).sorted() }

    /// The call's caller waits no more; its message goes on.
    package mutating func tell(_ id: CallID) {
        durables[id]?.isTold = true
        calls[id.number]?.answerLimit = nil
        guard calls[id.number]?.deadline != nil else { return }
        calls[id.number]?.deadline = nil
        heap.removeAll { $0.call == id }
        heap.sort { $0.deadline < $1.deadline }
        // The next may be one that is gone.
        skipGone()
    }

    /// The call's message waits again.
    package mutating func takenBack(_ id: CallID) {
        calls[id.number]?.phase = .queued
    }

    private mutating func schedule(_ id: CallID, _ deadline: Instant) {
        heap.append((deadline, id))
        siftUp(heap.count - 1)
    }

    /// The server will not answer this call: it is done when its message is written.
    package mutating func awaitWritten(_ id: CallID) {
        guard calls[id.number]?.purpose == .submit(.reply) else { return }
        calls[id.number]?.purpose = .submit(.written)
        pendingCount -= 1
    }

    @discardableResult
    package mutating func remove(_ id: CallID) -> Call? {
        guard let call = calls.removeValue(forKey: id.number) else { return nil }
        if call.purpose == .submit(.reply) { pendingCount -= 1 }
        if !durables.isEmpty { durables[id] = nil }
        if !traces.isEmpty { traces[id] = nil }
        skipGone()
        return call
    }

    package mutating func name(_ id: CallID, _ name: String, sentAt: Instant) {
        names[id] = (name, sentAt, traces[id])
    }

    package mutating func setTrace(_ trace: TraceContext, of id: CallID) { traces[id] = trace }

    package func trace(of id: CallID) -> TraceContext? { traces.isEmpty ? nil : traces[id] }

    /// The name of a request that ends.
    package mutating func takeName(of id: CallID) -> (id: String, sentAt: Instant, trace: TraceContext?)? {
        names.isEmpty ? nil : names.removeValue(forKey: id)
    }

    /// A call whose time is up, if there is one; it stays until it is removed.
    package func expired(at now: Instant) -> CallID? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        return first.call
    }

    /// Keeps no room for calls that are gone.
    package mutating func giveBackMemory() {
        if calls.isEmpty { calls = [:] }
        if heap.isEmpty { heap = [] }
        if names.isEmpty { names = [:] }
    }

    private mutating func skipGone() {
        while let first = heap.first, calls[first.call.number] == nil { popHeap() }
        // Calls resolved long before their deadlines must not pile up.
        if heap.count > 64, heap.count > 2 * calls.count {
            steps += heap.count
            heap.removeAll { calls[$0.call.number] == nil }
            heap.sort { $0.deadline < $1.deadline }
        }
    }

    private mutating func popHeap() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { return }
            let right = left + 1
            let child = right < heap.count && heap[right].deadline < heap[left].deadline ? right : left
            guard heap[child].deadline < heap[parent].deadline else { return }
            heap.swapAt(child, parent)
            steps += 1
            parent = child
        }
    }

    private mutating func siftUp(_ index: Int) {
        var child = index
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].deadline < heap[parent].deadline else { return }
            heap.swapAt(child, parent)
            steps += 1
            child = parent
        }
    }
}
