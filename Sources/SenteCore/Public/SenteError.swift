// SPDX-License-Identifier: Apache-2.0

public import SenteBase
public import SenteWire

/// What went wrong, for code (`code`, `outcome`) and for people (`description`).
///
/// Every throwing call of the client throws this type: `do throws(SenteError) { … } catch { … }`.
public struct SenteError: Error, Hashable, Sendable {
    /// A kind of error.
    ///
    /// New ones may be added, so a `switch` needs a `default`.
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The code's name, stable across versions.
        public let rawValue: String

        /// Makes a code of a name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The name.
        public var description: String { rawValue }
    }

    /// A header of the server's answer.
    public struct Header: Hashable, Sendable {
        /// As the server spelled it.
        public var name: String
        /// Without the blanks around it.
        public var value: String

        /// Makes a header.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What kind of error this is.
    public var code: Code {
        get { fields.code }
        set { fields.code = newValue }
    }
    /// What became of the message of the call, when the call had one.
    public var outcome: Outcome? {
        get { fields.outcome }
        set { fields.outcome = newValue }
    }
    /// A sentence that says what went wrong and what to do.
    public var message: String {
        get { fields.message }
        set { fields.message = newValue }
    }
    /// The text of an error below this one (of the system, of a provider), if there is one.
    public var underlying: String? {
        get { fields.underlying }
        set { fields.underlying = newValue }
    }
    /// The close code of the link, when a link's end caused this.
    public var closeCode: CloseCode? {
        get { fields.closeCode }
        set { fields.closeCode = newValue }
    }
    /// The status of the server's HTTP answer when it refused the upgrade, or of the proxy's.
    public var httpStatus: Int? {
        get { fields.httpStatus }
        set { fields.httpStatus = newValue }
    }
    /// The headers of that answer.
    public var headers: [Header] {
        get { fields.headers }
        set { fields.headers = newValue }
    }
    /// The start of that answer's body, at most 64 KiB.
    public var body: [UInt8] {
        get { fields.body }
        set { fields.body = newValue }
    }
    /// What went wrong with the proxy, when it was the proxy.
    public var proxy: ProxyFailure? {
        get { fields.proxy }
        set { fields.proxy = newValue }
    }
    /// What the server sent along: the data of an RPC error, the fields of a rejection.
    public var details: Value? {
        get { fields.details }
        set { fields.details = newValue }
    }

    private struct Fields: Hashable {
        var code: Code
        var outcome: Outcome?
        var message: String
        var underlying: String?
        var closeCode: CloseCode?
        var httpStatus: Int?
        var headers: [Header] = []
        var body: [UInt8] = []
        var proxy: ProxyFailure?
        var details: Value?
    }

    /// Errors stand in results, states and signals that are copied often; one is as large as a reference.
    private final class Storage: Sendable {
        let fields: Fields

        init(_ fields: Fields) {
            self.fields = fields
        }
    }

    private var storage: Storage
    private var fields: Fields {
        get { storage.fields }
        set { storage = Storage(newValue) }
    }

    /// Makes an error, as a test or a stub wants to see it.
    public init(
        code: Code, message: String = "", outcome: Outcome? = nil, underlying: String? = nil,
        closeCode: CloseCode? = nil, httpStatus: Int? = nil, headers: [Header] = [], body: [UInt8] = [],
        proxy: ProxyFailure? = nil, details: Value? = nil
    ) {
        storage = Storage(
            Fields(
                code: code, outcome: outcome, message: message, underlying: underlying, closeCode: closeCode,
                httpStatus: httpStatus, headers: headers, body: body, proxy: proxy, details: details))
    }

    package init(
        _ code: Code, _ message: String, outcome: Outcome? = nil, underlying: String? = nil,
        closeCode: CloseCode? = nil, details: Value? = nil
    ) {
        self.init(
            code: code, message: message, outcome: outcome, underlying: underlying, closeCode: closeCode,
            details: details)
    }

    /// Whether both say the same.
    public static func == (left: SenteError, right: SenteError) -> Bool { left.fields == right.fields }

    /// Feeds what equality compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(fields)
    }

    /// Whether the same call may be made again as it is: true for what time or the network can mend, unless the server may
    /// have acted on the message already (`outcome` is `unknown`).
    public var isRetryable: Bool { isTransient && outcome != .unknown }

    /// Whether the task that made the call was cancelled.
    ///
    /// Calls that throw this type cannot throw `CancellationError`; this tells what that would.
    public var isCancellation: Bool { code == .cancelled }

    /// Whether time or the network can mend what went wrong, whatever became of the message.
    public var isTransient: Bool {
        switch code {
        case .notConnected, .timedOut, .connectionLost, .unreachable, .silent, .outboxFull, .expired,
            .dropped, .proxyUnreachable, .noSubscribers, .busy, .serverUnavailable, .providerFailed,
            .disconnected:
            true
        default: false
        }
    }

    package func with(outcome: Outcome) -> SenteError {
        var copy = self
        copy.outcome = outcome
        return copy
    }
}

