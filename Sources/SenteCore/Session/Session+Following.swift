// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Handles that follow streams.
extension Session {
    mutating func follow(_ call: CallID, _ channel: String, _ inbox: InboxID, from start: ChannelStart) {
        let id = followers.add(
            channel, from: start, inbox, place: subscriptions.nextPlace(), at: now.instant)
        guard let wish = followers[id]?.wish else { return }
        inboxes.open(inbox)
        inboxes.listen(inbox, .channel(wish))
        tell(wish, SubscriptionStatus())
        guard case .open = state else {
            return resolve(call, .success(.subscribed(SubscriptionStatus())))
        }
        followers.wait(call, for: id)
        let deadline = now.instant.advanced(by: configuration.times.request)
        let purpose = Call.Purpose.subscribe(channel: wish, inbox, scoped: true)
        calls.add(call, Call(purpose: purpose, phase: .waiting, deadline: deadline))
        let time = now.instant
        act(id) { $0.linkOpened(at: time, into: &$2) }
    }

    /// Behind the wishes, and before what the app says.
    mutating func startFollowing() {
        let time = now.instant
        for id in followers.all { act(id) { $0.linkOpened(at: time, into: &$2) } }
    }

    mutating func pauseFollowing() {
        for id in followers.all {
            act(id) { $0.linkEnded(into: &$2) }
            if let call = followers.takeWaiter(of: id), calls[call] != nil {
                resolve(call, .success(.subscribed(SubscriptionStatus())))
            }
        }
    }

    /// The handle is gone, or its channel is unsubscribed.
    mutating func endFollowing(_ id: UInt32) {
        guard let entry = followers[id] else { return }
        act(id) { $0.end(into: &$2) }
        followers.remove(id)
        tell(entry.wish, SubscriptionStatus())
        if let call = entry.waiter, calls[call] != nil {
            resolve(
                call,
                .failure(SenteError(.cancelled, "The subscription was ended before the server confirmed it."))
            )
        }
    }

    mutating func consumedOfStream(_ inbox: InboxID) {
        guard let id = followers.id(of: inbox), let room = inboxes.room(of: inbox) else { return }
        let time = now.instant
        act(id) { $0.roomGrew(to: room, at: time, into: &$2) }
    }

    mutating func expireFollowing() {
        while let id = followers.popDue(at: now.instant) {
            let time = now.instant
            act(id) { $0.expire(at: time, into: &$2) }
        }
    }

    // MARK: What the server says

    mutating func received(_ word: JetStreamInbound, _ size: Int) {
        if case .stored(let token, let answer) = word { return answered(token, answer) }
        guard let number = word.number, let inbox = followers.inbox(trying: number),
            let room = inboxes.room(of: inbox)
        else { return ignore(.unheard) }
        let time = now.instant
        act(ChannelFollower.id(of: number)) { follower, random, actions in
            switch word {
            case .stored: break
            case .answered(_, let answer):
                follower.answered(answer, room: room, at: time, using: &random, into: &actions)
            case .delivery(_, let message, let place):
                follower.arrived(
                    message, place, size: size, room: room, at: time, using: &random, into: &actions)
            case .heartbeat(_, let heartbeat):
                follower.heartbeat(heartbeat, room: room, at: time, using: &random, into: &actions)
            case .flowControl(_, let reply):
                follower.asked(reply, room: room, at: time, into: &actions)
            case .interrupted:
                follower.interrupted(at: time, using: &random, into: &actions)
            }
        }
    }

    // MARK: What is done about it

    private mutating func act(
        _ id: UInt32, _ body: (inout ChannelFollower, inout Generator, inout [ChannelFollower.Action]) -> Void
    ) {
        var random = random
        let actions = followers.change(id) { body(&$0, &random, &$1) }
        self.random = random
        guard !actions.isEmpty, let entry = followers[id] else { return }
        for action in actions { perform(action, of: id, entry) }
    }

    private mutating func perform(_ action: ChannelFollower.Action, of id: UInt32, _ entry: Followers.Entry) {
        switch action {
        case .say(let word): say(word)
        case .deliver(let message, let size): deliver(.message(message), to: .channel(entry.wish), size: size)
        case .tell(let gap): effects.append(.gap(channel: entry.wish.text, gap))
        case .confirm(let isConfirmed):
            let status = SubscriptionStatus(isConfirmed: isConfirmed)
            followers.set(status, of: id)
            tell(entry.wish, status)
            guard isConfirmed, let call = followers.takeWaiter(of: id), calls[call] != nil else { return }
            resolve(call, .success(.subscribed(status)))
        case .reject(let error):
            let status = SubscriptionStatus(rejection: error)
            followers.set(status, of: id)
            tell(entry.wish, status)
            effects.append(.record(.failed(error.code)))
            if let call = followers.takeWaiter(of: id), calls[call] != nil { resolve(call, .failure(error)) }
            closeInbox(entry.inbox)
        }
    }

    private mutating func say(_ word: JetStreamOutbound) {
        guard case .open(let open) = state else { return }
        do throws(SenteError) {
            effects.append(.transmit(open.link, [try encode(.jetStream(word)).transmission]))
        } catch {
            effects.append(.record(.dropped(reason: error.code)))
        }
    }
}
