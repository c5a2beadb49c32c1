// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteSocket
package import SenteTransport

#if canImport(FoundationNetworking)
import Foundation
package import FoundationNetworking
#else
package import Foundation
#endif

/// Links over Foundation's own WebSocket, the way out that Apple's systems want apps to take.
///
/// It knows their proxies, VPNs and low-power radio. Our codec and limits have no part in it: no bytes are seen, so only whole messages
/// count as life, and an answer's body is not told.
package struct URLSessionTransport: Transport {
    private let configuration: URLSessionConfiguration

    /// Takes a copy of what Foundation is to be told.
    package init(_ configuration: URLSessionConfiguration = .default) {
        self.configuration = configuration.copy() as? URLSessionConfiguration ?? .default
    }

    package func open(
        _ id: LinkID, _ request: LinkRequest, on host: any SenteTransport.Host,
        observer: any LinkObserver
    ) -> any TransportLink {
        let link = URLSessionLink(id, request, configuration, on: host, observer: observer)
        link.start()
        return link
    }
}

extension LinkRequest {
    /// Where to, or what is wrong with what the user gave.
    package func redirects() throws(LinkFailure) -> Redirects {
        if let problem { throw LinkFailure(.unavailable, problem) }
        do throws(WebSocketURLError) {
            return Redirects(try WebSocketURL(url), headers: headers)
        } catch {
            throw LinkFailure(.unavailable, error.description)
        }
    }

    /// What Foundation is asked for at a place that a redirect may have led to.
    package func forURLSession(_ place: Redirects) throws(LinkFailure) -> URLRequest {
        guard let url = URL(string: place.url.description) else {
            throw LinkFailure(
                .unavailable, "“\(place.url)” is no URL for Foundation: percent-encode its odd characters.")
        }
        // Foundation's limit starts anew with every byte; `openDeadline` and the heartbeat are the limits that count.
        var request = URLRequest(url: url, timeoutInterval: 7 * 24 * 3_600)
        for header in place.headers { request.addValue(header.value, forHTTPHeaderField: header.name) }
        // Foundation hands on whole messages alone, and the servers that speak in streams cut them to 4 KiB for what they
        // take for a browser (nats-server, websocket.go, `wsFrameSizeForBrowsers`).
        if payload == .stream { request.setValue("Mozilla/5.0", forHTTPHeaderField: "User-Agent") }
        if !subprotocols.isEmpty {
            request.setValue(
                subprotocols.joined(separator: ", "), forHTTPHeaderField: "Sec-WebSocket-Protocol")
        }
        return request
    }
}
