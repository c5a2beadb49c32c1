// SPDX-License-Identifier: Apache-2.0

public import SenteCore
import SenteTransport
public import SenteWire

/// Being the service: answering the requests of a channel.
extension SenteClient {
    /// Serves the requests of a channel, each on a task of its own.
    ///
    /// It wishes for the channel and, while open, returns when the server has confirmed. A `RemoteError` that `body` throws
    /// is what the requester gets. Whatever else it throws reaches the requester as an internal error with an id, and no
    /// more; its text stays on this side.
    ///
    /// The registration's `cancel()` ends the wish unless somebody else holds it, and `drain()` does so in good order. To use
    /// the client inside, capture it weakly, or it is never released.
    ///
    /// - Parameters:
    ///   - channel: The channel to serve.
    ///   - concurrency: How many requests are worked on at once; more are answered busy. The default is 16.
    ///   - options: How answers are sent. The default is as any other message.
    ///   - body: Answers a request.
    /// - Returns: What ends the service.
    /// - Throws: What `subscribe` throws, `invalidArgument` for a concurrency below 1, and `unsupported` where the dialect
    ///   carries no requests.
    @discardableResult
    public func respond(
        on channel: String, concurrency: Int = 16, options: SendOptions = SendOptions(),
        _ body: @escaping @Sendable (Value) async throws -> Value
    ) async throws(SenteError) -> Registration {
        try check(.subscribe(channel: channel))
        let answer = Outbound.answer(requestID: "", data: .null, isError: false)
        try check(answer.headed(by: options.headers))
        guard !options.durable else {
            throw counted(
                SenteError(
                    .invalidArgument,
                    "An answer is of use to the one who waits for it, and cannot be durable: leave `durable` out.",
                    outcome: .notSent))
        }
        guard concurrency >= 1 else {
            throw counted(
                SenteError(
                    .invalidArgument, "`concurrency` is \(concurrency): give at least 1.", outcome: .notSent))
        }
        let submissions = driver.submissions
        // With NATS a share in a subject is another subscription than all of it.
        let wish =
            configuration.dialect == .nats
            ? NATSWish(subject: channel, group: configuration.nats.group).name : channel
        let inbox = submissions.makeInbox()
        let registration = Registration {
            submissions.post(.endScope(inbox))
        } draining: {
            await submissions.drain(inbox)
        }
        submissions.post([
            .receiver(inbox, Responder(channel, inbox, options, submissions, entropy: host.entropy, body)),
            .input(.command(.respond(channel: wish, inbox, limit: concurrency))),
        ])
        do throws(SenteError) {
            // A wish of its own for as long as it takes the server to answer.
            _ = try await subscribe(channel, as: wish, scoped: true, .none)
        } catch {
            registration.cancel()
            throw error
        }
        return registration
    }

    /// Serves the requests of a channel with types of your own.
    ///
    /// A request of another shape is answered with the code `RemoteError.invalidRequest`, and counted in
    /// `metrics.errors`. For the rest it is as ``respond(on:concurrency:options:_:)``.
    ///
    /// ```swift
    /// try await client.respond(on: "seats", as: Booking.self) { booking in
    ///     guard let seat = hall.book(booking) else { throw RemoteError(code: "sold-out", message: "No seat is left.") }
    ///     return seat
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - channel: The channel to serve.
    ///   - type: What a request is decoded as.
    ///   - concurrency: How many requests are worked on at once; more are answered busy. The default is 16.
    ///   - options: How answers are sent. The default is as any other message.
    ///   - body: Answers a request; what it returns is encoded.
    /// - Returns: What ends the service.
    /// - Throws: What ``respond(on:concurrency:options:_:)`` throws.
    @discardableResult
    public func respond<Request: Decodable & Sendable, Answer: Encodable & Sendable>(
        on channel: String, as type: Request.Type, concurrency: Int = 16,
        options: SendOptions = SendOptions(),
        _ body: @escaping @Sendable (Request) async throws -> Answer
    ) async throws(SenteError) -> Registration {
        try await respond(
            on: channel, concurrency: concurrency, options: options,
            typed(body, counting: driver.submissions))
    }

    /// Disconnects as `disconnect()` does, but first lets the handlers of `respond` finish and their answers leave.
    ///
    /// The server is told to route requests elsewhere; what it sends until it has heard of that is served, and nothing
    /// after. At `limit` it disconnects whatever is still under way. Wishes stay, and services serve again after the next `connect()`.
    ///
    /// - Parameter limit: How long to wait for handlers and answers. `disconnect()` may then take `timeouts.close` more.
    public func disconnect(draining limit: Duration) async {
        await driver.submissions.perform { .drainAll($0, limit: limit) }
        await disconnect()
    }
}

/// A handler of values, of one that has types of its own.
func typed<Request: Decodable & Sendable, Answer: Encodable & Sendable>(
    _ body: @escaping @Sendable (Request) async throws -> Answer, counting submissions: SubmissionQueue?
) -> @Sendable (Value) async throws -> Value {
    { data in
        let request: Request
        do throws(SenteError) {
            request = try data.decoded(as: Request.self)
        } catch {
            submissions?.refused(error)
            throw RemoteError(
                code: RemoteError.invalidRequest,
                message: "The request is not of the shape that this service takes.")
        }
        return try Value(encoding: try await body(request))
    }
}

extension SubmissionQueue {
    /// Ends a responder; cancelling the task ends the waiting alone.
    fileprivate func drain(_ inbox: InboxID) async {
        let call = makeCall()
        await withTaskCancellationHandler {
            _ = await withUnsafeContinuation { continuation in
                post([.call(call, .task(continuation), .drain(call, inbox))])
                // The handler may have run before there was a call to cancel.
                if Task.isCancelled { post(.cancel(call)) }
            }
        } onCancel: {
            post(.cancel(call))
        }
    }
}
