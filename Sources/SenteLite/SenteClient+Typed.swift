// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// Messages and events as types of your own: what does not fit comes too, as an error, and is counted in `metrics.errors`.
extension SenteClient {
    /// Wishes for a channel, and gives a handle to its messages that decodes them.
    ///
    /// ```swift
    /// for await line in try await client.subscribe("chat", as: Line.self) {
    ///     switch line.value {
    ///     case .success(let line): print("\(line.name): \(line.text)")
    ///     case .failure(let error): print("· \(error)")
    ///     }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - channel: The channel.
    ///   - type: What messages are decoded as.
    ///   - history: How much of what the server kept the handle begins with. The default is all.
    /// - Returns: The handle.
    /// - Throws: What ``subscribe(_:history:)`` throws.
    public func subscribe<T: Decodable & Sendable>(
        _ channel: String, as type: T.Type, history: ChannelHistory = .all
    ) async throws(SenteError) -> TypedSubscription<T> {
        TypedSubscription(try await subscribe(channel, history: history), counting: driver.submissions)
    }

    /// Runs `body` for each message of a channel, decoded; in order, one closure of the client at a time, never on the loop.
    ///
    /// It records no wish: `subscribe` does. To use the client inside, capture it weakly, or it is never released.
    @discardableResult
    public func onMessage<T: Decodable & Sendable>(
        in channel: String, as type: T.Type, _ body: @escaping @Sendable (TypedMessage<T>) -> Void
    ) -> Registration {
        let submissions = driver.submissions
        return onMessage(in: channel) { body(TypedMessage($0, counting: submissions)) }
    }

    /// Runs `body` on the main actor for each message of a channel, decoded beforehand; in order.
    ///
    /// It records no wish: `subscribe` does.
    @discardableResult
    public func onMessage<T: Decodable & Sendable>(
        in channel: String, as type: T.Type,
        mainActor body: @escaping @MainActor @Sendable (TypedMessage<T>) -> Void
    ) -> Registration {
        let submissions = driver.submissions
        return driver.closures.register(
            .channel(WireName(channel)),
            awaited: { element in
                if case .message(let message) = element {
                    await body(TypedMessage(message, counting: submissions))
                }
            })
    }

    /// Runs `body` for each event of an id, decoded; in order, one closure of the client at a time, never on the loop.
    ///
    /// To use the client inside, capture it weakly, or it is never released.
    @discardableResult
    public func on<T: Decodable & Sendable>(
        _ id: Keyword, as type: T.Type, _ body: @escaping @Sendable (TypedEvent<T>) -> Void
    ) -> Registration {
        let submissions = driver.submissions
        return on(id) { body(TypedEvent($0, counting: submissions)) }
    }

    /// Runs `body` on the main actor for each event of an id, decoded beforehand; in order.
    @discardableResult
    public func on<T: Decodable & Sendable>(
        _ id: Keyword, as type: T.Type, mainActor body: @escaping @MainActor @Sendable (TypedEvent<T>) -> Void
    ) -> Registration {
        let submissions = driver.submissions
        return driver.closures.register(
            .event(id),
            awaited: { element in
                if case .event(let event, _) = element {
                    await body(TypedEvent(event, counting: submissions))
                }
            })
    }
}

extension Value {
    /// The value as a type of one's own; what does not fit counts among the client's errors, if a client is meant.
    func result<T: Decodable>(counting submissions: SubmissionQueue?) -> Result<T, SenteError> {
        do throws(SenteError) {
            return .success(try decoded(as: T.self))
        } catch {
            submissions?.refused(error)
            return .failure(error)
        }
    }
}
