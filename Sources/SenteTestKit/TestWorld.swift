// SPDX-License-Identifier: Apache-2.0

import Dispatch
import SenteBase
public import SenteCore
public import SenteLite
import SenteTransport
public import SenteWire

/// A small universe for tests of an app: clients, servers, a network between them, and a time that jumps.
///
/// ```swift
/// let world = TestWorld(seed: 1)
/// let client = try world.client()
/// try await world.run {
///     try await client.connect()
///     world.server.restarts(after: .seconds(20))
///     try await client.publish(["n": 1], to: "orders")  // after twenty seconds that take no time
/// }
/// ```
///
/// Nothing in it sleeps. Within `run` the time moves by itself, to whatever is due next, as soon as everybody waits; else
/// `advance(by:)` and `run(until:)` move it. While no time is needed nothing has to be moved: with no latency a client
/// connects and publishes at one instant.
///
/// **How it knows that the app is quiet.** Clients, servers and tasks on `executor` take turns on the main queue, and so do the
/// main actor and the tasks that any of them begins or resumes: the world sees when none of them has anything left to do. What
/// other threads do (other queues, or tasks that a test began before it first waited for the world) gets several turns after
/// each time that a client has told the app something; the time moves when nothing came of them. Work that takes long there, or
/// waits for the real clock or a real network, is overtaken.
///
/// **What the same seed repeats.** Everything that is drawn, latencies, losses, jitter and identifiers, comes of the seed. The
/// same code then runs the same way as long as it takes turns with the world: within `run`, and on the main actor from its first
/// `await` of the world or of a client on. What runs elsewhere keeps each task's order; which of two tasks is first is up to the
/// machine.
public final class TestWorld: Sendable {
    /// What everything that is drawn comes of.
    public let seed: UInt64
    /// The server at `ws://server.test/`.
    public let server: TestServer
    let time: VirtualTime
    let pump: Pump
    let network: Network
    let app: WorldApp
    private let host: VirtualHost
    private let random: LockedValue<Generator>

    /// Makes a world with one server, at `ws://server.test/`.
    ///
    /// - Parameters:
    ///   - seed: What everything that is drawn comes of. The default is 1.
    ///   - dialect: How the server writes its messages; there is no double of NATS. The default is `senteLiteMaps`.
    ///   - format: How values become bytes. The default is JSON for maps, EDN for the others.
    ///   - conditions: What becomes of messages on the way. The default is no latency and no loss.
    public init(
        seed: UInt64 = 1, _ dialect: Dialect = .senteLiteMaps, format: WireFormat? = nil,
        network conditions: NetworkConditions = NetworkConditions()
    ) {
        self.seed = seed
        var generator = Generator(seed: seed)
        time = VirtualTime()
        pump = Pump(time)
        app = WorldApp(time, pump)
        network = Network(time, seed: generator.next())
        let entropy = LockedValue(Generator(seed: generator.next()))
        host = VirtualHost(
            time,
            entropy: Entropy { buffer in
                entropy.withLock { generator in
                    for index in buffer.indices {
                        buffer[index] = UInt8(truncatingIfNeeded: generator.next())
                    }
                }
            }, app: app)
        server = TestServer(
            dialect, format, at: "ws://server.test/", seed: generator.next(), network, pump, app)
        random = LockedValue(generator)
        network.conditions = conditions
    }

    // MARK: Who lives in it

    /// Another server, at an address of its own; keep it.
    public func makeServer(
        at url: String, _ dialect: Dialect = .senteLiteMaps, format: WireFormat? = nil
    ) -> TestServer {
        let seed = random.withLock { $0.next() }
        return TestServer(dialect, format, at: url, seed: seed, network, pump, app)
    }

    /// A client that lives in this world, as the app would make it.
    ///
    /// Its transport and its loop are the world's; where the configuration asks the system for changes of the network,
    /// `goOffline()` and `goOnline()` tell them.
    ///
    /// - Throws: What `SenteClient.init` throws.
    public func client(
        _ url: String = "ws://server.test/", configuration: SenteClient.Configuration = .init()
    ) throws(SenteError) -> SenteClient {
        try SenteClient(
            url, configuration: adapted(configuration), host: host, transport: network.transport,
            seed: random.withLock { $0.next() })
    }

    /// A channel socket that lives in this world, and starts to connect.
    ///
    /// - Throws: What `makeChannelSocketClient` throws.
    public func channelSocketClient(
        _ url: String = "ws://server.test/chsk", configuration: SenteClient.Configuration = .init()
    ) throws(SenteError) -> ChannelSocketClient {
        try makeChannelSocketClient(
            url, configuration: adapted(configuration), host: host, transport: network.transport,
            seed: random.withLock { $0.next() })
    }

    private func adapted(_ configuration: SenteClient.Configuration) -> SenteClient.Configuration {
        var configuration = configuration
        if case .system = configuration.networkPath { configuration.networkPath = .custom(network) }
        return configuration
    }

    /// Where code of the app runs in turn with the clients and the server, so that a run can be repeated.
    @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
    public var executor: any TaskExecutor { app.executor }

    // MARK: The network

    /// What becomes of messages from now on.
    public var conditions: NetworkConditions {
        get { network.conditions }
        set { network.conditions = newValue }
    }

    /// Every connection breaks with no word, at both ends.
    public func cut() {
        time.post(.world) { [network] in network.cut() }
    }

    /// There is no way out of the device any more: nothing arrives, and no attempt gets anywhere.
    ///
    /// Connections stay as they are. What is on its way arrives after `goOnline()`, if they still are then.
    public func goOffline() {
        time.post(.world) { [network] in network.setOnline(false) }
    }

    /// There is a way again.
    public func goOnline() {
        time.post(.world) { [network] in network.setOnline(true) }
    }
}
