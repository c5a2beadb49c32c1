// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Refusals of the upgrade")
struct RefusalVerdictTests {
    private static let now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 784_111_770_000)

    private static func verdict(
        _ status: Int, _ headers: [Refusal.Header] = [], triesToken: Bool = false
    ) -> RefusalVerdict {
        RefusalVerdict(Refusal(status: status, headers: headers), at: now, triesToken: triesToken)
    }

    @Test(
        "Each status has its remedy",
        arguments: [
            (401, RefusalVerdict.Remedy.none, SenteError.Code.unauthorized), (403, .none, .unauthorized),
            (408, .retry(atLeast: nil), .serverUnavailable), (425, .retry(atLeast: nil), .serverUnavailable),
            (429, .retry(atLeast: nil), .serverUnavailable), (500, .retry(atLeast: nil), .serverUnavailable),
            (503, .retry(atLeast: nil), .serverUnavailable), (599, .retry(atLeast: nil), .serverUnavailable),
            (200, .elsewhere, .protocolMismatch), (204, .elsewhere, .protocolMismatch),
            (301, .elsewhere, .refused), (308, .elsewhere, .refused), (400, .elsewhere, .refused),
            (404, .elsewhere, .refused), (426, .elsewhere, .refused), (-1, .elsewhere, .refused),
            (Int.max, .elsewhere, .refused),
        ])
    func remedies(status: Int, remedy: RefusalVerdict.Remedy, code: SenteError.Code) {
        let verdict = Self.verdict(status)
        #expect(verdict.remedy == remedy)
        #expect(verdict.error.code == code)
        #expect(verdict.error.httpStatus == status)
    }

    @Test("With a token provider a refused token is asked for anew", arguments: [401, 403])
    func token(status: Int) {
        #expect(Self.verdict(status, triesToken: true).remedy == .freshToken)
    }

    @Test(
        "Retry-After is seconds or a date, at most an hour and never in the past",
        arguments: [
            ("0", Duration.seconds(0)), ("7", .seconds(7)), (" 7\t", .seconds(7)), ("-5", .seconds(0)),
            ("999999", .seconds(3_600)), ("Sun, 06 Nov 1994 08:49:37 GMT", .seconds(7)),
            ("Sun, 06 Nov 1970 08:49:37 GMT", .seconds(0)),
            ("Sun, 06 Nov 2094 08:49:37 GMT", .seconds(3_600)),
            ("soon", nil), ("", nil), ("99999999999999999999999", nil),
        ] as [(String, Duration?)])
    func retryAfter(text: String, wait: Duration?) {
        #expect(Self.verdict(503, [.init("Retry-AFTER", text)]).remedy == .retry(atLeast: wait))
    }

    @Test("The error carries what the server said, and where it redirects to")
    func evidence() {
        let headers = [Refusal.Header("Location", "wss://other/")]
        var refusal = Refusal(status: 302, headers: headers)
        refusal.body = [1, 2]
        let error = RefusalVerdict(refusal, at: Self.now, triesToken: false).error
        #expect(error.message.contains("wss://other/"))
        #expect(error.headers == [SenteError.Header(name: "Location", value: "wss://other/")])
        #expect(error.body == [1, 2])
        #expect(error.description.contains("[HTTP 302]"))
        refusal.problem = "The server redirects in a loop."
        #expect(
            RefusalVerdict(refusal, at: Self.now, triesToken: false).error.message
                == "The server redirects in a loop.")
    }
}
