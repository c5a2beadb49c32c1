// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

@Suite("SessionPolicies")
struct SessionPoliciesTests {
    @Test("A copy that is changed changes no other, nor what the next one begins with")
    func values() {
        var first = SessionPolicies()
        let second = first
        first.values.outbox.maximumMessages = 7
        first.values.times.request = .seconds(3)
        #expect(first.values.outbox == OutboxPolicy(maximumMessages: 7))
        #expect(first.values.times == TimeLimits(request: .seconds(3)))
        #expect(second.values.outbox == OutboxPolicy())
        #expect(SessionPolicies().values.times == TimeLimits())
    }

    @Test("A session's configuration has each policy that it is given, and the others as they are")
    func configuration() {
        var configuration = SessionConfiguration()
        configuration.heartbeat = nil
        configuration.inbox = InboxPolicy(maximumMessages: 3)
        configuration.flow = .off
        configuration.reconnect = .never
        #expect(configuration.policies.values.heartbeat == nil)
        #expect(configuration.inbox == InboxPolicy(maximumMessages: 3))
        #expect(configuration.flow.batching == nil)
        #expect(configuration.reconnect.attempts == 0)
        #expect(configuration.outbox == OutboxPolicy())
        #expect(configuration.times == TimeLimits())
    }

    /// One more idle client is to cost 8 KiB at most; `bench client … idle` measures all of it.
    @Test("What every client has is small where it is held")
    func sizes() {
        #expect(MemoryLayout<SessionConfiguration>.size <= 160)
        #expect(MemoryLayout<ConnectionStatus>.size <= 128)
        #expect(MemoryLayout<Session>.size <= 2_560)
        #expect(MemoryLayout<ClientEngine.Reading>.size <= 849)
    }
}
