// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The channels, their subscribers and what they keep.
///
/// Ids are any value, compared exactly.
struct ChannelTable: Sendable {
    private struct Channel {
        /// The order of creation.
        var number: Int
        var configuration: ChannelConfiguration
        var createdAt: Int64
        var messageCount = 0
        var subscribers = OrderedSet<ConnectionID>()
        var retained = Queue<Retained>()
    }

    private var rows: [Value: Channel] = [:]
    private var created = 0
    private var retainedBytes = 0

    var count: Int { rows.count }

    /// In the order of creation.
    var reports: [ChannelReport] {
        rows.sorted { $0.value.number < $1.value.number }.map { id, channel in
            ChannelReport(
                id: id, configuration: channel.configuration, createdAt: channel.createdAt,
                messageCount: channel.messageCount, subscriberCount: channel.subscribers.count,
                retainedCount: channel.retained.count)
        }
    }

    func contains(_ id: Value) -> Bool { rows[id] != nil }
    func configuration(of id: Value) -> ChannelConfiguration? { rows[id]?.configuration }
    func subscribers(of id: Value) -> OrderedSet<ConnectionID>? { rows[id]?.subscribers }
    func retained(in id: Value) -> [Retained] { rows[id].map { Array($0.retained) } ?? [] }
    func isSubscribed(_ connection: ConnectionID, to id: Value) -> Bool {
        rows[id]?.subscribers.contains(connection) ?? false
    }

    /// A channel that exists stays as it is.
    mutating func create(_ id: Value, _ configuration: ChannelConfiguration, at now: Moment) {
        guard rows[id] == nil else { return }
        created += 1
        rows[id] = Channel(number: created, configuration: configuration, createdAt: now.wallMilliseconds)
    }

    /// The former subscribers.
    mutating func delete(_ id: Value) -> OrderedSet<ConnectionID> {
        guard let channel = rows.removeValue(forKey: id) else { return OrderedSet() }
        retainedBytes -= channel.retained.reduce(0) { $0 + $1.bytes }
        return channel.subscribers
    }

    /// The number of subscribers now; nil when the channel is full.
    ///
    /// Subscribing again changes nothing: sente-lite counts it again, even against the limit.
    mutating func subscribe(_ connection: ConnectionID, to id: Value) -> Int? {
        guard let place = rows.index(forKey: id) else { return nil }
        let count = rows.values[place].subscribers.count
        if rows.values[place].subscribers.contains(connection) { return count }
        guard count < rows.values[place].configuration.maximumSubscribers else { return nil }
        rows.values[place].subscribers.insert(connection)
        return count + 1
    }

    @discardableResult
    mutating func unsubscribe(_ connection: ConnectionID, from id: Value) -> Bool {
        guard let place = rows.index(forKey: id) else { return false }
        return rows.values[place].subscribers.remove(connection)
    }

    /// Counts a message and keeps it, if the channel keeps any.
    mutating func record(
        _ body: Retained.Body, messageID: String, in id: Value, limits: ServerConfiguration.TableLimits,
        at now: Moment
    ) {
        guard let place = rows.index(forKey: id) else { return }
        rows.values[place].messageCount += 1
        let retention = rows.values[place].configuration.retention
        guard retention > 0 else { return }
        let bytes =
            switch body {
            case .data(let value): value.weight
            case .request(let request): request.data.weight
            }
        rows.values[place].retained.append(
            Retained(body: body, messageID: messageID, publishedAt: now.wallMilliseconds, bytes: bytes))
        retainedBytes += bytes
        while rows.values[place].retained.count > retention || retainedBytes > limits.retainedBytes,
            let oldest = rows.values[place].retained.popFirst()
        { retainedBytes -= oldest.bytes }
    }
}
