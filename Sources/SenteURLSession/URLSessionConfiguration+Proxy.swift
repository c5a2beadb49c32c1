// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteSocket
import SenteTransport

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

#if canImport(Network)
import Network
#endif

extension URLSessionConfiguration {
    /// A copy that reaches `url` by the proxy that the setting names, or by what Foundation finds itself when it names none.
    ///
    /// Apple's systems have proxies of their own, which stand where the environment says nothing.
    func copy(by setting: ProxySetting, to url: WebSocketURL) throws(LinkFailure) -> URLSessionConfiguration {
        guard let copy = copy() as? URLSessionConfiguration else { return self }
        let server: ProxyServer?
        do throws(ProxyServerError) {
            server = try setting.server(for: url, environment: .process)
        } catch {
            throw LinkFailure(.proxy(.unusable), error.description)
        }
        if let server {
            try copy.go(by: server, setting)
        } else if setting != .environment {
            copy.connectionProxyDictionary = [:]
        }
        return copy
    }

    #if canImport(Network)
    private func go(by server: ProxyServer, _ setting: ProxySetting) throws(LinkFailure) {
        guard #available(macOS 14, iOS 17, tvOS 17, watchOS 10, *) else {
            throw LinkFailure(
                .proxy(.unusable),
                "Foundation's WebSocket goes by no proxy of an app's before macOS 14, iOS 17, tvOS 17 and watchOS 10."
            )
        }
        guard let port = NWEndpoint.Port(rawValue: UInt16(clamping: server.port)) else { return }
        let endpoint = NWEndpoint.hostPort(host: NWEndpoint.Host(server.host), port: port)
        var proxy =
            switch server.kind {
            case .http: ProxyConfiguration(httpCONNECTProxy: endpoint)
            case .socks5: ProxyConfiguration(socksv5Proxy: endpoint)
            }
        if let credentials = server.credentials {
            proxy.applyCredential(username: credentials.user, password: credentials.password)
        }
        proxyConfigurations = [proxy]
    }
    #else
    /// Libcurl reads the environment itself, and takes no other word from Foundation.
    private func go(by server: ProxyServer, _ setting: ProxySetting) throws(LinkFailure) {
        guard setting != .environment else { return }
        throw LinkFailure(
            .proxy(.unusable),
            "Foundation on Linux goes by the proxies of the environment only, not by \(server): use the sockets."
        )
    }
    #endif
}
