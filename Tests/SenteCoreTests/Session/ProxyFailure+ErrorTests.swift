// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Verdicts on proxies")
struct ProxyFailureErrorTests {
    @Test(
        "each failure has its code, and what only a person can mend is told apart",
        arguments: [
            (ProxyFailure.unusable, SenteError.Code.invalidArgument, false),
            (.unreachable, .proxyUnreachable, true), (.ended, .proxyUnreachable, true),
            (.silent, .timedOut, true), (.malformed, .protocolMismatch, false),
            (.status(407), .proxyUnauthorized, false), (.status(401), .proxyUnauthorized, false),
            (.status(403), .proxyRefused, false),
            (.status(302), .proxyRefused, false), (.status(502), .unreachable, true),
            (.status(503), .unreachable, true), (.status(429), .unreachable, true),
            (.noAcceptableMethod, .proxyUnauthorized, false),
            (.credentialsRefused, .proxyUnauthorized, false),
            (.reply(1), .unreachable, true), (.reply(2), .proxyRefused, false),
            (.reply(3), .unreachable, true),
            (.reply(4), .unreachable, true), (.reply(5), .unreachable, true), (.reply(6), .unreachable, true),
            (.reply(7), .proxyRefused, false), (.reply(8), .proxyRefused, false),
            (.reply(9), .proxyRefused, false),
        ])
    func codes(failure: ProxyFailure, code: SenteError.Code, isMendable: Bool) {
        let meaning = LinkEnd.failed(LinkFailure(.proxy(failure), "The proxy p failed.")).meaning
        #expect(meaning.error.code == code)
        #expect(meaning.error.proxy == failure)
        #expect(meaning.isMendable == isMendable)
        #expect(meaning.close == nil)
        #expect(meaning.error.message == "The proxy p failed.")
    }

    @Test("the status of a proxy's answer is told")
    func status() {
        let meaning = LinkEnd.failed(LinkFailure(.proxy(.status(407)), "")).meaning
        #expect(meaning.error.httpStatus == 407)
        #expect(LinkEnd.failed(LinkFailure(.unreachable, "")).meaning.error.proxy == nil)
    }
}
