// SPDX-License-Identifier: Apache-2.0

public import SenteCore
import SenteTransport
public import SenteWire

/// Messages that a stream of NATS keeps.
extension SenteClient {
    /// Publishes to a channel that a stream keeps, and returns when the stream has acknowledged it.
    ///
    /// The stream is one of JetStream whose subjects hold the channel; its operators make it. As long as nobody answers, for a
    /// leader is being elected, or a node or the connection was lost, the message goes again, with the same id: the stream keeps
    /// it once. Those of one channel go one after the other, each when the one before it is done, and so they are kept in the order
    /// of the calls; nothing is promised about the order beside publishes that are not stored.
    ///
    /// ```swift
    /// let receipt = try await client.publish(["total": 9], to: "orders.new", stored: .once)
    /// print(receipt.messageID ?? "", receipt.isDuplicate)  // ORDERS:17 false
    /// ```
    ///
    /// - Parameters:
    ///   - data: What to publish.
    ///   - channel: The channel.
    ///   - stored: How the stream is to keep it.
    ///   - timeout: How long it may take in all, waiting for a connection and trying again included; it should be less than the
    ///     stream's `duplicate_window`. The default is nil: 15 s, or `timeouts.request` if that is longer, for electing a leader
    ///     takes up to 10 s.
    ///   - options: How it is sent: its headers; it cannot be durable too. The default is as any other.
    /// - Returns: The stream's word: `acknowledgement` is `.stored`, `messageID` is `stream:sequence`.
    /// - Throws: `rejected` when the stream refused it, with its reason in `details`; `timedOut`, with *unknown* as the outcome
    ///   unless it never left; `unsupported` on other dialects; and what `publish(_:to:excludeSender:timeout:options:)` throws.
    @discardableResult
    public func publish(
        _ data: Value, to channel: String, stored: StoredPublish, timeout: Duration? = nil,
        options: SendOptions = SendOptions()
    ) async throws(SenteError) -> PublishReceipt {
        let outbound = try storing(data, in: channel, stored, options)
        let answer = try await submit(
            outbound, options, limit: timeout ?? storingLimit, awaits: .reply)
        guard case .published(let receipt) = answer else { throw .mismatched(answer) }
        return receipt
    }

    /// Publishes to a channel that a stream keeps without waiting, in the order of the calls.
    ///
    /// It goes again as any stored publish does, for as long as one that is given no `timeout`.
    ///
    /// - Parameters:
    ///   - data: What to publish.
    ///   - channel: The channel.
    ///   - stored: How the stream is to keep it.
    ///   - options: How it is sent: its headers; it cannot be durable too. The default is as any other.
    /// - Returns: What tells the outcome: *acknowledged* when the stream keeps it.
    /// - Throws: `notConnected`, `outboxFull`, `invalidArgument`, `unsupported` on other dialects; nothing was sent then. A message larger than the
    ///   server carries, and what the stream refuses, the delivery's `error` tells.
    @discardableResult
    public func enqueue(
        publish data: Value, to channel: String, stored: StoredPublish, options: SendOptions = SendOptions()
    ) throws(SenteError) -> Delivery {
        try enqueue(
            try storing(data, in: channel, stored, options), options, limit: storingLimit, awaits: .reply,
            DeliveryResult())
    }

    /// Publishes an encodable value to a channel that a stream keeps.
    ///
    /// - Throws: `unencodable`, and what `publish(_:to:stored:timeout:options:)` throws.
    @discardableResult
    public func publish(
        encoding data: some Encodable, to channel: String, stored: StoredPublish, timeout: Duration? = nil,
        options: SendOptions = SendOptions()
    ) async throws(SenteError) -> PublishReceipt {
        let value = try counted { () throws(SenteError) in try Value(encoding: data) }
        return try await publish(value, to: channel, stored: stored, timeout: timeout, options: options)
    }

    /// What asks a stream to keep it, under an id that stays the same however often it goes.
    private func storing(
        _ data: Value, in channel: String, _ stored: StoredPublish, _ options: SendOptions
    ) throws(SenteError) -> Outbound {
        guard !options.durable else {
            throw counted(
                SenteError(
                    .invalidArgument,
                    "A message that a stream keeps cannot be durable too: leave one of `stored` and `durable` out.",
                    outcome: .notSent))
        }
        var stored = stored
        stored.messageID = stored.messageID ?? host.entropy.uuid().description
        return .jetStream(.store(channel: channel, data: data, stored, token: 0))
    }

    /// Longer than a cluster takes to elect a leader.
    private var storingLimit: Duration { max(requestLimit, .seconds(15)) }
}
