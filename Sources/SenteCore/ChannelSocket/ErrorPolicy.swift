// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// What is done about an error.
public enum ErrorAction: String, Sendable, CaseIterable {
    /// A new connection takes the place of the open one.
    ///
    /// While the client connects already nothing more is done: `Configuration.reconnect` says when it tries. Nor is
    /// anything when it gave up or was disconnected: `connect()` is the app's to call.
    case reconnect
    /// The run of the handler is over and the next one goes on; the listeners are told, and that is all.
    case skip
    /// The message that cannot be used is dropped, and counted where the metrics count such; the listeners are told.
    case drop
    /// The app is told by an event of its own, `:chsk/error`, in order with the others; so are the listeners.
    case escalate
}

/// Where an error comes from.
public struct ErrorContext: Sendable, Hashable {
    /// What was being done.
    ///
    /// New ones may be added, and an app has its own.
    public struct Operation: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The operation's name.
        public let rawValue: String

        /// Makes an operation of a name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// An attempt to connect failed; the client goes on trying.
        public static let connect = Self(rawValue: "connect")
        /// An open connection was lost.
        public static let connection = Self(rawValue: "connection")
        /// The client gave up, and tries no more until it is told to.
        public static let giveUp = Self(rawValue: "give-up")
        /// An event that nobody waits for was not sent, or its fate is not known.
        public static let send = Self(rawValue: "send")
        /// A message came that cannot be used.
        public static let receive = Self(rawValue: "receive")
        /// A handler threw.
        public static let handle = Self(rawValue: "handle")
        /// Something of the app's.
        public static let app = Self(rawValue: "app")

        /// The name.
        public var description: String { rawValue }
    }

    /// What was being done.
    public var operation: Operation
    /// The event it was about, if it was about one.
    public var event: Event?
    /// The attempt to connect it happened in, as `ConnectionStatus.attempt` counts.
    public var attempt: Int

    package init(_ operation: Operation, event: Event? = nil, attempt: Int) {
        self.operation = operation
        self.event = event
        self.attempt = attempt
    }
}

/// Decides what is done about each error.
///
/// | error | action of `.default` |
/// | --- | --- |
/// | a connection was lost, or an attempt failed that is tried again | `reconnect` |
/// | a handler threw | `skip` |
/// | a message cannot be read or written | `drop` |
/// | everything else: the client gave up, a message was not sent, the app's own | `escalate` |
public struct ErrorPolicy: Sendable {
    private let body: @Sendable (any Error, ErrorContext) -> ErrorAction

    /// A policy of your own; `ErrorPolicy.default.action(for:in:)` decides what you leave to it.
    public init(_ action: @escaping @Sendable (_ error: any Error, _ context: ErrorContext) -> ErrorAction) {
        body = action
    }

    /// The table above.
    public static let `default` = ErrorPolicy { error, context in
        switch context.operation {
        case .connect, .connection: return .reconnect
        case .handle: return .skip
        default: break
        }
        switch (error as? SenteError)?.code {
        case .undecodable?, .unencodable?: return .drop
        default: return .escalate
        }
    }

    /// What is done about this error.
    public func action(for error: any Error, in context: ErrorContext) -> ErrorAction {
        body(error, context)
    }
}
