// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire
import Testing

@Suite("Replies as Sente has them")
struct SendReplyTests {
    @Test("any value is an answer, nil too; the three keywords mean what they mean in Sente")
    func answers() {
        #expect(SendReply(answer: .null) == .value(.null))
        #expect(SendReply(answer: .keyword("chsk/other")) == .value(.keyword("chsk/other")))
        #expect(SendReply(answer: "chsk/closed") == .value("chsk/closed"), "A string is none of them.")
        #expect(SendReply(answer: .keyword("chsk/closed")) == .closed)
        #expect(SendReply(answer: .keyword("chsk/timeout")) == .timeout)
        guard case .error(let error) = SendReply(answer: .keyword("chsk/error")) else {
            Issue.record(":chsk/error is no error.")
            return
        }
        #expect(error.code == .remoteError)
        #expect(error.details == .keyword("chsk/error"))
    }

    @Test(
        "a failed call is closed, timeout or error",
        arguments: [
            (SenteError(.notConnected, "", outcome: .notSent), SendReply.closed),
            (SenteError(.disconnected, "", outcome: .notSent), .closed),
            (SenteError(.timedOut, "", outcome: .unknown), .timeout),
            (SenteError(.disconnected, "", outcome: .unknown), nil),
            (SenteError(.connectionLost, "", outcome: .unknown), nil),
            (SenteError(.expired, "", outcome: .notSent), nil),
        ] as [(SenteError, SendReply?)])
    func failures(error: SenteError, reply: SendReply?) {
        #expect(SendReply(failure: error) == reply ?? .error(error))
    }

    @Test("success and error exclude one another")
    func success() {
        for reply in [SendReply.closed, .timeout, .error(SenteError(.busy, ""))] {
            #expect(reply.isError && !reply.isSuccess && reply.value == nil)
        }
        #expect(SendReply.value(.null).isSuccess)
        #expect(SendReply.value(7).value == 7)
    }

    @Test("what is wrong with the call is thrown, what happened to it is a reply")
    func thrown() {
        for code in [
            SenteError.Code.invalidArgument, .unencodable, .unsupported, .messageTooLarge, .outboxFull,
            .cancelled,
        ] {
            #expect(SenteError(code, "").isThrownBySend)
        }
        for code in [SenteError.Code.notConnected, .timedOut, .connectionLost, .expired, .dropped] {
            #expect(!SenteError(code, "").isThrownBySend)
        }
    }
}
