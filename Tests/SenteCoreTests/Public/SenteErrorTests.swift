// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Errors")
struct SenteErrorTests {
    @Test("The description is a sentence that tells what is known and what became of the message")
    func description() {
        var error = SenteError(.connectionLost, "The connection was lost.", outcome: .unknown)
        error.underlying = "reset by peer"
        error.closeCode = .abnormal
        error.httpStatus = 502
        #expect(
            "\(error)"
                == "The connection was lost. (reset by peer) [HTTP 502] [close code 1006]"
                + " Whether the server acted on the message is unknown.")
        #expect(
            "\(SenteError(.expired, "It waited too long.", outcome: .notSent))"
                == "It waited too long. The message was not sent.")
        for outcome in [Outcome.acknowledged, .written, nil] as [Outcome?] {
            #expect("\(SenteError(.rejected, "No.", outcome: outcome))" == "No.")
        }
    }

    @Test(
        "What time or the network can mend is worth another try",
        arguments: [
            .notConnected, .timedOut, .connectionLost, .unreachable, .silent, .outboxFull, .expired, .dropped,
            .noSubscribers, .busy, .serverUnavailable, .providerFailed, .disconnected,
        ] as [SenteError.Code])
    func retryable(code: SenteError.Code) {
        #expect(SenteError(code, "", outcome: .notSent).isRetryable)
        #expect(SenteError(code, "").isRetryable && SenteError(code, "").isTransient)
        // The server may have acted on it: time mends the connection, and another try may do it twice.
        let unknown = SenteError(code, "", outcome: .unknown)
        #expect(!unknown.isRetryable && unknown.isTransient)
    }

    @Test(
        "What only another call, server or setting can mend is not",
        arguments: [
            .invalidArgument, .cancelled, .refused, .unauthorized, .protocolMismatch, .untrusted, .superseded,
            .unknownAuthority, .selfSigned, .wrongHost, .certificateExpired, .certificateNotYetValid,
            .pinnedKeyDiffers, .clientCertificateRefused, .tlsFailed,
            .messageTooLarge, .unencodable, .unsupported, .rejected, .remoteError, .decodingFailed,
            .serverError, SenteError.Code(rawValue: "of another version"),
        ] as [SenteError.Code])
    func final(code: SenteError.Code) {
        #expect(!SenteError(code, "").isRetryable && !SenteError(code, "").isTransient)
        #expect(SenteError(code, "").isCancellation == (code == .cancelled))
    }

    @Test("A code is its name")
    func code() {
        #expect(SenteError.Code(rawValue: "timedOut") == .timedOut)
        #expect("\(SenteError.Code.timedOut)" == "timedOut")
    }

    @Test("A changed outcome changes nothing else")
    func outcome() {
        let error = SenteError(.timedOut, "Late.", underlying: "u", closeCode: .normal, details: .bool(true))
        var expected = error
        expected.outcome = .unknown
        #expect(error.with(outcome: .unknown) == expected)
    }
}
