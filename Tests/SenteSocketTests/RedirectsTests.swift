// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Redirects")
struct RedirectsTests {
    private static func redirects(_ url: String, _ headers: [HTTPHeader] = []) throws -> Redirects {
        Redirects(try WebSocketURL(url), headers: headers)
    }

    private static func answer(_ place: String?, status: Int = 302) -> Refusal {
        Refusal(status: status, headers: place.map { [HTTPHeader("location", $0)] } ?? [])
    }

    private static func problem(_ verdict: RedirectDecision) -> String? {
        if case .refuse(let problem) = verdict { problem } else { nil }
    }

    @Test(
        "a place is resolved against the URL, http and https standing for ws and wss",
        arguments: [
            ("ws://h:1/a/b?x", "ws://o/c", "ws://o/c"), ("ws://h:1/a/b?x", "wss://o:9/c?d", "wss://o:9/c?d"),
            ("ws://h:1/a/b?x", "http://o/c", "ws://o/c"), ("ws://h:1/a/b?x", "HTTPS://O/c", "wss://o/c"),
            ("ws://h:1/a/b?x", "//o/c", "ws://o/c"), ("wss://h:1/a/b?x", "//o", "wss://o/"),
            ("ws://h:1/a/b?x", "/c?y", "ws://h:1/c?y"), ("ws://h:1/a/b?x", "c", "ws://h:1/a/c"),
            ("ws://h:1/a/b?x", "../c", "ws://h:1/c"), ("ws://h:1/a/b?x", "../../../c/./d/..", "ws://h:1/c/"),
            ("ws://h:1/a/b?x", "./", "ws://h:1/a/"), ("ws://h:1/a/b?x", "?y=1", "ws://h:1/a/b?y=1"),
            ("ws://h:1/a/b?x", "c:1/d", nil), ("ws://h:1/a/b?x", "./c:1/d", "ws://h:1/a/c:1/d"),
            ("ws://h:1/a/b?x", "/c#part", "ws://h:1/c"), ("ws://h:1/a/b?x", "ftp://o/", nil),
            ("ws://h:1/a/b?x", "http://u:p@o/", nil), ("ws://h:1/a/b?x", "http://", nil),
            ("ws://h/", "c", "ws://h/c"),
            ("ws://h:1/a/b?x", "/c d", nil), ("ws://h:1/", "ws://[::1]:2/x", "ws://[::1]:2/x"),
            ("ws://[::1]:1/", "/y", "ws://[::1]:1/y"), ("ws://h:1/", "/ü", "ws://h:1/%C3%BC"),
        ] as [(String, String, String?)])
    func places(url: String, place: String, result: String?) throws {
        for status in [301, 302, 307, 308] {
            var redirects = try Self.redirects(url)
            let verdict = redirects.follow(Self.answer(place, status: status))
            if let result {
                #expect(verdict == .follow, "\(verdict)")
                #expect(redirects.url == (try WebSocketURL(result)))
            } else {
                #expect(Self.problem(verdict)?.contains(place) == true, "\(verdict)")
                #expect(redirects.url == (try WebSocketURL(url)))
            }
        }
    }

    @Test("other answers are no redirects", arguments: [200, 300, 303, 304, 401, 404, 503])
    func others(status: Int) throws {
        var redirects = try Self.redirects("ws://h/")
        #expect(redirects.follow(Self.answer("ws://o/", status: status)) == .none)
    }

    @Test("no place, or two, is refused")
    func unclear() throws {
        var redirects = try Self.redirects("ws://h/")
        #expect(Self.problem(redirects.follow(Self.answer(nil))) != nil)
        var twice = Self.answer("/a")
        twice.headers.append(HTTPHeader("Location", "/b"))
        #expect(Self.problem(redirects.follow(twice)) != nil)
    }

    @Test("never from wss to ws, whatever the way there", arguments: ["ws://h/", "http://h/", "http://o/x"])
    func downgrade(place: String) throws {
        var redirects = try Self.redirects("wss://h/")
        #expect(Self.problem(redirects.follow(Self.answer(place)))?.contains("wss to ws") == true)
        var upgraded = try Self.redirects("ws://h/")
        #expect(upgraded.follow(Self.answer("wss://h/")) == .follow)
        #expect(Self.problem(upgraded.follow(Self.answer(place)))?.contains("wss to ws") == true)
    }

    @Test("a loop is found at once, a long way after five")
    func loops() throws {
        var redirects = try Self.redirects("ws://h/a")
        #expect(redirects.follow(Self.answer("/b")) == .follow)
        #expect(Self.problem(redirects.follow(Self.answer("ws://H:80/a")))?.contains("loop") == true)
        var itself = try Self.redirects("ws://h/a")
        #expect(Self.problem(itself.follow(Self.answer("")))?.contains("loop") == true)
        var long = try Self.redirects("ws://h/0")
        for number in 1...5 { #expect(long.follow(Self.answer("/\(number)")) == .follow) }
        #expect(Self.problem(long.follow(Self.answer("/6")))?.contains("more than 5") == true)
    }

    @Test(
        "what may be secret stays with its origin, for good",
        arguments: [
            ("ws://h/", "/x", true), ("ws://h/", "ws://h:80/x", true), ("ws://h/", "ws://o/", false),
            ("ws://h/", "ws://h:81/", false), ("ws://h/", "wss://h/", false),
            ("wss://h/", "wss://a.h/", false),
        ])
    func secrets(url: String, place: String, stays: Bool) throws {
        let secret = ["Authorization", "COOKIE", "X-Api-Key"].map { HTTPHeader($0, "s") }
        let harmless = [HTTPHeader("user-agent", "a"), HTTPHeader("Origin", "b")]
        var redirects = try Self.redirects(url, secret + harmless)
        #expect(redirects.follow(Self.answer(place)) == .follow)
        #expect(redirects.headers == (stays ? secret + harmless : harmless))
        #expect(redirects.follow(Self.answer("wss://h/back")) == .follow)
        #expect(redirects.headers == harmless)
    }
}
