// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket

/// How a client's link gets to its server: what it needs until it is open, and only until then.
///
/// A class, so that an open link, which has let go of it, keeps no room for it. Used on the loop only.
final class LinkRoute {
    let request: LinkRequest
    let lookup: NameLookup
    let environment: ProxyEnvironment
    let contexts: TLSContexts
    let memory: LockedValue<Dialer.Memory>
    /// Where it goes; nil before the start.
    var redirects: Redirects?
    var proxy: ProxyServer?
    /// Nil for `ws:`.
    var role: TLSRole?
    /// How many times it was dialed, so that a late answer to an earlier time changes nothing.
    var dials = 0
    /// Weak: it lives by its lookups and sockets, and keeps its link meanwhile.
    weak var dialer: SocketDialer?
    var remote: Dialer.Address?
    /// The address that the stream leads to while nobody knows whether a WebSocket server stands there, and its name.
    var unproven: (address: Dialer.Address, name: String)?
    var timer: (any HostTimer)?
    /// Why it ended before there was a stream; reported when the turn ends.
    var failure: LinkFailure?

    init(
        _ request: LinkRequest, lookup: NameLookup, environment: ProxyEnvironment, contexts: TLSContexts,
        memory: LockedValue<Dialer.Memory>
    ) {
        self.request = request
        self.lookup = lookup
        self.environment = environment
        self.contexts = contexts
        self.memory = memory
    }

    /// What is dialed for a server: its own host, or the proxy's.
    func host(for url: WebSocketURL) -> String { proxy?.host ?? url.host }

    /// The link upon a socket that leads there.
    func link(at place: Redirects, _ entropy: Entropy) throws(LinkFailure) -> Link {
        var limits = LinkLimits()
        limits.message = request.messageLimits
        limits.close = request.closeLimit
        let url = place.url
        let proxy = proxy.map { ProxyStage($0, host: url.host, port: url.port, limits: limits) }
        if let exchange = request.exchange {
            return Link(
                exchange: exchange, limits: limits, proxy: proxy, isSecure: role != nil,
                deadline: request.openDeadline)
        }
        return Link(
            client: try request.upgrade(at: url, headers: place.headers),
            key: HandshakeKey(entropy),
            limits: limits,
            mode: request.payload,
            compression: .system(request.compression),
            proxy: proxy,
            isSecure: role != nil,
            deadline: request.openDeadline)
    }

    /// Remembers whether the address led to a WebSocket, once for each time it was dialed.
    func judgeAddress(isGood: Bool, at now: Instant) {
        guard let (address, name) = unproven else { return }
        unproven = nil
        memory.withLock { memory in
            if isGood {
                memory.ledOn(address, of: name)
            } else {
                memory.ledNowhere(address, of: name, at: now)
            }
        }
    }
}
