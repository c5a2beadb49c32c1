// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire
import Testing

@Suite("The error policy")
struct ErrorPolicyTests {
    private struct Thrown: Error {}

    @Test(
        "the default is the table of its documentation",
        arguments: [
            (ErrorContext.Operation.connect, SenteError.Code.unreachable, ErrorAction.reconnect),
            (.connection, .connectionLost, .reconnect), (.connection, .silent, .reconnect),
            (.giveUp, .unauthorized, .escalate), (.handle, .invalidArgument, .skip),
            (.receive, .undecodable, .drop), (.receive, .serverError, .escalate),
            (.send, .unencodable, .drop), (.send, .expired, .escalate), (.app, .undecodable, .drop),
            (ErrorContext.Operation(rawValue: "billing"), .busy, .escalate),
        ])
    func table(operation: ErrorContext.Operation, code: SenteError.Code, action: ErrorAction) {
        let context = ErrorContext(operation, attempt: 1)
        #expect(ErrorPolicy.default.action(for: SenteError(code, ""), in: context) == action)
    }

    @Test("errors of other types are told apart by where they come from")
    func otherTypes() {
        #expect(ErrorPolicy.default.action(for: Thrown(), in: ErrorContext(.handle, attempt: 0)) == .skip)
        #expect(ErrorPolicy.default.action(for: Thrown(), in: ErrorContext(.app, attempt: 0)) == .escalate)
    }

    @Test("a policy of one's own can leave the rest to the default")
    func own() {
        let policy = ErrorPolicy { error, context in
            context.event?.id == "chat/said"
                ? .reconnect : ErrorPolicy.default.action(for: error, in: context)
        }
        #expect(
            policy.action(for: Thrown(), in: ErrorContext(.handle, event: Event("chat/said"), attempt: 0))
                == .reconnect)
        #expect(policy.action(for: Thrown(), in: ErrorContext(.handle, attempt: 0)) == .skip)
    }

    @Test("the last hundred are kept, oldest first")
    func log() {
        var log = ErrorLog()
        for time in 1...250 {
            log.append(
                ErrorReport(
                    SenteError(.busy, "\(time)"), ErrorContext(.app, attempt: 0), time: Int64(time),
                    action: .skip))
        }
        #expect(log.recent.map(\.time) == Array(151...250))
        #expect(log.recent.first?.code == .busy)
    }

    @Test("a report reads as one line: where, what, and what was done")
    func description() {
        let report = ErrorReport(
            SenteError(.busy, "Too much to do."),
            ErrorContext(.handle, event: Event("chat/said"), attempt: 1),
            time: 0, action: .skip)
        #expect(report.description == "handle :chat/said: Too much to do. [skip]")
    }
}
