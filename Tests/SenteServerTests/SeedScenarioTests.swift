// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

/// The fourteen steps of the project's own channel integration test, in its order, on one server.
@Suite("The fourteen steps of sente-lite's channel integration")
struct SeedScenarioTests {
    @Test("They pass one after the other")
    func steps() throws {
        // 1. Server start-up with the channel system.
        var server = TestServerSession { $0.port = 0 }
        server.command(.started(port: 40_000))
        #expect(server.session.statistics(at: server.now).isRunning)

        // 2. Manual channel creation.
        server.command(
            .createChannel("test-channel", ChannelConfiguration(maximumSubscribers: 3, retention: 5)))
        server.command(.createChannel("broadcast-channel", nil))
        #expect(
            server.session.statistics(at: server.now).channels.map(\.id) == [
                "test-channel", "broadcast-channel",
            ])

        // 3. Three connections subscribe, all with success.
        for number in 1...4 as ClosedRange<UInt64> { server.connect(number) }
        for number in 1...3 as ClosedRange<UInt64> {
            let seen = server.receive(from: number, #"{"type":"subscribe","channel-id":"test-channel"}"#)
            #expect(
                seen.first?.contains(#""success":true,"reason":null,"subscriber-count":\#(number)"#) == true)
        }
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"broadcast-channel"}"#)

        // 4. Publishing: delivered to two (without the sender) and to one.
        let first = server.receive(
            from:
                1,
            #"{"type":"publish","channel-id":"test-channel","data":{"text":"hi"},"exclude-sender":true}"#)
        #expect(first.map { $0.first } == ["2", "3", "1"])
        #expect(first.last?.hasSuffix(#""delivered-to":2}"#) == true)
        let second = server.receive(
            from:
                2, #"{"type":"publish","channel-id":"broadcast-channel","data":{"text":"ho"}}"#)
        #expect(second.last?.hasSuffix(#""delivered-to":1}"#) == true)

        // 5. Request and response with full correlation.
        let asked = server.receive(
            from: 1, #"{"type":"rpc-request","channel-id":"test-channel","data":{"a":1}}"#)
        #expect(asked.map { $0.first } == ["2", "3", "1"])
        let answered = server.receive(
            from:
                2, #"{"type":"rpc-response","request-id":"<r1>","data":{"b":2},"error":false}"#)
        #expect(
            answered.first?.hasPrefix(#"1 < {"type":"rpc-response","request-id":"<r1>","data":{"b":2}"#)
                == true)

        // 6. Comprehensive statistics.
        var statistics = server.session.statistics(at: server.now)
        #expect(statistics.connections.count == 4)
        #expect(statistics.subscriptions == 4)
        #expect(statistics.pendingRequests == 0)
        #expect(statistics.messages == 8)

        // 7. The HTTP pages are there.
        for target in ["/health", "/stats", "/channels"] { #expect(server.page(target).hasPrefix("200 {")) }

        // 8. Listing channels, with what is known of each.
        let listed = try #require(server.receive(from: 4, #"{"type":"list-channels"}"#).first)
        #expect(listed.contains(#""message-count":2,"subscriber-count":3"#))
        #expect(statistics.channels.first?.retainedCount == 2)

        // 9. Managing subscriptions.
        #expect(
            server.receive(from: 3, #"{"type":"unsubscribe","channel-id":"test-channel"}"#).first?.contains(
                "true")
                == true)
        #expect(
            server.receive(from: 3, #"{"type":"get-subscriptions"}"#) == [
                #"3 < {"type":"subscription-list","subscriptions":[]}"#
            ])

        // 10. A broadcast to a channel by the server itself.
        let broadcast = server.command(.publish(["text": "all"], channel: "test-channel"))
        #expect(broadcast.map { $0.first } == ["1", "2"])

        // 11. Clean-up when a connection goes.
        server.handle(.closed(ConnectionID(2)))
        statistics = server.session.statistics(at: server.now)
        #expect(statistics.connections.count == 3)
        #expect(statistics.channels.first?.subscriberCount == 1)

        // 12. Invalid operations.
        #expect(
            server.receive(from: 4, #"{"type":"publish","channel-id":"none"}"#).first?.contains(
                "channel-not-found")
                == true)
        #expect(
            server.receive(from: 4, #"{"type":"rpc-response","request-id":"none"}"#).first?.contains(
                "request-not-found") == true)
        #expect(server.receive(from: 4, "{") == [])

        // 13. The counts of what went wrong.
        #expect(server.session.counters.unreadableMessages == 1)
        #expect(server.session.counters.oversizedMessages == 0)

        // 14. Shutdown closes everyone.
        #expect(server.command(.stop) == ["1 close 1001", "3 close 1001", "4 close 1001"])
        statistics = server.session.statistics(at: server.now)
        #expect(statistics.subscriptions == 0)
        #expect(!statistics.isRunning)
    }
}
