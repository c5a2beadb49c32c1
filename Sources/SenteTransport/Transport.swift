// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteSocket

/// The message-level seam between a client and whatever carries its messages.
package protocol Transport: Sendable {
    /// Starts to open a link. Call it on the host's thread.
    ///
    /// Nothing fails here: a link that cannot even be begun reports `.closed` like every other. Reports come on the
    /// host's thread, one batch per wake-up, never from inside `open` or a call on the link. Exactly one
    /// `.closed` or `.refused` ends them, unless the link is abandoned.
    func open(
        _ id: LinkID, _ request: LinkRequest, on host: any Host, observer: any LinkObserver
    ) -> any TransportLink
}

/// Whoever is told what happens to a link.
package protocol LinkObserver: AnyObject, Sendable {
    /// One wake-up's reports, in order, on the host's thread.
    func link(_ id: LinkID, reported reports: [LinkReport])
}

/// One link under way.
///
/// Use it on the host's thread only.
///
/// The host keeps a link, and the link its observer, until it has ended; releasing it does not end it, `abandon()` does.
package protocol TransportLink: AnyObject {
    /// Hands messages to the link in order. Before `.opened`, after the end and beyond the message limit they are
    /// dropped without a report.
    func send(_ messages: [Transmission])

    /// Begins the closing handshake, or ends the attempt if the link is not open yet.
    func close(_ code: CloseCode, reason: String)

    /// Ends the link at once with no close frame; nothing is reported any more.
    func abandon()

    /// Sends a WebSocket ping, if the link is open; its pong is reported as `progress`.
    func ping()

    /// How much of what was sent had to be sent again, from 0 to 1; nil where nobody knows.
    var loss: Double? { get }

    /// Stops taking bytes from the peer, pings included, until `resumeReading()`.
    func pauseReading()

    /// Takes up reading again.
    func resumeReading()
}

extension TransportLink {
    package var loss: Double? { nil }
}

/// What to open, and within which limits.
package struct LinkRequest: Sendable {
    /// A `ws:` or `wss:` URL.
    package var url: String
    /// Sent with the opening handshake, in order.
    package var headers: [Refusal.Header]
    /// Offered to the server, most wanted first.
    package var subprotocols: [String]
    /// How messages are compressed, where the server agrees; nil offers nothing.
    ///
    /// The default is nil.
    package var compression: CompressionPolicy?
    /// The largest message each way; one beyond the incoming limit ends the link with 1009.
    ///
    /// A stream has none that comes. The default is 1 MiB each way.
    package var messageLimits: MessageLimits
    /// Whether messages are handed on whole, or what they carry as it comes.
    ///
    /// The default is `.messages`.
    package var payload = PayloadMode.messages
    /// When opening must be done: name, connection and handshakes together.
    package var openDeadline: Instant
    /// How long the closing handshake may take.
    ///
    /// The default is 5 s.
    package var closeLimit: Duration
    /// By which proxy the server is reached.
    ///
    /// The default is `.none`.
    package var proxy = ProxySetting.none
    /// What is asked instead of an upgrade, over a link that is no WebSocket; `refused` reports the answer, good or bad.
    ///
    /// Only the socket transport can. The default is nil.
    package var exchange: HTTPExchangeRequest?
    /// How a `wss:` link is secured.
    ///
    /// The default is `TLSConfiguration()`.
    package var tls: TLSConfiguration

    package init(
        url: String, headers: [Refusal.Header] = [], subprotocols: [String] = [],
        compression: CompressionPolicy? = nil, messageLimits: MessageLimits = MessageLimits(),
        openDeadline: Instant, closeLimit: Duration = .seconds(5), tls: TLSConfiguration = TLSConfiguration()
    ) {
        self.url = url
        self.headers = headers
        self.subprotocols = subprotocols
        self.compression = compression
        self.messageLimits = messageLimits
        self.openDeadline = openDeadline
        self.closeLimit = closeLimit
        self.tls = tls
    }
}