extension SenteError.Code {
    /// An argument is wrong; the message names it and says what would be right.
    ///
    /// Nothing was sent.
    public static let invalidArgument = Self(rawValue: "invalidArgument")
    /// The client is closed, closing or failed: call `connect()` first.
    public static let notConnected = Self(rawValue: "notConnected")
    /// `disconnect()` ended the wait or the call.
    public static let disconnected = Self(rawValue: "disconnected")
    /// The task that made the call was cancelled.
    public static let cancelled = Self(rawValue: "cancelled")
    /// The call's time limit passed.
    ///
    /// For `connect`, the client goes on trying.
    public static let timedOut = Self(rawValue: "timedOut")
    /// The link died while the call was under way.
    ///
    /// The client reconnects.
    public static let connectionLost = Self(rawValue: "connectionLost")
    /// No address answered, or the name has none, or the proxy says so.
    ///
    /// The client keeps trying.
    public static let unreachable = Self(rawValue: "unreachable")
    /// No address of the proxy answered, or it ended the connection at once.
    ///
    /// The client keeps trying.
    public static let proxyUnreachable = Self(rawValue: "proxyUnreachable")
    /// The proxy wants a user name and password, or other ones.
    public static let proxyUnauthorized = Self(rawValue: "proxyUnauthorized")
    /// The proxy may not or cannot connect to this server; `proxy` says which.
    public static let proxyRefused = Self(rawValue: "proxyRefused")
    /// The server refused the upgrade with an HTTP status that waiting does not mend.
    public static let refused = Self(rawValue: "refused")
    /// The server asked to wait (429, 503, or a 5xx).
    ///
    /// The client keeps trying.
    public static let serverUnavailable = Self(rawValue: "serverUnavailable")
    /// The server wants other credentials (401, 403).
    public static let unauthorized = Self(rawValue: "unauthorized")
    /// What answered speaks no WebSocket, or a dialect nobody here speaks.
    public static let protocolMismatch = Self(rawValue: "protocolMismatch")
    /// The peer broke the WebSocket protocol; the link was closed with `closeCode`.
    ///
    /// The client reconnects.
    public static let protocolViolation = Self(rawValue: "protocolViolation")
    /// The server's certificate is not accepted, for a reason that has no code of its own.
    public static let untrusted = Self(rawValue: "untrusted")
    /// No authority that is trusted here vouches for the server's certificate.
    ///
    /// Add the authority to `tls.roots`, or let the server send its intermediate certificates.
    public static let unknownAuthority = Self(rawValue: "unknownAuthority")
    /// The server's certificate is signed by itself alone.
    ///
    /// Give it in `tls.roots` if it is the right one.
    public static let selfSigned = Self(rawValue: "selfSigned")
    /// The server's certificate is for another name or address than the URL's.
    public static let wrongHost = Self(rawValue: "wrongHost")
    /// The server's certificate, or one that vouches for it, has expired.
    public static let certificateExpired = Self(rawValue: "certificateExpired")
    /// The server's certificate is valid only later, or the clock here is wrong.
    public static let certificateNotYetValid = Self(rawValue: "certificateNotYetValid")
    /// None of `tls.pinnedKeys` stands in the server's chain.
    public static let pinnedKeyDiffers = Self(rawValue: "pinnedKeyDiffers")
    /// The server wants a client certificate, or another one than `tls.identity`.
    public static let clientCertificateRefused = Self(rawValue: "clientCertificateRefused")
    /// TLS could not be agreed on, or what answered speaks no TLS.
    public static let tlsFailed = Self(rawValue: "tlsFailed")
    /// Something the connection needs is missing on this machine; the message names it.
    public static let unavailable = Self(rawValue: "unavailable")
    /// Nothing came from the server for longer than the heartbeat allows.
    ///
    /// The client reconnects.
    public static let silent = Self(rawValue: "silent")
    /// The outbox is full; slow down, or choose another overflow policy.
    ///
    /// Not sent.
    public static let outboxFull = Self(rawValue: "outboxFull")
    /// The message waited in the outbox longer than its time to live.
    ///
    /// Not sent.
    public static let expired = Self(rawValue: "expired")
    /// The overflow policy dropped the message.
    ///
    /// Not sent.
    public static let dropped = Self(rawValue: "dropped")
    /// A later message with the same key took this one's place in the outbox.
    ///
    /// Not sent.
    public static let superseded = Self(rawValue: "superseded")
    /// The store of durable messages could not keep this one, or not be opened; the message says why.
    ///
    /// Not sent.
    public static let storeFailed = Self(rawValue: "storeFailed")
    /// The message is larger than the limit.
    ///
    /// Not sent.
    public static let messageTooLarge = Self(rawValue: "messageTooLarge")
    /// A value cannot be encoded, or the format has no way to say it.
    ///
    /// Not sent.
    public static let unencodable = Self(rawValue: "unencodable")
    /// The former name of ``unencodable``.
    @available(*, deprecated, renamed: "unencodable")
    public static var unsayable: Self { .unencodable }
    /// The former name of ``unencodable``.
    @available(*, deprecated, renamed: "unencodable")
    public static var encodingFailed: Self { .unencodable }
    /// The server's dialect has no such operation.
    ///
    /// Not sent.
    public static let unsupported = Self(rawValue: "unsupported")
    /// The server said no; `details` holds its reason.
    public static let rejected = Self(rawValue: "rejected")
    /// Nobody serves that channel: the request was delivered to no one.
    public static let noSubscribers = Self(rawValue: "noSubscribers")
    /// The service answered with an error; `details` holds its data.
    public static let remoteError = Self(rawValue: "remoteError")
    /// The service has too many requests under way.
    public static let busy = Self(rawValue: "busy")
    /// The server proved that it will not answer this call.
    public static let noReply = Self(rawValue: "noReply")
    /// A provider (endpoint, token, parameters) threw; `underlying` holds its text.
    ///
    /// The client keeps trying.
    public static let providerFailed = Self(rawValue: "providerFailed")
    /// A message of the server could not be read.
    ///
    /// It is dropped, and the connection goes on.
    public static let undecodable = Self(rawValue: "undecodable")
    /// A value could not be decoded as the type that was asked for.
    public static let decodingFailed = Self(rawValue: "decodingFailed")
    /// A stream ended before its time; the message says why, and which end ended it.
    public static let streamFailed = Self(rawValue: "streamFailed")
    /// What came of a stream is not what was sent: begin it anew.
    public static let checksumMismatch = Self(rawValue: "checksumMismatch")
    /// A stream cannot go on from where it was: the server has forgotten it, or what has to be sent again is not there any more.
    ///
    /// Begin it anew.
    public static let notResumable = Self(rawValue: "notResumable")
    /// More than one end takes: too many streams, or too many bytes; the message says which.
    public static let quotaExceeded = Self(rawValue: "quotaExceeded")
    /// The storage of large data could not keep or give back what it was asked to; the message says why.
    ///
    /// Of a message that was to be sent: not sent.
    public static let storageFailed = Self(rawValue: "storageFailed")
    /// A reference to stored data makes no sense, or names a storage that is not this client's.
    public static let invalidReference = Self(rawValue: "invalidReference")
    /// The server reported an error that belongs to no call.
    public static let serverError = Self(rawValue: "serverError")
}

extension SenteError: CustomStringConvertible {
    /// The message, with what is known of the outcome, the close code and the HTTP status.
    public var description: String {
        var text = message
        if let underlying { text += " (\(underlying))" }
        if let httpStatus { text += " [HTTP \(httpStatus)]" }
        if let closeCode { text += " [close code \(closeCode)]" }
        switch outcome {
        case .notSent?: text += " The message was not sent."
        case .unknown?: text += " Whether the server acted on the message is unknown."
        case .acknowledged?, .written?, nil: break
        }
        return text
    }
}
