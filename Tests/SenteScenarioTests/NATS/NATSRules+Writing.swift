// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore

/// What the client writes, read from its bytes (2, 4, 5, 6).
extension NATSRules {
    func transmitted(_ batch: [Transmission], on id: LinkID) {
        if id != link { violate(3, "Something is transmitted on \(id), which is not the current link.") }
        for one in batch {
            let (words, problems) = model.wrote(one.message.bytes)
            for problem in problems { violate(6, problem) }
            for word in words { wrote(word, on: id) }
        }
    }

    private func wrote(_ word: NATSClientWord, on id: LinkID) {
        world.coverage.count("written", word.name)
        switch word {
        case .pong: step.pongs += 1
        case .subscribe(let subject, let group, _) where !subject.hasPrefix("_INBOX."):
            let name = group.map { "\(subject) \($0)" } ?? subject
            if !wishes.inOrder.contains(name) { violate(6, "\(name) is written, and nobody wishes for it.") }
        case .unsubscribe(let sid):
            if let inbox = step.draining {
                inboxes[inbox]?.leavesBy = sid
                inboxes[inbox]?.leftAt = now
            }
        case .publish(let message) where !message.subject.hasPrefix("$JS."):
            if !isTold { violate(6, "\(message.subject) is written before the app was told.") }
            guard !message.subject.hasPrefix("_INBOX."), let number = message.number else { return }
            left(number, message, on: id)
        default: break
        }
    }

    private func left(_ number: Int, _ message: NATSPublication, on id: LinkID) {
        let said = world.messages[number]
        if app.calls[said.call] == nil || step.resolved.contains(number) {
            violate(4, "message \(number) leaves after its call was resolved.")
        }
        if let end = said.livesUntil, end < now, said.kind != .store {
            violate(5, "message \(number) leaves after its time to live.")
        }
        if said.kind == .store {
            leftForStream(number, message)
        } else {
            if said.written > 0 { violate(5, "message \(number) leaves a second time.") }
            if number < lastWritten { violate(5, "message \(number) leaves after \(lastWritten).") }
            lastWritten = number
        }
        world.messages[number].written += 1
        world.messages[number].writtenAt = now
        world.messages[number].link = id
    }

    /// One of a channel is under way, always under the same id, and not again before there was time for an answer.
    private func leftForStream(_ number: Int, _ message: NATSPublication) {
        let said = world.messages[number]
        let isOvertaking = app.calls.values.contains {
            guard case .message(let other) = $0.kind, other < number else { return false }
            return world.messages[other].kind == .store && world.messages[other].channel == said.channel
                && !step.resolved.contains(other)
        }
        if isOvertaking { violate(5, "message \(number) overtakes another of \(said.channel).") }
        let id = message.header("Nats-Msg-Id")
        if id == nil || said.id.map({ $0 != id }) ?? false {
            violate(5, "message \(number) has the id \(id ?? "none").")
        }
        world.messages[number].id = id
        if said.written > 0 { world.coverage.count("rule", "stored again") }
        if said.link == link, let last = said.writtenAt, last.duration(to: now) < .milliseconds(200) {
            violate(5, "message \(number) goes again after \(last.duration(to: now)).")
        }
    }
}
