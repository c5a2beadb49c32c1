// SPDX-License-Identifier: Apache-2.0

public import SenteCore
import SenteWire

/// Channels of which nothing is missed.
extension SenteClient {
    /// Follows a channel from a place in the stream that keeps it, and gives a handle to its messages.
    ///
    /// Messages come in the stream's order, each once, over lost connections and nodes. What the stream itself has let go is told:
    /// by the `gap` of the next message and in the handle's `states`, with the first and last sequence. While the handle's inbox
    /// is full the stream waits; nothing is dropped, and up to 8 MiB wait beside it. `ChannelMessage.cursor` is a place to store and go on from.
    ///
    /// The handle is a wish of its own: it ends with the handle, by its `cancel()`, or by `unsubscribe`; others of the channel, also
    /// those of `subscribe(_:history:)`, go on beside it. `onMessage(in:)` does not hear what it gets.
    ///
    /// While open it returns when the stream was found and checked, or after `timeouts.request` with `isConfirmed` false; else at
    /// once. A rejection ends the handle's sequence.
    ///
    /// - Parameters:
    ///   - channel: The channel; with NATS it may have wildcards, of which one stream has to keep all.
    ///   - start: Where to begin.
    /// - Returns: The handle.
    /// - Throws: `rejected` when no stream keeps the channel, or several do, or the user may not ask; `invalidArgument` for a place
    ///   that no stream has; `unsupported` where the dialect keeps no streams, but for `.now`, and for `.next` while the
    ///   connection's session can be resumed; `cancelled`.
    public func subscribe(
        _ channel: String, from start: ChannelStart
    ) async throws(SenteError) -> Subscription {
        try check(.subscribe(channel: channel))
        guard start != .now else { return try await subscribe(channel, history: .none) }
        guard configuration.dialect == .nats else { return try await goOn(channel, from: start) }
        if let problem = start.problem {
            throw counted(SenteError(.invalidArgument, problem, outcome: .notSent))
        }
        let handle = InboxHandle(self, following: channel) { .endScope($0) }
        let answer = try await call(receiver: (handle.inbox, handle.mailbox)) {
            .follow($0, channel: channel, handle.inbox, from: start)
        }
        guard case .subscribed = answer else { throw .mismatched(answer) }
        return Subscription(channel, handle)
    }

    /// The same with messages that are decoded.
    ///
    /// - Throws: What ``subscribe(_:from:)`` throws.
    public func subscribe<T: Decodable & Sendable>(
        _ channel: String, as type: T.Type, from start: ChannelStart
    ) async throws(SenteError) -> TypedSubscription<T> {
        TypedSubscription(try await subscribe(channel, from: start), counting: driver.submissions)
    }

    /// A session that survives its connections misses nothing either.
    private func goOn(_ channel: String, from start: ChannelStart) async throws(SenteError) -> Subscription {
        guard start == .next, status.features?.resumption != nil else {
            throw counted(
                SenteError(
                    .unsupported,
                    "Only streams of NATS keep places in a channel; `.next` also works while connected to a server that keeps sessions. Leave `from` out.",
                    outcome: .notSent))
        }
        return try await subscribe(channel, history: .none)
    }
}

extension ChannelStart {
    /// The last millisecond of the year 9999.
    private static let latest: Int64 = 253_402_300_799_999

    /// Why no stream has such a place, if so.
    fileprivate var problem: String? {
        switch self {
        case .now, .next, .lastOfEach: nil
        case .sequence(let number):
            (1..<UInt64(Int64.max)).contains(number)
                ? nil : "`from` is the sequence \(number): give one from 1 on, as streams count."
        case .time(let time):
            (0...Self.latest).contains(time)
                ? nil : "`from` is the time \(time): give milliseconds since 1970, up to the year 9999."
        case .cursor(let cursor):
            cursor.problem.map { "`from` is a cursor that no message had: \($0)." }
        }
    }
}
