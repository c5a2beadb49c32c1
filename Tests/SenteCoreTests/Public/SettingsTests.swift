// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

@Suite("Settings")
struct SettingsTests {
    @Test("The defaults are the documented ones")
    func defaults() {
        #expect(Heartbeat() == Heartbeat(interval: .seconds(20), limit: .seconds(5)))
        #expect(
            OutboxPolicy()
                == OutboxPolicy(
                    maximumMessages: 1_000, maximumBytes: 1_048_576, timeToLive: .seconds(30),
                    overflow: .rejectNewest))
        #expect(OutboxPolicy().waitsForConnection)
        #expect(!OutboxPolicy.off.waitsForConnection)
        #expect(
            InboxPolicy()
                == InboxPolicy(
                    maximumMessages: 16_384, maximumBytes: 16_777_216, overflow: .dropOldest))
        #expect(
            TimeLimits() == TimeLimits(connect: .seconds(10), request: .seconds(10), close: .seconds(5)))
        #expect(
            SizeLimits()
                == SizeLimits(incomingMessage: 1_048_576, outgoingMessage: 1_048_576, largeMessage: 524_288))
    }

    @Test("The session's own limits are those of the plan")
    func session() {
        let configuration = SessionConfiguration()
        #expect(configuration.writeWindow == 65_536)
        #expect(configuration.pauseLimit == .seconds(10))
        #expect(configuration.heartbeat == Heartbeat())
        #expect(!configuration.asksToken)
        #expect(!configuration.asksEndpoint)
        #expect(!configuration.asksParameters)
    }

    @Test("An attempt has at least a moment", arguments: [Duration.zero, .seconds(-5), .seconds(Int64.min)])
    func connectLimit(limit: Duration) {
        var configuration = SessionConfiguration()
        configuration.times.connect = limit
        #expect(configuration.times.connect == .milliseconds(1))
    }
}
