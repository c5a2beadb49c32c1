// SPDX-License-Identifier: Apache-2.0

public import SenteBase
public import SenteWire

/// Sente's state map of a channel socket, as a value.
///
/// Times are Sente's `udt`: milliseconds since 1970. What belongs to a handshake (`uid`, `handshakeData`, `csrfToken`)
/// stays after a close, until the next handshake says otherwise.
public struct ChannelSocketState: Sendable, Hashable {
    /// By what a channel socket is carried (`:type`).
    public enum Transport: String, Sendable, CaseIterable {
        /// A WebSocket; there is no Ajax yet.
        case ws
    }

    /// An attempt or a connection that failed (`:last-ws-error`).
    public struct SocketError: Sendable, Hashable {
        /// When, in milliseconds since 1970 (`:udt`).
        public var time: Int64
        /// What went wrong; a refusal's status, headers and body are in it (`:ev`).
        public var error: SenteError
    }

    /// A WebSocket's end (`:last-ws-close`).
    public struct SocketClose: Sendable, Hashable {
        /// When, in milliseconds since 1970 (`:udt`).
        public var time: Int64
        /// The code of the close frame, `.abnormal` when none came (`:code`).
        public var code: CloseCode
        /// The reason of the close frame; may be empty (`:reason`).
        public var reason: String
        /// Whether the code is 1000 (`:clean?`).
        public var isClean: Bool { code == .normal }
    }

    /// Why the socket went from open to closed (`:last-close`).
    public struct Close: Sendable, Hashable {
        /// Sente's reasons.
        public enum Reason: String, Sendable, CaseIterable {
            /// The server closed with the code 1000.
            case clean
            /// The connection was lost, or closed with another code.
            case unexpected
            /// `disconnect()` was called.
            case requestedDisconnect = "requested-disconnect"
            /// `reconnect()` was called.
            case requestedReconnect = "requested-reconnect"
            /// The server answered no ping.
            case wsPingTimeout = "ws-ping-timeout"
            /// The WebSocket protocol was broken.
            case wsError = "ws-error"
            /// Sente's change from WebSocket to Ajax, which does not happen here.
            case downgradingWsToAjax = "downgrading-ws-to-ajax"
        }

        /// When, in milliseconds since 1970 (`:udt`).
        public var time: Int64
        /// Why (`:reason`).
        public var reason: Reason
    }

    /// By what the socket is carried (`:type`).
    public let type = Transport.ws
    /// Whether the server has greeted on the current connection (`:open?`).
    public internal(set) var isOpen = false
    /// Whether it ever has (`:ever-opened?`).
    public internal(set) var everOpened = false
    /// Whether this change is the first opening (`:first-open?`).
    ///
    /// True only in the new state of the change itself, as in Sente; never in the current state.
    public internal(set) var isFirstOpen = false
    /// Who the server says this client is, of any type (`:uid`); nil when it has no user id for it.
    public internal(set) var uid: Value?
    /// The token of the last attempt, or the one that the handshake named (`:csrf-token`).
    public internal(set) var csrfToken: String?
    /// What the handshake carried beside (`:handshake-data`).
    public internal(set) var handshakeData: Value?
    /// The last attempt or connection that failed (`:last-ws-error`).
    public internal(set) var lastWSError: SocketError?
    /// The last WebSocket's end (`:last-ws-close`).
    public internal(set) var lastWSClose: SocketClose?
    /// Why the socket closed last (`:last-close`).
    public internal(set) var lastClose: Close?
    /// When the next attempt is due, in milliseconds since 1970 (`:udt-next-reconnect`).
    public internal(set) var nextReconnect: Int64?
    /// How many attempts were scheduled since the socket was last open (`:reconnect-count`).
    public internal(set) var reconnectCount = 0
    /// Why the last attempt or connection failed; nil once open again (`:last-error`).
    public internal(set) var lastError: SenteError?

    /// The state before anything has happened.
    public init() {}
}

extension ChannelSocketState {
    /// The map as Sente has it, with keyword keys; what is not known is left out.
    public var value: Value {
        var map: ValueMap = [
            .keyword("type"): .keyword(Keyword(type.rawValue)), .keyword("open?"): Value(isOpen),
            .keyword("ever-opened?"): Value(everOpened), .keyword("reconnect-count"): Value(reconnectCount),
        ]
        func add(_ key: Keyword, _ value: Value?) { if let value { map[.keyword(key)] = value } }
        if isFirstOpen { add("first-open?", true) }
        add("uid", uid)
        add("csrf-token", csrfToken.map { Value($0) })
        add("handshake-data", handshakeData)
        add("last-ws-error", lastWSError?.value)
        add("last-ws-close", lastWSClose?.value)
        add("last-close", lastClose?.value)
        add("udt-next-reconnect", nextReconnect.map { Value($0) })
        add("last-error", lastError?.value)
        return .map(map)
    }
}

extension ChannelSocketState.SocketError {
    fileprivate var value: Value { [.keyword("udt"): Value(time), .keyword("ev"): error.value] }
}

extension ChannelSocketState.SocketClose {
    fileprivate var value: Value {
        [
            .keyword("udt"): Value(time), .keyword("code"): Value(code.rawValue),
            .keyword("reason"): Value(reason), .keyword("clean?"): Value(isClean),
        ]
    }
}

extension ChannelSocketState.Close {
    fileprivate var value: Value {
        [.keyword("udt"): Value(time), .keyword("reason"): .keyword(Keyword(reason.rawValue))]
    }
}

extension SenteError {
    /// The error as a map, for events that carry one.
    package var value: Value {
        var map: ValueMap = [
            .keyword("code"): .keyword(Keyword(code.rawValue)), .keyword("message"): Value(message),
        ]
        if let underlying { map[.keyword("underlying")] = Value(underlying) }
        if let httpStatus { map[.keyword("status")] = Value(httpStatus) }
        if let closeCode { map[.keyword("close-code")] = Value(closeCode.rawValue) }
        return .map(map)
    }
}
