// SPDX-License-Identifier: Apache-2.0

public import SenteWire

/// What a callback of Sente's `send-fn` is given.
///
/// A server's handler can answer with one of the three keywords itself; it means the same.
public enum SendReply: Sendable, Hashable {
    /// The server's answer, which may be any value, `.null` too.
    case value(Value)
    /// The socket was not open, and nothing was sent (`:chsk/closed`).
    case closed
    /// No answer came in time (`:chsk/timeout`).
    case timeout
    /// It was not sent, or its answer was lost with the connection; the error says which (`:chsk/error`).
    case error(SenteError)

    /// Whether there is an answer (`cb-success?`).
    public var isSuccess: Bool {
        if case .value = self { true } else { false }
    }

    /// Whether there is none (`cb-error?`).
    public var isError: Bool { !isSuccess }

    /// The answer, if there is one.
    public var value: Value? {
        if case .value(let value) = self { value } else { nil }
    }
}

extension SendReply {
    /// Of what the server answered.
    package init(answer: Value) {
        switch answer.keywordValue {
        case "chsk/closed"?: self = .closed
        case "chsk/timeout"?: self = .timeout
        case "chsk/error"?:
            self = .error(
                SenteError(
                    .remoteError, "The server's handler answered :chsk/error.", outcome: .acknowledged,
                    details: answer))
        default: self = .value(answer)
        }
    }

    /// Of how a call failed.
    package init(failure: SenteError) {
        switch failure.code {
        case .timedOut: self = .timeout
        case .notConnected: self = .closed
        case .disconnected where failure.outcome == .notSent: self = .closed
        default: self = .error(failure)
        }
    }
}

extension SenteError {
    /// Whether the call itself was wrong, or taken back: that is thrown, and no reply.
    package var isThrownBySend: Bool {
        switch code {
        case .invalidArgument, .unencodable, .unsupported, .messageTooLarge, .outboxFull, .cancelled: true
        default: false
        }
    }
}
