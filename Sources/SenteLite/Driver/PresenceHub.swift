// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteTransport
import SenteWire

/// Performs what a presence decides, on any thread and in order; decides nothing itself, and keeps no client.
final class PresenceHub: InboxReceiver {
    private struct State {
        var machine: PresenceMachine
        var snapshot = PresenceSnapshot()
        /// When the link was greeted that the machine knows of.
        var openedAt: Instant?
        var isClosed = false
    }

    let inbox: InboxID
    private let channel: String
    private let submissions: SubmissionQueue
    private let host: any Host
    private let timer: ClientTimer
    /// How long a word of it may wait to be sent: the next one says as much.
    private let limit: Duration
    /// Held while effects are performed, so that they happen in the order in which they were decided.
    private let state: LockedValue<State>
    private let snapshots = Broadcast(BoundedQueue(latest: 1), current: PresenceSnapshot())

    init(_ channel: String, _ settings: PresenceSettings, _ client: SenteClient) {
        let entropy = client.host.entropy
        submissions = client.driver.submissions
        inbox = submissions.makeInbox()
        self.channel = channel
        host = client.host
        timer = ClientTimer(on: client.host)
        limit = client.configuration.timeouts.request
        state = LockedValue(
            State(
                machine: PresenceMachine(
                    id: entropy.uuid().description, settings: settings,
                    random: Generator(seed: entropy.seed()))))
    }

    var snapshot: PresenceSnapshot { state.withLock { $0.snapshot } }

    /// The latest snapshot, and each later one that is the latest when it is taken.
    func makeIterator() -> MailboxIterator<PresenceSnapshot> { snapshots.makeIterator() }

    // MARK: Inputs

    /// `done` hears when what was said because of it has left.
    func handle(_ input: PresenceMachine.Input, done: DeliveryResult? = nil) {
        state.withLock { handle([input], done: done, &$0) }
    }

    /// Leaves, and ends the wish that came with it.
    func close() {
        state.withLock { state in
            handle([.leave], &state)
            state.isClosed = true
        }
        submissions.post(.endScope(inbox))
    }

    /// Where the client stands now: each link is told of once.
    func statusChanged(to status: ConnectionStatus) {
        let openedAt = status.state == .open ? status.openedAt : nil
        state.withLock { state in
            guard state.openedAt != openedAt else { return }
            state.openedAt = openedAt
            handle([openedAt == nil ? .offline : .online], &state)
        }
    }

    func receive(_ elements: [InboxElement]) {
        let inputs = elements.compactMap { element -> PresenceMachine.Input? in
            // What the server kept tells who was here once.
            guard case .message(let message) = element, !message.isRetained else { return nil }
            return .heard(message.data)
        }
        state.withLock { handle(inputs, &$0) }
        submissions.consumed(elements.count, from: inbox)
    }

    func finish() {
        state.withLock { $0.isClosed = true }
        timer.set(nil) {}
        snapshots.finish()
    }

    // MARK: Effects

    private func handle(
        _ inputs: [PresenceMachine.Input], done: DeliveryResult? = nil, _ state: inout State
    ) {
        guard !state.isClosed else {
            done?.resolve(.success(.done))
            return
        }
        let now = host.now.instant
        var effects: [PresenceMachine.Effect] = []
        for input in inputs { state.machine.handle(input, at: now, into: &effects) }
        var isSent = false
        for case .publish(let frame) in effects {
            publish(frame, done ?? DeliveryResult())
            isSent = true
        }
        if !isSent { done?.resolve(.success(.done)) }
        if effects.contains(.changed) {
            state.snapshot = state.machine.snapshot
            snapshots.send([state.snapshot])
        }
        timer.set(state.machine.deadline) { [weak self] in self?.handle(.timerFired) }
    }

    private func publish(_ frame: Value, _ result: DeliveryResult) {
        let call = submissions.makeCall()
        let outbound = Outbound.publish(channel: channel, data: frame, excludeSender: true)
        submissions.post([
            .call(
                call, .delivery(result), .submit(call, Submission(outbound, limit: limit, awaits: .written)))
        ])
    }
}
