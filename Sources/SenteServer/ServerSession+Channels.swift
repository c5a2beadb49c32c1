// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

extension ServerSession {
    mutating func subscribe(_ id: ConnectionID, to channel: Value) {
        if let refusal = whyNotCreated(channel) { return refuse(channel, refusal, to: id) }
        if !channels.contains(channel) {
            channels.create(channel, configuration.channelDefaults, at: now)
        }
        let isNew = !channels.isSubscribed(id, to: channel)
        let count = connections[id]?.subscriptions.count ?? 0
        if isNew, count >= configuration.tables.subscriptionsPerConnection {
            return refuse(channel, .subscriptionsReached, to: id)
        }
        guard let subscribers = channels.subscribe(id, to: channel) else {
            return refuse(channel, .subscribersReached, to: id)
        }
        if isNew { connections[id]?.subscriptions.insert(channel) }
        let retained = channels.retained(in: channel)
        send(.subscribed(channel, count: subscribers, retained: retained), to: id, as: .answer)
    }

    /// Nil when the channel exists or may be made.
    private func whyNotCreated(_ channel: Value) -> RejectionReason? {
        if channels.contains(channel) { return nil }
        guard configuration.createsChannels else { return .channelNotFound }
        guard StatusPages.name(of: channel).utf8.count <= configuration.tables.channelNameBytes else {
            return .nameTooLong
        }
        return channels.count < configuration.tables.channels ? nil : .channelsReached
    }

    private mutating func refuse(_ channel: Value, _ reason: RejectionReason, to id: ConnectionID) {
        let isFull = reason == .subscribersReached
        let answer = ServerMessage.subscribeRefused(
            channel, reason, current: isFull ? channels.subscribers(of: channel)?.count : nil,
            maximum: isFull ? channels.configuration(of: channel)?.maximumSubscribers : nil)
        send(answer, to: id, as: .answer)
        sendError(reason, to: id)
    }

    mutating func unsubscribe(_ id: ConnectionID, from channel: Value) {
        if channels.unsubscribe(id, from: channel) { connections[id]?.subscriptions.remove(channel) }
        send(.unsubscribed(channel, existed: channels.contains(channel)), to: id, as: .answer)
    }

    mutating func deleteChannel(_ channel: Value) {
        for id in channels.delete(channel) { connections[id]?.subscriptions.remove(channel) }
    }

    /// Delivers first and then tells the publisher, as sente-lite does.
    ///
    /// A publisher who asked to be left out is: sente-lite itself only counted so.
    ///
    /// `name` is for a sender that has just been closed.
    mutating func publish(
        _ data: Value, to channel: Value, from sender: ConnectionID?, named name: String? = nil,
        excludesSender: Bool
    ) {
        guard data.isNull || data.mapValue != nil else {
            // sente-lite's handler throws here and says nothing; an answer is what its documents promise.
            guard let sender, !outbox.faults(of: sender).ignoresUnfitData else { return }
            return refusePublish(channel, .dataUnfit, to: sender)
        }
        guard let subscribers = channels.subscribers(of: channel) else {
            guard let sender else { return }
            return refusePublish(channel, .channelNotFound, to: sender)
        }
        let messageID = counters.newMessageID()
        channels.record(.data(data), messageID: messageID, in: channel, limits: configuration.tables, at: now)
        let left = excludesSender ? sender : nil
        let author = name ?? sender.flatMap { connections[$0]?.name }
        deliver(to: subscribers, but: left) { isFlat in
            .delivery(channel, data: data, messageID: messageID, sender: author, isFlat: isFlat)
        }
        guard let sender else { return }
        let isLeftOut = left.map(subscribers.contains) ?? false
        send(
            .published(channel, messageID: messageID, deliveredTo: subscribers.count - (isLeftOut ? 1 : 0)),
            to: sender, as: .answer)
    }

    private mutating func refusePublish(_ channel: Value, _ reason: RejectionReason, to id: ConnectionID) {
        send(.publishRefused(channel, reason), to: id, as: .answer)
        sendError(reason, to: id)
    }

    /// Sends one message to many, encoded once for each shape in use.
    mutating func deliver(
        to subscribers: OrderedSet<ConnectionID>, but left: ConnectionID?,
        _ message: (_ isFlat: Bool) -> ServerMessage
    ) {
        var shapes: [Bool: Message] = [:]
        for id in subscribers where id != left {
            let isFlat = outbox.isFaulty && outbox.faults(of: id).deliversFlat
            guard let encoded = shapes[isFlat] ?? dialect.encode(message(isFlat), at: now) else { return }
            shapes[isFlat] = encoded
            send(encoded, to: id, as: .push)
        }
    }

    /// Lets the shell pour deliveries to whoever ordered them, subscribed or not.
    ///
    /// Nothing else answers a flood.
    mutating func flood(_ id: ConnectionID, with data: Value, on channel: Value, _ count: Int64) {
        let isFlat = outbox.faults(of: id).deliversFlat
        let delivery = ServerMessage.delivery(
            channel, data: data, messageID: "msg-", sender: nil, isFlat: isFlat)
        guard data.isNull || data.mapValue != nil, let count = Int(exactly: count), count >= 0,
            let message = dialect.encode(delivery, at: now),
            // Flat ones carry no message ids, so theirs are all alike.
            let flood = isFlat
                ? Flood(count: count, first: nil, head: message.bytes, tail: [])
                : Flood(count: count, first: counters.messages &+ 1, of: message, at: "msg-")
        else { return send(.error(.floodUnfit, requestID: nil), to: id, as: .answer) }
        counters.messages &+= UInt64(count)
        effects.append(.flood(id, flood))
    }
}
