// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

@Suite("What an outbox's policy says about one more message")
struct OutboxPolicyAdmissionTests {
    private func admission(
        _ overflow: OutboxPolicy.Overflow, _ weight: Int, messages: Int = 0, bytes: Int = 0
    ) -> OutboxPolicy.Admission {
        OutboxPolicy(maximumMessages: 3, maximumBytes: 100, overflow: overflow)
            .admission(of: weight, beside: OutboxPolicy.Load(messages: messages, bytes: bytes))
    }

    @Test(
        "what fits is accepted, up to the last message and the last byte",
        arguments: OutboxPolicy.Overflow.allCases)
    func fits(_ overflow: OutboxPolicy.Overflow) {
        #expect(admission(overflow, 100) == .accepted)
        #expect(admission(overflow, 1, messages: 2, bytes: 99) == .accepted)
        #expect(admission(overflow, 1, messages: 3, bytes: 3) != .accepted)
        #expect(admission(overflow, 2, messages: 2, bytes: 99) != .accepted)
    }

    @Test("what does not fit is refused, dropped, or makes the oldest go")
    func overflows() {
        #expect(admission(.rejectNewest, 1, messages: 3) == .refused(.outboxFull))
        #expect(admission(.coalesce, 1, messages: 3) == .refused(.outboxFull))
        #expect(admission(.dropNewest, 1, messages: 3) == .refused(.dropped))
        #expect(admission(.wait, 1, messages: 3) == .waits)
        #expect(admission(.dropOldest, 1, messages: 3) == .replacesOldest)
    }

    @Test("nothing makes room for what would not fit into an empty outbox")
    func neverFits() {
        #expect(admission(.dropOldest, 101, messages: 3) == .refused(.outboxFull))
        #expect(admission(.dropOldest, 101) == .refused(.outboxFull))
        let none = OutboxPolicy(maximumMessages: 0, overflow: .dropOldest)
        #expect(none.admission(of: 1, beside: OutboxPolicy.Load()) == .refused(.outboxFull))
    }

    @Test(
        "what is larger than all that may wait counts apart, up to the size of the largest, and leaves the others their room"
    )
    func large() {
        let policy = OutboxPolicy(maximumMessages: 3, maximumBytes: 100)
        func admission(_ weight: Int, _ load: OutboxPolicy.Load, _ overflow: OutboxPolicy.Overflow)
            -> OutboxPolicy.Admission
        {
            var policy = policy
            policy.overflow = overflow
            return policy.admission(of: weight, beside: load, largest: 1_000)
        }
        let load = policy.load(of: 600)
        #expect(load == OutboxPolicy.Load(messages: 1, largeBytes: 600))
        for overflow in OutboxPolicy.Overflow.allCases {
            #expect(admission(100, load, overflow) == .accepted)
            #expect(admission(400, load, overflow) == .accepted)
            #expect(admission(401, load, overflow) != .accepted)
            #expect(admission(600, OutboxPolicy.Load(messages: 2, bytes: 100), overflow) == .accepted)
            #expect(admission(600, OutboxPolicy.Load(messages: 3, bytes: 100), overflow) != .accepted)
        }
        #expect(admission(401, load, .dropOldest) == .refused(.outboxFull))
        #expect(policy.load(of: 100) == OutboxPolicy.Load(messages: 1, bytes: 100))
    }

    @Test("each reason is a sentence of its own, and none was sent")
    func sentences() {
        let policy = OutboxPolicy()
        let codes: [SenteError.Code] = [.outboxFull, .superseded, .expired, .dropped]
        #expect(Set(codes.map { policy.error($0).message }).count == codes.count)
        for code in codes {
            #expect(policy.error(code).code == code)
            #expect(policy.error(code).outcome == .notSent)
        }
        #expect(policy.error(.outboxFull).message.contains("1000 messages or 1048576 bytes"))
    }
}
