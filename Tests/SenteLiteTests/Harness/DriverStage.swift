// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTestKit
import SenteTestSupport
import SenteTransport

/// Clients on a virtual host, and a scripted server at the other end of an in-memory transport.
final class DriverStage: Sendable {
    let host = VirtualHost()
    let server: TestServer
    let observers = Observers()

    init(_ family: TestServer.Family = .maps) {
        server = TestServer(family, on: host)
    }

    private var transport: WatchedTransport {
        WatchedTransport(
            transport: InMemoryTransport { [server] in server.accept($0) }, observers: observers)
    }

    func client(
        _ url: String = "ws://server.test/", _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
    ) throws(SenteError) -> SenteClient {
        var configuration = SenteClient.Configuration()
        // Tests of URLs see them as they are given.
        configuration.makesClientID = false
        configure(&configuration)
        return try SenteClient(url, configuration: configuration, host: host, transport: transport, seed: 7)
    }

    func openClient(
        _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
    ) async throws(SenteError) -> SenteClient {
        let client = try client("ws://server.test/", configure)
        try await client.connect()
        return client
    }

    /// A channel socket that connects; `prepare` runs before anything has happened.
    func channelSocket(
        _ configure: (inout SenteClient.Configuration) -> Void = { _ in },
        prepare: (ChannelSocketClient) -> Void = { _ in }
    ) throws -> ChannelSocketClient {
        var configuration = SenteClient.Configuration()
        configure(&configuration)
        return try host.run {
            let client = try makeChannelSocketClient(
                "ws://server.test/chsk", configuration: configuration, host: host, transport: transport,
                seed: 7)
            prepare(client)
            return client
        }
    }

    func openChannelSocket(
        _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
    ) async throws -> ChannelSocketClient {
        let client = try channelSocket(configure)
        try await client.chsk.client.connect()
        return client
    }

    /// Moves the time, firing what is due on the way.
    func advance(by duration: Duration) { host.advance(by: duration) }

    /// Returns when nothing is left that the host was given to do.
    func waitUntilIdle() { host.waitUntilIdle() }

    /// Returns when the client's closures have run for everything that happened so far.
    func waitUntilIdle(_ client: ChannelSocketClient) async throws {
        waitUntilIdle()
        let reached = Collector<Void>()
        let registration = client.chRecv.on("test/idle") { _ in reached.append(()) }
        try client.chRecv.put(Event("test/idle"))
        await reached.first(1)
        registration.cancel()
    }
}

/// Notes who observes links, without keeping them.
struct WatchedTransport: Transport {
    let transport: InMemoryTransport
    let observers: Observers

    func open(
        _ id: LinkID, _ request: LinkRequest, on host: any Host, observer: any LinkObserver
    ) -> any TransportLink {
        observers.add(observer)
        return transport.open(id, request, on: host, observer: observer)
    }
}

final class Observers: Sendable {
    private struct Weak: Sendable {
        weak let observer: (any LinkObserver)?
    }

    private let all = Locked<[Weak]>([])

    func add(_ observer: any LinkObserver) {
        all.withLock { $0.append(Weak(observer: observer)) }
    }

    var alive: Int { all.withLock { $0.count { $0.observer != nil } } }
}
