// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

extension ServerSession {
    mutating func subscribe(_ id: ConnectionID, to channel: Value) {
        record(.subscriptionRequest) { ["conn-id": $0.field(id), "channel-id": channel] }
        if let refusal = whyNotCreated(channel) { return refuse(channel, refusal, to: id) }
        createChannel(channel, configuration.channelDefaults)
        let isNew = !channels.isSubscribed(id, to: channel)
        let count = connections[id]?.subscriptions.count ?? 0
        if isNew, count >= configuration.tables.subscriptionsPerConnection {
            return refuse(channel, .subscriptionsReached, to: id)
        }
        guard let subscribers = channels.subscribe(id, to: channel) else {
            return refuse(channel, .subscribersReached, to: id)
        }
        if isNew {
            connections[id]?.subscriptions.insert(channel)
            counters.subscriptionsAdded += 1
            record(.subscriptionAdded) {
                ["conn-id": $0.field(id), "channel-id": channel, "total-subscribers": Value(subscribers)]
            }
        }
        let retained = channels.retained(in: channel)
        send(.subscribed(channel, count: subscribers, retained: retained), to: id, as: .answer)
        if isNew, followedChannels.contains(channel) {
            effects.append(.subscription(id, to: channel, isThere: true))
        }
        guard family == .maps, !retained.isEmpty else { return }
        record(.retainedMessagesSent) {
            ["conn-id": $0.field(id), "channel-id": channel, "message-count": Value(retained.count)]
        }
    }

    /// A channel that exists stays as it is.
    mutating func createChannel(_ channel: Value, _ settings: ChannelConfiguration) {
        guard !channels.contains(channel) else { return }
        channels.create(channel, settings, at: now)
        record(.channelCreated) { _ in
            [
                "channel-id": channel,
                "config": .map(
                    .keywords([
                        "max-subscribers": Value(settings.maximumSubscribers),
                        "message-retention": Value(settings.retention),
                        "rpc-timeout-ms": .integer(settings.requestLimit.wholeMilliseconds),
                    ])),
            ]
        }
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
        counters.rejections[reason, default: 0] += 1
        let current = isFull ? channels.subscribers(of: channel)?.count : nil
        let maximum = isFull ? channels.configuration(of: channel)?.maximumSubscribers : nil
        record(.subscriptionRejected) {
            [
                "conn-id": $0.field(id), "channel-id": channel, "reason": .string(reason.rawValue),
                "current": current.map { Value($0) }, "max": maximum.map { Value($0) },
            ]
        }
        let answer = ServerMessage.subscribeRefused(channel, reason, current: current, maximum: maximum)
        send(answer, to: id, as: .answer)
        sendError(reason, to: id)
    }

    mutating func unsubscribe(_ id: ConnectionID, from channel: Value) {
        if channels.unsubscribe(id, from: channel) {
            connections[id]?.subscriptions.remove(channel)
            counters.subscriptionsRemoved += 1
            record(.subscriptionRemoved) {
                [
                    "conn-id": $0.field(id), "channel-id": channel,
                    "remaining-subscribers": Value($0.channels.subscribers(of: channel)?.count ?? 0),
                ]
            }
        }
        send(.unsubscribed(channel, existed: channels.contains(channel)), to: id, as: .answer)
        if followedChannels.contains(channel) {
            effects.append(.subscription(id, to: channel, isThere: false))
        }
    }

