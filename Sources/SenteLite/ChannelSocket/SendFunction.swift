// SPDX-License-Identifier: Apache-2.0

public import SenteCore
import SenteWire

/// Sends events, Sente's `send-fn`: call it like a function.
///
/// ```swift
/// try sendFn(Event(id: "chat/say", data: ["text": "hello"]))
/// let reply = try await sendFn(Event(id: "chat/who"), timeout: .seconds(5))
/// if case .value(let names) = reply { print(names) }
/// ```
///
/// What is wrong with the call itself is thrown, and nothing was sent: `invalidArgument` (an id without namespace, a
/// time-out of zero), `unencodable` (a value that the format cannot say), `messageTooLarge`, `outboxFull`.
///
/// While the socket connects, events wait in the outbox (`Configuration.outbox`) and leave in the order of the calls once
/// it is open; with the policy `.off` they do not, as in Sente.
public struct SendFunction: Sendable {
    private let socket: ChannelSocket

    init(_ socket: ChannelSocket) {
        self.socket = socket
    }

    /// Sends an event that has no reply.
    ///
    /// If it turns out later that it was not sent, the error channel says so.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - options: How it is sent. The default is as any other.
    /// - Returns: Whether it was taken, and how; `.closed` when it was not.
    /// - Throws: What is wrong with the call.
    @discardableResult
    public func callAsFunction(
        _ event: Event, options: SendOptions = SendOptions()
    ) throws(SenteError) -> SendResult {
        try submit(event, options, limit: nil) { [hub = socket.hub] result in
            guard case .failure(let error) = result, error.code != .cancelled else { return }
            hub.reportLater(error, .send, event: event)
        }
    }

    /// Sends an event, and waits for the server's reply.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - timeout: How long to wait, queueing included.
    ///   - options: How it is sent. The default is as any other.
    /// - Returns: The answer, or why there is none.
    /// - Throws: What is wrong with the call; `cancelled`; `unsupported` where the server's dialect has no replies.
    public func callAsFunction(
        _ event: Event, timeout: Duration, options: SendOptions = SendOptions()
    ) async throws(SenteError) -> SendReply {
        try check(event, timeout)
        do throws(SenteError) {
            return SendReply(answer: try await socket.client.send(event, timeout: timeout, options: options))
        } catch {
            if error.isThrownBySend { throw error }
            return SendReply(failure: error)
        }
    }

    /// Sends an event; `reply` is called once, with the server's reply or with why there is none.
    ///
    /// It runs with the client's other closures, in order, and never on the loop.
    ///
    /// - Parameters:
    ///   - event: The event.
    ///   - timeout: How long to wait, queueing included.
    ///   - options: How it is sent. The default is as any other.
    ///   - reply: Gets the answer.
    /// - Returns: Whether it was taken, and how; after `.closed`, `reply` gets `.closed` too.
    /// - Throws: What is wrong with the call; `reply` is not called then.
    @discardableResult
    public func callAsFunction(
        _ event: Event, timeout: Duration, options: SendOptions = SendOptions(),
        reply: @escaping @Sendable (SendReply) -> Void
    ) throws(SenteError) -> SendResult {
        try check(event, timeout)
        try socket.client.checkAnswers()
        let closures = socket.hub.closures
        let result = try submit(event, options, limit: timeout, awaits: .reply) { result in
            let answer: SendReply =
                switch result {
                case .success(.value(let value)): SendReply(answer: value)
                case .success(let other): .error(.mismatched(other))
                case .failure(let error): SendReply(failure: error)
                }
            closures.run { reply(answer) }
        }
        if case .closed = result { closures.run { reply(.closed) } }
        return result
    }

    private func submit(
        _ event: Event, _ options: SendOptions, limit: Duration?, awaits awaited: Awaited = .written,
        _ observer: @escaping @Sendable (Result<Answer, SenteError>) -> Void
    ) throws(SenteError) -> SendResult {
        try check(event, limit)
        let client = socket.client
        do throws(SenteError) {
            let delivery = try client.enqueue(
                .event(event), options, limit: limit, awaits: awaited, DeliveryResult(observer))
            return client.state == .open ? .sent(delivery) : .queued(delivery)
        } catch {
            guard error.code == .notConnected else { throw error }
            return .closed
        }
    }

    /// As `assert-send-args` of sente.cljc, and whether the format can say it.
    private func check(_ event: Event, _ timeout: Duration?) throws(SenteError) {
        try socket.client.counted { () throws(SenteError) -> Void in
            try event.checkID()
            if let timeout, timeout <= .zero {
                throw SenteError(
                    .invalidArgument, "`timeout` is \(timeout): give more than 0.", outcome: .notSent)
            }
            try socket.client.checkFormat(event)
        }
    }
}

/// What became of an event at the call.
public enum SendResult: Sendable {
    /// The socket is open, and the event is on its way to it.
    case sent(Delivery)
    /// The socket is not open yet: the event waits in the outbox.
    case queued(Delivery)
    /// The socket is not open and does not connect, or its outbox is off: the event was not taken.
    case closed

    /// Whether it was taken: what Sente's `send-fn` returns.
    public var isAccepted: Bool { delivery != nil }

    /// Tells what becomes of it.
    public var delivery: Delivery? {
        switch self {
        case .sent(let delivery), .queued(let delivery): delivery
        case .closed: nil
        }
    }
}

extension SenteClient {
    /// Refuses what the format cannot say, as soon as the format is known; afterwards it shows when the event is to leave.
    fileprivate func checkFormat(_ event: Event) throws(SenteError) {
        guard let format = driver.board.format ?? configuration.format else { return }
        do throws(WireError) {
            _ = try format.encode([.keyword(event.id), event.data], limits: WireLimits(maximumBytes: .max))
        } catch {
            throw SenteError(
                .unencodable, "The event cannot be written as \(format.name): \(error)", outcome: .notSent)
        }
    }
}
