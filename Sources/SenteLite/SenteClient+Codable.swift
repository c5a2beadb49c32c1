// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// The same calls for types of your own: they are encoded on the caller's task, and decoded on the
/// consumer's.
extension SenteClient {
    /// Publishes an encodable value to a channel.
    ///
    /// - Throws: `unencodable`, and what `publish(_:to:excludeSender:timeout:options:)` throws.
    @discardableResult
    public func publish(
        encoding data: some Encodable, to channel: String, excludeSender: Bool = false,
        timeout: Duration? = nil, options: SendOptions = SendOptions()
    ) async throws(SenteError) -> PublishReceipt {
        try await publish(
            encoded(data), to: channel, excludeSender: excludeSender, timeout: timeout, options: options)
    }

    /// Asks whoever serves a channel with an encodable value; the answer is decoded.
    ///
    /// - Throws: `unencodable`, `decodingFailed` when the answer is of another shape, and what
    ///   `request(_:on:timeout:options:)` throws.
    public func request<Reply: Decodable>(
        encoding data: some Encodable, on channel: String, as type: Reply.Type = Reply.self,
        timeout: Duration? = nil, options: SendOptions = SendOptions()
    ) async throws(SenteError) -> Reply {
        let answer = try await request(encoded(data), on: channel, timeout: timeout, options: options)
        return try counted { () throws(SenteError) in try answer.decoded(as: type) }
    }

    /// Sends an encodable value as an event's data.
    ///
    /// - Throws: `unencodable`, and what `send(_:options:)` throws.
    public func send(
        encoding data: some Encodable, as id: Keyword, options: SendOptions = SendOptions()
    ) async throws(SenteError) {
        try await send(Event(id: id, data: encoded(data)), options: options)
    }

    private func encoded(_ data: some Encodable) throws(SenteError) -> Value {
        try counted { () throws(SenteError) in try Value(encoding: data) }
    }
}

extension ChannelMessage {
    /// The message's data as a type of your own.
    ///
    /// - Throws: `decodingFailed`, with what does not fit in `underlying`.
    public func decode<T: Decodable>(_ type: T.Type = T.self) throws(SenteError) -> T {
        try data.decoded(as: type)
    }
}

extension Event {
    /// The event's data as a type of your own.
    ///
    /// - Throws: `decodingFailed`, with what does not fit in `underlying`.
    public func decode<T: Decodable>(_ type: T.Type = T.self) throws(SenteError) -> T {
        try data.decoded(as: type)
    }
}

extension Value {
    init(encoding data: some Encodable) throws(SenteError) {
        do {
            self = try ValueEncoder().encode(data)
        } catch {
            throw SenteError(
                .unencodable, "The value of type \(type(of: data)) cannot be encoded.", outcome: .notSent,
                underlying: String(describing: error))
        }
    }

    func decoded<T: Decodable>(as type: T.Type) throws(SenteError) -> T {
        do {
            return try ValueDecoder().decode(type, from: self)
        } catch {
            throw SenteError(
                .decodingFailed, "What came is no \(type).", underlying: String(describing: error),
                details: self)
        }
    }
}
