// SPDX-License-Identifier: Apache-2.0

import SenteSocket
import Testing

@Suite("Proxy's URL")
struct ProxyServerTests {
    struct Row: Sendable {
        var text: String
        var kind: ProxyServer.Kind
        var host: String
        var port: Int
        var login: String?
    }

    @Test(
        "a URL gives kind, host, port and login",
        arguments: [
            Row(text: "http://h:3128", kind: .http, host: "h", port: 3128, login: nil),
            Row(text: "HTTP://H/", kind: .http, host: "h", port: 1080, login: nil),
            Row(text: "h:8080", kind: .http, host: "h", port: 8080, login: nil),
            Row(text: "h", kind: .http, host: "h", port: 1080, login: nil),
            Row(text: "socks5://[::1]:1", kind: .socks5, host: "::1", port: 1, login: nil),
            Row(text: "socks5h://[2001:db8::1]", kind: .socks5, host: "2001:db8::1", port: 1080, login: nil),
            Row(text: "http://u:p@h:1", kind: .http, host: "h", port: 1, login: "u p"),
            Row(text: "u:p@h:1", kind: .http, host: "h", port: 1, login: "u p"),
            Row(text: "http://u@h", kind: .http, host: "h", port: 1080, login: "u "),
            Row(text: "http://a%40b:c%3Ad%2F@h:1", kind: .http, host: "h", port: 1, login: "a@b c:d/"),
            Row(text: "http://u:p:q@r@h:1", kind: .http, host: "h", port: 1, login: "u p:q@r"),
            Row(text: "socks5://ü:%C3%A9@h:1", kind: .socks5, host: "h", port: 1, login: "ü é"),
        ])
    func good(row: Row) throws {
        let proxy = try ProxyServer(row.text)
        #expect(proxy.kind == row.kind)
        #expect(proxy.host == row.host)
        #expect(proxy.port == row.port)
        #expect(proxy.credentials.map { "\($0.user) \($0.password)" } == row.login)
    }

    @Test(
        "what is wrong is named, and the password is not",
        arguments: [
            ("https://u:secret@h:1", ProxyServerError.scheme("https")),
            ("socks4://h", .scheme("socks4")), ("ftp://h", .scheme("ftp")), ("://h", .scheme("")),
            ("http://h:1/path", .path), ("http://h:1?x", .path), ("http://h:1#x", .path),
            ("http://u%:secret@h", .credentials), ("http://u%0D%0A:secret@h", .credentials),
            ("http://u%00:secret@h", .credentials), ("http://a%3Ab:secret@h", .credentials),
            ("http://u:secret%FF@h", .credentials), ("socks5://:secret@h", .credentials),
            ("http://u:secret@h:0", .address(.badPort("0"))), ("http://", .address(.noHost)),
            ("", .address(.noHost)), ("http://[::1", .address(.badIPv6("[::1"))),
            ("http://h h", .address(.blankOrControl)), ("http://::1:3", .address(.bareIPv6)),
        ])
    func bad(text: String, error: ProxyServerError) {
        #expect(throws: error) { try ProxyServer(text) }
        #expect(error.description.hasSuffix("."))
        #expect(!error.description.contains("secret"))
    }

    @Test("a login for SOCKS has 255 bytes at most, each")
    func lengths() throws {
        let (fits, tooLong) = (String(repeating: "x", count: 255), String(repeating: "x", count: 256))
        #expect(try ProxyServer("socks5://\(fits):\(fits)@h").credentials?.user == fits)
        #expect(throws: ProxyServerError.credentials) { try ProxyServer("socks5://\(tooLong):p@h") }
        #expect(throws: ProxyServerError.credentials) { try ProxyServer("socks5://u:\(tooLong)@h") }
        #expect(try ProxyServer("http://\(tooLong):p@h").credentials?.user == tooLong)
    }

    @Test("a description names the proxy and no login")
    func description() throws {
        #expect(try ProxyServer("http://u:secret@h:1").description == "http://h:1")
        #expect(try ProxyServer("socks5://u:secret@[::1]").description == "socks5://[::1]:1080")
        let wrapped = ProxyServerError.variable("https_proxy", .scheme("ftp"))
        #expect(wrapped.description.contains("https_proxy"))
        #expect(wrapped.description.contains("ftp"))
    }
}
