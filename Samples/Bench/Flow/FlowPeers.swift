// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteServer
import SenteTransport

/// A reference server on a loop of its own, and clients that talk to it.
struct FlowPeers {
    let server: ReferenceServer
    let port: Int

    static func start(
        _ dialect: ServerConfiguration.Dialect = .maps,
        _ change: (inout ServerConfiguration) -> Void = { _ in }, hook: ReferenceServer.Hook? = nil
    ) async throws -> FlowPeers {
        var configuration = ServerConfiguration(dialect)
        configuration.port = 0
        configuration.flow = .all
        change(&configuration)
        let server = try ReferenceServer(configuration, on: EventLoop(), hook: hook)
        return FlowPeers(server: server, port: try await server.start())
    }

    /// A client that is open, and has agreed to flow where it may use any.
    func client(
        _ flow: FlowPolicy, port: Int? = nil, through transport: CountingTransport? = nil,
        on loop: EventLoop? = nil, _ change: (inout SenteClient.Configuration) -> Void = { _ in }
    ) async throws -> SenteClient {
        var configuration = SenteClient.Configuration.bare(flow)
        change(&configuration)
        let url = "ws://127.0.0.1:\(port ?? self.port)/"
        let client =
            if let transport, let loop {
                try SenteClient(url, configuration: configuration, host: loop, transport: transport)
            } else {
                try SenteClient(url, configuration: configuration)
            }
        try await client.connect()
        try await client.agree(flow)
        return client
    }
}

extension SenteClient.Configuration {
    /// No proxy, and no permessage-deflate, which leaves nothing to the compression of messages.
    static func bare(_ flow: FlowPolicy) -> SenteClient.Configuration {
        var configuration = SenteClient.Configuration()
        configuration.proxy = .none
        configuration.compression = nil
        configuration.networkPath = .none
        configuration.flow = flow
        return configuration
    }
}

extension SenteClient {
    /// Waits for the server's word on flow.
    func agree(_ flow: FlowPolicy) async throws {
        guard
            flow.batching != nil || flow.compression != nil || flow.chunking != nil || flow.resumption != nil
        else { return }
        for await status in states where status.features != nil { return }
        throw BenchFailure(message: "The server agreed to nothing beyond plain messages.")
    }
}

extension FlowPolicy {
    /// One feature alone, with bytes as bytes.
    static func only(
        batching: BatchPolicy? = nil, compression: MessageCompression? = nil, chunking: ChunkPolicy? = nil,
        resumption: ResumptionPolicy? = nil
    ) -> FlowPolicy {
        FlowPolicy(
            batching: batching, compression: compression, chunking: chunking, resumption: resumption)
    }
}
