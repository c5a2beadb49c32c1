// SPDX-License-Identifier: Apache-2.0

public import SenteBase
public import SenteCore
import SenteServer
import SenteTransport
public import SenteWire

/// What a server does from now on.
extension TestServer {
    /// When something happens of itself.
    public enum Occasion: Sendable, Hashable {
        /// Once so many more messages of clients have come and were handled; pings and pongs do not count.
        case messages(Int)
        /// So long from now.
        case time(Duration)

        /// So many seconds from now.
        public static func seconds(_ count: Int) -> Occasion { .time(.seconds(count)) }
        /// So many milliseconds from now.
        public static func milliseconds(_ count: Int) -> Occasion { .time(.milliseconds(count)) }
    }

    /// Why a server lets nobody in.
    public struct Refusing: Sendable {
        let fault: Faults.Refusing

        /// 401: who asks must show another token.
        public static let unauthorized = status(401)
        /// 403: who asks may not.
        public static let forbidden = status(403)
        /// The connection ends without an answer.
        public static let disconnected = Refusing(fault: .disconnect)

        /// 503, with the time to wait.
        public static func unavailable(retryAfter seconds: Int = 1) -> Refusing {
            status(503, headers: [SenteError.Header(name: "Retry-After", value: String(seconds))])
        }

        /// An HTTP answer instead of the upgrade.
        public static func status(
            _ status: Int, headers: [SenteError.Header] = [], body: String = ""
        ) -> Refusing {
            Refusing(
                fault: .answer(
                    Refusal(
                        status: status, headers: headers.map { .init($0.name, $0.value) },
                        body: Array(body.utf8))))
        }
    }

    // MARK: Answers

    /// Requests on a channel are answered by the server with what `body` returns, or with the error it throws.
    ///
    /// Without this they go to the channel's subscribers. `body` runs on the world's executor.
    public func answersRequests(
        on channel: String, _ body: @escaping @Sendable (Value) async throws -> Value
    ) {
        state.withLock { $0.answers.requests[channel] = body }
        order(.serve(channel: .string(channel)))
    }

    /// Events of an id are answered with what `body` returns; nil answers nothing.
    ///
    /// Without this they are answered as the reference server answers them: echoed, in `sente` with their own data. On
    /// `sente` the answer is the reply to the call; on `senteLiteVectors` an event of the same id with the `:request-id`
    /// of the one that asked; on `senteLiteMaps` a frame of the same type. `body` runs on the world's executor.
    public func answersEvents(_ id: Keyword, _ body: @escaping @Sendable (Event) async -> Value?) {
        state.withLock { $0.answers.events[id] = body }
    }

    /// Greets as the user `uid`, with the app's own data.
    ///
    /// Without this the user is who the dialect says: the connection in sente-lite's, nobody in `sente`.
    public func greets(as uid: Value?, handshakeData: Value = .null) {
        state.withLock { state in
            state.uid = uid
            state.handshakeData = handshakeData
        }
    }

    // MARK: Sessions

    /// Keeps the session of each client that connects from now on: calls in flight, subscriptions and up to 100 messages to it
    /// survive a lost connection, for as long as its client is away.
    ///
    /// Without this each connection is a new beginning, and so it is after a restart of the server.
    ///
    /// - Parameter window: How long a client may be away. The default is 300 s.
    public func keepsSessions(for window: Duration = .seconds(300)) {
        order(.keepSessions(.init(window: window)))
    }

    // MARK: Faults

    /// Lets nobody in; who is in stays.
    public func refuses(_ refusing: Refusing) { change { $0.refusing = refusing.fault } }

    /// Lets connections open, and never greets them.
    public func withholdsGreeting() { change { $0.neverGreets = true } }

    /// Ends every connection once, when that much has come: with no word, or with a close frame of that code.
    public func disconnects(after occasion: Occasion, code: CloseCode? = nil) {
        switch occasion {
        case .messages(let count):
            time.post(.world) { [weak self] in
                self?.state.withLock { $0.ending = (count, code) }
                if count <= 0 { self?.endAll() }
            }
        case .time(let delay):
            later(delay) { server in
                server.state.withLock { $0.ending = (0, code) }
                server.endAll()
            }
        }
    }

    /// Stops now, closing every connection with 1001, and starts anew after a time: here, or at another address.
    public func restarts(after delay: Duration, at url: String? = nil) {
        stop()
        later(delay) { $0.start(at: url) }
    }

    /// Everything it says comes this much later, in order.
    public func delays(_ delay: Duration) { change { $0.delay = delay } }

    /// Does what it is asked and answers none of it but pings; deliveries go on.
    public func losesReplies() { change { $0.replies = .never } }

    /// Takes everything and says nothing at all, as a process that hangs.
    public func fallsSilent() { change { $0.isSilent = true } }

    /// Has no fault any more: lets everybody in, greets, answers.
    public func recovers() {
        state.withLock { $0.ending = nil }
        change { $0 = Faults() }
        streams.recover()
        time.post(.world) { [weak self] in self?.wakeStreams() }
    }

    private func change(_ body: @escaping @Sendable (inout Faults) -> Void) {
        time.post(.world) { [weak self] in
            guard let self else { return }
            let (faults, connections) = state.withLock { state in
                body(&state.faults)
                return (state.faults, state.connections)
            }
            handle(.command(.setFaults(faults, for: nil)))
            for id in connections { network.setSilent(faults.isSilent, id) }
        }
    }
}
