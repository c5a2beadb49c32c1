// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// The part of a link's opening in which a proxy is asked to lead to the server.
///
/// What the proxy sends behind its consent is the server's and stays unread.
package struct ProxyStage: Sendable {
    /// What is to be done now.
    enum Step: Hashable, Sendable {
        case write([UInt8])
        /// From here on the bytes are the server's.
        case through
    }

    private enum Machine: Sendable {
        case connect(HTTPConnect)
        case socks(SOCKS5)
    }

    /// What is written first.
    let opening: [UInt8]
    private let proxy: ProxyServer
    private var machine: Machine

    /// Asks `proxy` for `host`, which is a name or an address without brackets.
    package init(_ proxy: ProxyServer, host: String, port: Int, limits: LinkLimits = LinkLimits()) {
        self.proxy = proxy
        switch proxy.kind {
        case .http:
            let machine = HTTPConnect(host: host, port: port, proxy.credentials, limits: limits)
            opening = machine.request
            self.machine = .connect(machine)
        case .socks5:
            let machine = SOCKS5(host: host, port: port, proxy.credentials)
            opening = machine.greeting
            self.machine = .socks(machine)
        }
    }

    /// Takes bytes off `rest` as far as they are the proxy's; nil when more are needed.
    mutating func read(_ rest: inout UnsafeRawBufferPointer) throws(LinkFailure) -> Step? {
        do throws(ProxyError) {
            switch machine {
            case .connect(var connect):
                defer { machine = .connect(connect) }
                return try connect.read(&rest) ? .through : nil
            case .socks(var socks):
                defer { machine = .socks(socks) }
                return try socks.read(&rest)
            }
        } catch {
            throw failure(error.reason, error.message)
        }
    }

    /// The limit for opening the link has passed.
    var timedOut: LinkFailure { failure(.silent, "did not answer in time") }

    /// The proxy ended the connection.
    var ended: LinkFailure { failure(.ended, "ended the connection before it had answered") }

    /// It agreed before it was asked, or went on behind its answer.
    var talkative: LinkFailure { failure(.malformed, "sent bytes that nobody had asked for") }

    private func failure(_ reason: ProxyFailure, _ message: String) -> LinkFailure {
        LinkFailure(.proxy(reason), "The proxy \(proxy) \(message).")
    }
}

/// Why a proxy's answer is a refusal, or none at all; the message goes on after the proxy's name.
struct ProxyError: Error, Hashable, Sendable {
    var reason: ProxyFailure
    var message: String

    init(_ reason: ProxyFailure, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
