// SPDX-License-Identifier: Apache-2.0

import SenteBase
public import SenteCore
import SenteServer
import SenteTransport
public import SenteWire

/// What a server has seen, and waiting for it.
///
/// To expect something moves the world's time, if need be, until it has happened. What does not happen is thrown, as a
/// sentence.
extension TestServer {
    /// Every frame of clients so far, in order, as a value of the format.
    public var received: [Value] { state.withLock { $0.record.frames } }

    /// What was published to a channel so far, in order.
    public func published(to channel: String) -> [Value] {
        state.withLock { state in
            state.record.published.filter { $0.channel == channel }.map(\.data)
        }
    }

    /// What was asked on a channel so far, in order.
    public func requests(on channel: String) -> [Value] {
        state.withLock { state in
            state.record.asked.filter { $0.channel == channel }.map(\.data)
        }
    }

    /// The application events of clients so far, in order.
    public var events: [Event] { state.withLock { $0.record.events } }

    /// The attempts to connect so far, in order.
    public var attempts: [Attempt] { state.withLock { $0.attempts } }

    /// How many clients are connected.
    public var connectionCount: Int { state.withLock { $0.connections.count } }

    /// How many clients are subscribed to a channel.
    public func subscriberCount(of channel: String) -> Int {
        let now = time.now
        return state.withLock { state in
            guard state.isUp else { return 0 }
            return state.session.statistics(at: now).channels
                .first { $0.id == .string(channel) }?.subscriberCount ?? 0
        }
    }

    // MARK: Expecting

    /// Waits until so many clients are connected.
    public func expectConnections(
        _ count: Int = 1, within limit: Duration = .seconds(60)
    ) async throws(TestFailure) {
        try await expect("\(count) connections at \(url)", within: limit) { server in
            server.connectionCount == count ? () : nil
        } standing: {
            "There are \($0.connectionCount)."
        }
    }

    /// Waits until a channel has so many subscribers.
    public func expectSubscribers(
        _ count: Int = 1, of channel: String, within limit: Duration = .seconds(60)
    ) async throws(TestFailure) {
        try await expect("\(count) subscribers of \(channel)", within: limit) { server in
            server.subscriberCount(of: channel) == count ? () : nil
        } standing: {
            "There are \($0.subscriberCount(of: channel))."
        }
    }

    /// Waits until so many messages, or more, were published to a channel since the server was made; all of them, in order.
    @discardableResult
    public func expectPublished(
        _ count: Int = 1, to channel: String, within limit: Duration = .seconds(60)
    ) async throws(TestFailure) -> [Value] {
        try await expect("\(count) messages published to \(channel)", within: limit) { server in
            let published = server.published(to: channel)
            return published.count >= count ? published : nil
        } standing: {
            "There are \($0.published(to: channel).count): \($0.published(to: channel))."
        }
    }

    /// Waits until an event of that id has come since the server was made, and `isWanted` holds for it; the latest.
    @discardableResult
    public func expectEvent(
        _ id: Keyword, within limit: Duration = .seconds(60),
        where isWanted: @escaping @Sendable (Event) -> Bool = { _ in true }
    ) async throws(TestFailure) -> Event {
        try await expect("an event \(id)", within: limit) { server in
            server.events.last { $0.id == id && isWanted($0) }
        } standing: {
            "The events that came: \($0.events.map(\.id))."
        }
    }

    /// Waits until a frame has come for which `isWanted` holds; the first.
    @discardableResult
    public func expectReceived(
        _ what: String = "a frame", within limit: Duration = .seconds(60),
        where isWanted: @escaping @Sendable (Value) -> Bool
    ) async throws(TestFailure) -> Value {
        try await expect(what, within: limit) { server in
            server.received.first(where: isWanted)
        } standing: {
            "What came: \($0.received)."
        }
    }

    func expect<Result: Sendable>(
        _ wanted: String, within limit: Duration, _ found: @escaping @Sendable (TestServer) -> Result?,
        standing: (TestServer) -> String
    ) async throws(TestFailure) -> Result {
        let end = time.now.instant.advanced(by: limit)
        let outcome = await pump.wait(until: end) { [self] in found(self) != nil }
        if let result = found(self), outcome != .cancelled { return result }
        throw TestFailure(outcome, "This", within: limit, "Expected: \(wanted). \(standing(self))")
            ?? TestFailure(.timedOut, "Expected: \(wanted). \(standing(self))")
    }
}
