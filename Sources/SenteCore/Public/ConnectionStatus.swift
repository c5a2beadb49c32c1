// SPDX-License-Identifier: Apache-2.0

public import SenteBase
public import SenteWire

/// Everything a client says of its connection, as one value.
public struct ConnectionStatus: Sendable, Equatable {
    /// How the last link ended, when a close frame said so.
    public struct Close: Sendable, Equatable {
        /// The code of the close frame, `.noStatus` when it carried none, `.abnormal` when none came.
        public var code: CloseCode
        /// The reason of the close frame; may be empty.
        public var reason: String

        /// Makes a link's end.
        public init(code: CloseCode = .normal, reason: String = "") {
            self.code = code
            self.reason = reason
        }
    }

    /// A call of the app after which the client goes on, although it ends an open link.
    package enum OwnEnd: Sendable {
        case reconnect
        case breakConnection
    }

    /// The state.
    public var state: ConnectionState
    /// Which try this is since the last stable connection: 1 for the first attempt, 2 for the first retry; 0 while closed.
    public var attempt: Int
    /// When the next attempt is due, while reconnecting.
    public var retryAt: Instant?
    /// How the last link ended; kept until the next one ends.
    public var lastClose: Close?
    /// Why the last attempt or link failed; kept until the next greeting.
    public var lastError: SenteError?
    /// What of the app's ended the last open link, if that did; `lastError` says it for people.
    package var endedBy: OwnEnd?
    /// Who the server says we are, while open.
    public var identity: Identity? {
        get { greeted.first }
        set { greeted = newValue.map { [$0] } ?? [] }
    }
    /// When the server greeted, while open.
    public var openedAt: Instant?
    /// How the server writes its messages, once its first frame has shown it.
    public var dialect: Dialect?
    /// How values become bytes, once the first frame has shown it.
    public var format: WireFormat?
    /// What holds on this connection beyond plain messages, once the server has agreed; nil while it is not open.
    public var features: FlowFeatures? {
        get { agreed.first }
        set { agreed = newValue.map { [$0] } ?? [] }
    }
    // One each, or none: in an array they are a word, and copies of a status share them.
    private var greeted: [Identity] = []
    private var agreed: [FlowFeatures] = []
    /// What became of the session of the connection before, while open.
    public var recovery = Recovery.none

    /// Makes a status; clients make their own.
    public init(
        state: ConnectionState = .closed, attempt: Int = 0, retryAt: Instant? = nil, lastClose: Close? = nil,
        lastError: SenteError? = nil, identity: Identity? = nil, openedAt: Instant? = nil,
        dialect: Dialect? = nil, format: WireFormat? = nil, features: FlowFeatures? = nil,
        recovery: Recovery = .none
    ) {
        self.state = state
        self.attempt = attempt
        self.retryAt = retryAt
        self.lastClose = lastClose
        self.lastError = lastError
        self.identity = identity
        self.openedAt = openedAt
        self.dialect = dialect
        self.format = format
        self.features = features
        self.recovery = recovery
    }
}

/// Who the server says this connection is.
///
/// A new link gets a new one.
public struct Identity: Sendable, Hashable {
    private var name: WireName?
    /// The server's name for the connection (`conn-id`); nil on Sente, which has none.
    public var connectionID: String? {
        get { name?.text }
        set { name = newValue.map { WireName($0) } }
    }
    /// The user id that the server gave this client, of any type: sente-lite's vectors say the conn-id, Sente what its
    /// `:user-id-fn` returned; nil when the server has none.
    public var uid: Value?
    /// The CSRF token of the handshake, for HTTP requests to the same server; nil when it named none.
    public var csrfToken: String?
    /// What the server's handshake carries beside; nil when it carries nothing.
    public var handshakeData: Value?
    /// The server's wall clock at the greeting, in milliseconds since 1970, when it said so.
    public var serverTime: Int64?
    /// What of flow the server announces, as it wrote it.
    package var capabilities: Value?

    /// Makes an identity; clients make theirs of the server's greeting.
    public init(
        connectionID: String? = nil, uid: Value? = nil, csrfToken: String? = nil, handshakeData: Value? = nil,
        serverTime: Int64? = nil
    ) {
        name = connectionID.map { WireName($0) }
        self.uid = uid
        self.csrfToken = csrfToken
        self.handshakeData = handshakeData
        self.serverTime = serverTime
    }
}
