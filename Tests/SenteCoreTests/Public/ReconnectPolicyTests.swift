// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

@Suite("Reconnect policies")
struct ReconnectPolicyTests {
    @Test("Only the original's numbers and `.never` limit the attempts")
    func attempts() {
        #expect(ReconnectPolicy.default.attempts == nil)
        #expect(ReconnectPolicy.fleet.attempts == nil)
        #expect(ReconnectPolicy.senteLite.attempts == 5)
        #expect(ReconnectPolicy.never.attempts == 0)
        #expect(ReconnectPolicy.custom { _ in nil }.attempts == nil)
        #expect(ReconnectPolicy.default.stableTime == .seconds(5))
    }

    @Test("A custom policy is asked with its context")
    func custom() {
        let policy = ReconnectPolicy.custom { context in
            context.retry < 3 ? .milliseconds(context.retry) : nil
        }
        guard case .custom(let delay) = policy.rule else {
            Issue.record("A custom policy keeps its rule.")
            return
        }
        #expect(delay(.init(retry: 2, elapsed: .zero, lastError: nil)) == .milliseconds(2))
        #expect(delay(.init(retry: 3, elapsed: .zero, lastError: nil)) == nil)
    }

    @Test("Numbers that make no sense are brought into range")
    func range() {
        let policy = ReconnectPolicy.exponential(
            initial: .seconds(-1), multiplier: 0.5, jitter: 3, maximum: .seconds(-1))
        #expect(policy.attempts == nil)
        guard case .exponential(let initial, let multiplier, let jitter, let maximum) = policy.rule else {
            Issue.record("An exponential policy keeps its rule.")
            return
        }
        #expect(initial == .zero)
        #expect(multiplier == 1)
        #expect(jitter == 1)
        #expect(maximum == .zero)
    }
}