    mutating func deleteChannel(_ channel: Value) {
        guard channels.contains(channel) else { return }
        let subscribers = channels.delete(channel)
        for id in subscribers { connections[id]?.subscriptions.remove(channel) }
        counters.subscriptionsRemoved += subscribers.count
        record(.channelDeleted) { _ in ["channel-id": channel, "subscriber-count": Value(subscribers.count)] }
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
        record(.publishStart) { _ in ["channel-id": channel] }
        guard data.isNull || data.mapValue != nil else {
            // sente-lite's handler throws here and says nothing; an answer is what its documents promise.
            guard let sender else { return recordUnpublished(channel, .dataUnfit, from: nil) }
            guard !outbox.faults(of: sender).ignoresUnfitData else { return }
            return refusePublish(channel, .dataUnfit, to: sender)
        }
        guard let subscribers = channels.subscribers(of: channel) else {
            guard let sender else { return recordUnpublished(channel, .channelNotFound, from: nil) }
            return refusePublish(channel, .channelNotFound, to: sender)
        }
        let messageID = counters.newMessageID()
        counters.publications += 1
        channels.record(.data(data), messageID: messageID, in: channel, limits: configuration.tables, at: now)
        let left = excludesSender ? sender : nil
        let author = name ?? sender.flatMap { connections[$0]?.name }
        let isLeftOut = left.map(subscribers.contains) ?? false
        let targets = subscribers.count - (isLeftOut ? 1 : 0)
        record(.messagePublished) { _ in
            [
                "channel-id": channel, "message-id": .string(messageID),
                "target-subscriber-count": Value(targets), "total-subscriber-count": Value(subscribers.count),
            ]
        }
        record(.channelBroadcastStart) { _ in ["channel-id": channel, "subscriber-count": Value(targets)] }
        let delivered = deliver(to: subscribers, but: left) { [trace] isFlat in
            .delivery(
                channel, data: data, messageID: messageID, sender: author, isFlat: isFlat, trace: trace)
        }
        record(.channelBroadcastComplete) { _ in
            ["channel-id": channel, "delivered": Value(delivered), "target-count": Value(targets)]
        }
        counters.deliveries += delivered
        guard let sender else { return }
        send(
            .published(channel, messageID: messageID, deliveredTo: targets), to: sender, as: .answer)
    }

    /// A client's publish fails; the server's own is a broadcast that does.
    private mutating func recordUnpublished(
        _ channel: Value, _ reason: RejectionReason, from id: ConnectionID?
    ) {
        counters.rejections[reason, default: 0] += 1
        record(id == nil ? .broadcastFailed : .publishFailed) {
            [
                "conn-id": $0.field(id), "channel-id": channel,
                "reason": .string(reason.rawValue),
            ]
        }
    }

    private mutating func refusePublish(_ channel: Value, _ reason: RejectionReason, to id: ConnectionID) {
        recordUnpublished(channel, reason, from: id)
        send(.publishRefused(channel, reason), to: id, as: .answer)
        sendError(reason, to: id)
    }

    /// Sends a message to every connection; in Sente to every user.
    mutating func broadcast(_ value: Value) {
        record(.broadcastStart) { ["total-connections": Value($0.linkedConnections)] }
        var sent = 0
        if family == .sente {
            for uid in users.uids {
                push(value, to: uid, flushes: false)
                sent += 1
            }
        } else {
            sent = deliver(to: connectionIDs, but: nil) { _ in .broadcast(value) }
        }
        record(.broadcastComplete) {
            ["sent-count": Value(sent), "total-connections": Value($0.linkedConnections)]
        }
    }

    /// Sends one message to many, written once for each shape in use; to how many.
    mutating func deliver(
        to subscribers: OrderedSet<ConnectionID>, but left: ConnectionID?,
        _ message: (_ isFlat: Bool) -> ServerMessage
    ) -> Int {
        var shapes: [Bool: Spelled] = [:]
        var count = 0
        for id in subscribers where id != left {
            let isFlat = outbox.isFaulty && outbox.faults(of: id).deliversFlat
            guard var shape = shapes.removeValue(forKey: isFlat) ?? spell(message(isFlat)),
                send(&shape, to: id, as: .push)
            else { return count }
            shapes[isFlat] = shape
            count += 1
        }
        return count
    }

    /// Lets the shell pour deliveries to whoever ordered them, subscribed or not.
    ///
    /// Nothing else answers a flood.
    mutating func flood(_ id: ConnectionID, with data: Value, on channel: Value, _ count: Int64) {
        let isFlat = outbox.faults(of: id).deliversFlat
        let delivery = ServerMessage.delivery(
            channel, data: data, messageID: "msg-", sender: nil, isFlat: isFlat)
        // A session counts them, and can say so only of so many.
        let most = flows[id]?.session == nil ? Int.max : 1 << 32
        guard data.isNull || data.mapValue != nil, let count = Int(exactly: count),
            (0...most).contains(count),
            let message = encode(delivery)?.message,
            // Flat ones carry no message ids, so theirs are all alike.
            let flood = isFlat
                ? Flood(count: count, first: nil, head: message.bytes, tail: [])
                : Flood(count: count, first: counters.messages &+ 1, of: message, at: "msg-")
        else {
            recordUnprocessed(
                RejectionReason.floodUnfit.rawValue, RejectionReason.floodUnfit.sentence, from: id)
            return send(.error(.floodUnfit, requestID: nil), to: id, as: .answer)
        }
        counters.messages &+= UInt64(count)
        guard let link = links[id] else { return }
        flows[id]?.session?.buffer.pass(count)
        effects.append(.flood(link, flood))
    }
}
