// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Refusals of the upgrade")
struct RefusalErrorTests {
    @Test(
        "Each status has its error and its prospect",
        arguments: [
            (401, Prospect.elsewhere, SenteError.Code.unauthorized), (403, .elsewhere, .unauthorized),
            (408, .mendable, .serverUnavailable), (425, .mendable, .serverUnavailable),
            (429, .mendable, .serverUnavailable), (500, .mendable, .serverUnavailable),
            (503, .mendable, .serverUnavailable), (599, .mendable, .serverUnavailable),
            (200, .elsewhere, .protocolMismatch), (204, .elsewhere, .protocolMismatch),
            (301, .elsewhere, .refused), (308, .elsewhere, .refused), (400, .elsewhere, .refused),
            (404, .elsewhere, .refused), (426, .elsewhere, .refused), (-1, .elsewhere, .refused),
            (Int.max, .elsewhere, .refused),
        ])
    func statuses(status: Int, prospect: Prospect, code: SenteError.Code) {
        let refusal = Refusal(status: status)
        #expect(refusal.prospect == prospect)
        #expect(refusal.error.code == code)
        #expect(refusal.error.httpStatus == status)
        #expect(refusal.isOfCredentials == (status == 401 || status == 403))
    }

    @Test(
        "Retry-After is seconds, or a date by the server's own clock, at most an hour and never in the past",
        arguments: [
            ("0", Duration.seconds(0)), ("7", .seconds(7)), (" 7\t", .seconds(7)), ("-5", .seconds(0)),
            ("999999", .seconds(3_600)), ("Sun, 06 Nov 1994 08:49:37 GMT", .seconds(7)),
            ("Sun, 06 Nov 1970 08:49:37 GMT", .seconds(0)),
            ("Sun, 06 Nov 2094 08:49:37 GMT", .seconds(3_600)),
            ("soon", nil), ("", nil), ("99999999999999999999999", nil),
        ] as [(String, Duration?)])
    func rest(text: String, rest: Duration?) {
        let headers: [Refusal.Header] = [
            .init("Date", "Sun, 06 Nov 1994 08:49:30 GMT"), .init("Retry-AFTER", text),
        ]
        #expect(Refusal(status: 503, headers: headers).rest == rest)
        #expect(Refusal(status: 404, headers: headers).rest == nil)
    }

    @Test("A date without the server's own says nothing: our clock may be anywhere")
    func dateAlone() {
        let header = Refusal.Header("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(Refusal(status: 503, headers: [header]).rest == nil)
    }

    @Test("The error carries what the server said, and where it redirects to")
    func evidence() {
        let headers = [Refusal.Header("Location", "wss://other/")]
        var refusal = Refusal(status: 302, headers: headers)
        refusal.body = [1, 2]
        #expect(refusal.error.message.contains("wss://other/"))
        #expect(refusal.error.headers == [SenteError.Header(name: "Location", value: "wss://other/")])
        #expect(refusal.error.body == [1, 2])
        #expect(refusal.error.description.contains("[HTTP 302]"))
        refusal.problem = "The server redirects in a loop."
        #expect(refusal.error.message == "The server redirects in a loop.")
    }

    @Test(
        "The first line of a text says why; a page of HTML does not",
        arguments: [
            (
                "Client's Ring request doesn't have a client id.\nat x",
                "Client's Ring request doesn't have a client id."
            ),
            ("\n  \t two\n", "two"), ("<html>\nno", nil), ("", nil), ("\u{1B}[1m", "·[1m"),
        ] as [(String, String?)])
    func body(text: String, line: String?) {
        let error = Refusal(status: 500, body: Array(text.utf8)).error
        let plain = "The server could not take the connection (HTTP 500)."
        #expect(error.message == (line.map { "\(plain) It says: “\($0)”." } ?? plain))
    }

    @Test(
        "A server that wants TLS says so in its own words",
        arguments: [
            ("<html><center>The plain HTTP request was sent to HTTPS port</center>", true),
            ("Client sent an HTTP request to an HTTPS server.\n", true),
            ("<p>You're speaking plain HTTP to an SSL-enabled server port.</p>", true),
            ("Bad Request", false),
        ])
    func tlsPort(text: String, isOfTLS: Bool) {
        let error = Refusal(status: 400, body: Array(text.utf8)).error
        #expect(error.message.contains("use wss:") == isOfTLS)
        #expect(error.code == .refused)
    }
}
