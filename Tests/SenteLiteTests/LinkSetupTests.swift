// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTransport
import SenteWire
import Testing

@Suite("Link setup")
struct LinkSetupTests {
    @Test("each way has its own limit: a message that may be sent may still be too big to come")
    func limitsEachWay() async throws {
        var configuration = SenteClient.Configuration()
        configuration.limits = SizeLimits(incomingMessage: 1_000, outgoingMessage: 1 << 20)
        let request = LinkSetup(url: "ws://server.test/", configuration: configuration)
            .request(LinkTarget(deadline: .distantFuture))
        #expect(request.messageLimits == MessageLimits(incoming: 1_000, outgoing: 1 << 20))

        let stage = DriverStage()
        let client = try await stage.openClient { $0.limits = configuration.limits }
        stage.server.deliver(Value(String(repeating: "x", count: 1_100)), to: "channel")
        stage.waitUntilIdle()
        #expect(client.status.lastError?.closeCode == .messageTooBig)
        #expect(client.state == .reconnecting)
    }

    @Test(
        "with NATS payload is a stream and is not compressed, the upgrade tells nothing, and reading pauses shortly"
    )
    func nats() {
        var configuration = SenteClient.Configuration()
        configuration.dialect = .nats
        configuration.compression = CompressionPolicy()
        let request = LinkSetup(url: "ws://server.test/", configuration: configuration)
            .request(LinkTarget(token: "secret", deadline: .distantFuture))
        #expect(request.payload == .stream && request.compression == nil)
        #expect(request.url == "ws://server.test/" && request.headers.isEmpty)
        // Less than the 10 s of `write_deadline`.
        #expect(configuration.session(for: "ws://server.test/").pauseLimit == .seconds(5))
    }
}
