// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteSocket

/// Links over sockets of our own: TCP, and our RFC 6455 on it.
///
/// Its host must be an `EventLoop`.
package struct SocketTransport: Transport {
    private let lookup: NameLookup
    private let environment: ProxyEnvironment
    private let contexts: TLSContexts
    /// What the links of one transport, on whatever loop, have learnt of addresses.
    private let memory = LockedValue(Dialer.Memory())

    package init() {
        self.init(lookup: .shared)
    }

    /// Looks names up with something else than the system, sees another environment, and prepares TLS otherwise, in tests.
    package init(
        lookup: NameLookup = .shared, environment: ProxyEnvironment = .process,
        contexts: TLSContexts = .shared
    ) {
        self.lookup = lookup
        self.environment = environment
        self.contexts = contexts
    }

    package func open(
        _ id: LinkID, _ request: LinkRequest, on host: any Host, observer: any LinkObserver
    ) -> any TransportLink {
        guard let loop = host as? EventLoop else {
            return UnopenedLink(id, "The socket transport needs an event loop as its host.", host, observer)
        }
        return openLink(id, request, on: loop, observer: observer)
    }

    func openLink(
        _ id: LinkID, _ request: LinkRequest, on loop: EventLoop, observer: any LinkObserver
    ) -> SocketLink {
        let link = SocketLink(
            id, request, on: loop, lookup: lookup, environment: environment, contexts: contexts,
            memory: memory, observer: observer)
        link.start()
        return link
    }
}

/// A link that could not even be begun: reports that, and nothing else.
private final class UnopenedLink: TransportLink, @unchecked Sendable {
    private var observer: (any LinkObserver)?

    init(_ id: LinkID, _ problem: String, _ host: any Host, _ observer: any LinkObserver) {
        self.observer = observer
        host.post {
            self.observer?.link(id, reported: [.closed(.failed(LinkFailure(.unavailable, problem)))])
            self.observer = nil
        }
    }

    func send(_ messages: [Transmission]) {}
    func close(_ code: CloseCode, reason: String) {}
    func abandon() { observer = nil }
    func ping() {}
    func pauseReading() {}
    func resumeReading() {}
}
