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
        guard !options.durable else {
            throw counted(
                SenteError(
                    .invalidArgument,
                    "A message that a stream keeps cannot be durable too: leave one of `stored` and `durable` out.",
                    outcome: .notSent))
        }
        var stored = stored
        stored.messageID = stored.messageID ?? host.entropy.uuid().description
        let limit = timeout ?? max(configuration.timeouts.request, Self.storingLimit)
        let answer = try await submit(
            .jetStream(.store(channel: channel, data: data, stored, token: 0)), options, limit: limit,
            awaits: .reply)
        guard case .published(let receipt) = answer else { throw .mismatched(answer) }
        return receipt
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

    /// Longer than a cluster takes to elect a leader.
    private static let storingLimit: Duration = .seconds(15)
}
