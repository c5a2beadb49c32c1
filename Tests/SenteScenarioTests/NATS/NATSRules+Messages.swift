// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// What is told of messages, against what became of them (4, 6, 12), and of those that streams keep.
extension NATSRules {
    /// A handle, and what must come through it.
    struct Handle {
        let wish: String
        var isService = false
        var follows: NATSFollowModel?
        /// The number of the subscription that a service ended with, and when.
        var leavesBy: String?
        var leftAt: Instant?
        var expected: [Expected] = []
    }

    struct Expected {
        let number: Int
        let step: Int
        /// It may not come: its link ended with it, or it is the app's to leave out.
        var isOptional: Bool
    }

    func resolved(_ call: NATSApp.Call, _ result: Result<Answer, SenteError>) {
        if let deadline = call.deadline, deadline < now { violate(4, "\(call) is resolved after its limit.") }
        if case .drain(let inbox) = call.kind { return drained(inbox, result) }
        guard case .message(let number) = call.kind else { return }
        world.messages[number].result = result
        let said = world.messages[number]
        world.coverage.count(
            "\(said.kind)", result.isSuccess ? "acknowledged" : result.failure?.outcome?.rawValue ?? "")
        switch result {
        case .success(.published(let receipt)): acknowledged(number, said, receipt)
        case .success(.value(let value)):
            if value.stringValue != "r\(number)" { violate(12, "message \(number) got the answer \(value).") }
        case .success(let answer): violate(12, "message \(number) got \(answer).")
        case .failure(let error): failed(number, said, error)
        }
    }

    /// 4: A service is over when its node has heard of it, for a request after that is to go elsewhere.
    private func drained(_ inbox: InboxID, _ result: Result<Answer, SenteError>) {
        defer { inboxes[inbox] = nil }
        // A client that leaves takes its subscriptions with it.
        guard result.isSuccess, wantsLink, link != nil, let handle = inboxes[inbox],
            let sid = handle.leavesBy,
            let leftAt = handle.leftAt, leftAt.duration(to: now) < app.configuration.times.request
        else { return }
        world.coverage.count("rule", "drained")
        if model.leaving[sid] != nil {
            violate(4, "\(inbox) of \(handle.wish) is over, and its node has not heard of it.")
        }
    }

    private func acknowledged(_ number: Int, _ said: NATSWorld.Said, _ receipt: PublishReceipt) {
        guard said.kind == .store else {
            let isGranted = step.granted.contains { $0.owed == .message(number) && !$0.isRefused }
            if !isGranted || said.taken != 1 || receipt.acknowledgement != .accepted {
                violate(4, "message \(number) is accepted, and no node said so.")
            }
            return
        }
        let sequence = receipt.messageID?.split(separator: ":").last.flatMap { UInt64($0) } ?? 0
        let places = world.archive.places(of: number)
        guard let place = places.first(where: { $0.value.contains(sequence) }) else {
            return violate(4, "message \(number) is stored as \(receipt.messageID ?? ""), and is not there.")
        }
        if receipt.isDuplicate { world.coverage.count("rule", "known already") }
        let key = "\(app.number) \(said.channel) \(place.key)"
        if let last = world.acknowledged[key], last >= sequence {
            violate(5, "message \(number) is stored as \(sequence), before \(last).")
        }
        world.acknowledged[key] = sequence
    }

    private func failed(_ number: Int, _ said: NATSWorld.Said, _ error: SenteError) {
        switch error.outcome {
        case .notSent:
            if said.written > 0 { violate(4, "message \(number) is called not sent, and was written.") }
        case .unknown:
            if said.written == 0 { violate(4, "message \(number) is called unknown, and was never written.") }
        case .acknowledged:
            if said.taken == 0 { violate(4, "message \(number) is called acknowledged, and no node had it.") }
        case .written, nil: violate(4, "message \(number) failed with \(error).")
        }
        if error.code == .rejected, said.kind != .store, said.refused == 0 {
            violate(12, "message \(number) is called rejected, and nobody refused it.")
        }
    }

    // MARK: What handles get

    func delivered(_ element: InboxElement, in inbox: InboxID) {
        switch element {
        case .message(let message):
            guard inboxes[inbox]?.follows == nil else { return took(message, in: inbox) }
            let number = message.data.stringValue.flatMap(NATSPublication.number)
            pass(number, missed: message.missed, in: inbox)
        case .request(let request):
            pass(request.data.stringValue.flatMap(NATSPublication.number), missed: 0, in: inbox)
        case .event: break
        }
    }

    /// 6: What came over the link comes to the handle, once, in its order, but what it says is missing.
    private func pass(_ number: Int?, missed: Int, in inbox: InboxID) {
        guard let handle = inboxes[inbox] else { return }
        guard let number, let index = handle.expected.firstIndex(where: { $0.number == number }) else {
            return violate(
                6,
                "\(inbox) of \(handle.wish) got \(number.map(String.init) ?? "something") that did not come.")
        }
        world.coverage.count("rule", "delivered")
        if handle.leavesBy != nil { world.coverage.count("rule", "served while leaving") }
        let skipped = handle.expected[..<index].count { !$0.isOptional }
        if skipped != missed {
            violate(
                6,
                "\(skipped) messages of \(handle.wish) are missing before \(number), and \(missed) were told."
            )
        }
        inboxes[inbox]?.expected.removeSubrange(...index)
    }

    private func took(_ message: ChannelMessage, in inbox: InboxID) {
        world.coverage.count("rule", "followed")
        if message.gap?.sequences != nil { world.coverage.count("rule", "gap told") }
        if message.gap?.isOtherStream == true { world.coverage.count("rule", "other stream told") }
        if let problem = inboxes[inbox]?.follows?.took(message, world.archive) {
            violate(21, "\(inbox) of \(inboxes[inbox]?.wish ?? ""): \(problem).")
        }
    }

    // MARK: The end

    func checkHealed() {
        guard wantsLink else {
            if app.state != .closed { violate(2, "Nobody wants a link, and it is \(app.state).") }
            return
        }
        guard app.state == .open, let pipe = app.pipe else {
            return violate(1, "Healed, it is \(app.state): \(app.status.lastError?.message ?? "").")
        }
        let known = world.cluster.subscriptions(of: pipe.client).filter { !$0.hasPrefix("_INBOX.") }
        // One that rested after a no was written last, and keeps its place among the wishes.
        if known.sorted() != wishes.inOrder.sorted() {
            violate(6, "The node knows \(known), the wishes are \(wishes.inOrder).")
        }
        if app.outboxCount > 0 { violate(5, "\(app.outboxCount) messages wait.") }
        if !app.calls.isEmpty { violate(4, "These calls are open: \(app.calls).") }
        for (inbox, handle) in inboxes {
            let rest = handle.expected.filter { !$0.isOptional }
            if !rest.isEmpty { violate(6, "\(rest.count) messages of \(handle.wish) never came.") }
            if let problem = handle.follows?.rest(world.cluster.stream) {
                violate(21, "\(inbox) of \(handle.wish): \(problem).")
            }
        }
    }
}

extension Result {
    fileprivate var isSuccess: Bool { if case .success = self { true } else { false } }
    fileprivate var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
