// SPDX-License-Identifier: Apache-2.0

import SenteSocket
import Testing

@Suite("WebSocket URL")
struct WebSocketURLTests {
    struct Row: Sendable {
        var text: String
        var host: String
        var port: Int
        var target: String
        var header: String
    }

    @Test(
        "RFC 6455 §3: a URL gives host, port, request target and Host field",
        arguments: [
            Row(text: "ws://h", host: "h", port: 80, target: "/", header: "h"),
            Row(text: "ws://h?x=1", host: "h", port: 80, target: "/?x=1", header: "h"),
            Row(text: "ws://h/", host: "h", port: 80, target: "/", header: "h"),
            Row(
                text: "WSS://Example.COM/a/b?c=d&e", host: "example.com", port: 443, target: "/a/b?c=d&e",
                header: "example.com"),
            Row(text: "ws://h:80/x", host: "h", port: 80, target: "/x", header: "h"),
            Row(text: "wss://h:443", host: "h", port: 443, target: "/", header: "h"),
            Row(text: "ws://h:443", host: "h", port: 443, target: "/", header: "h:443"),
            Row(text: "wss://h:80", host: "h", port: 80, target: "/", header: "h:80"),
            Row(text: "ws://[::1]:8080/", host: "::1", port: 8080, target: "/", header: "[::1]:8080"),
            Row(
                text: "ws://[2001:DB8::1]", host: "2001:db8::1", port: 80, target: "/",
                header: "[2001:db8::1]"),
            Row(
                text: "ws://127.0.0.1:1/%23?q=%20#".replacingHash, host: "127.0.0.1", port: 1,
                target: "/%23?q=%20", header: "127.0.0.1:1"),
            Row(text: "ws://h/ü?q=水|", host: "h", port: 80, target: "/%C3%BC?q=%E6%B0%B4%7C", header: "h"),
            Row(
                text: "ws://my_host-1.local./a?b?c/d", host: "my_host-1.local.", port: 80, target: "/a?b?c/d",
                header: "my_host-1.local."),
        ])
    func good(row: Row) throws {
        let url = try WebSocketURL(row.text)
        #expect(url.host == row.host)
        #expect(url.port == row.port)
        #expect(url.target == row.target)
        #expect(url.hostHeader == row.header)
        #expect(try WebSocketURL(url.description) == url)
    }

    @Test(
        "what is wrong with a URL is named",
        arguments: [
            ("", WebSocketURLError.empty), ("host:80", .noScheme), ("/path", .noScheme),
            ("ws:host", .noScheme),
            ("http://h/", .unknownScheme("http")), ("://h", .unknownScheme("")), ("ws:///path", .noHost),
            ("ws://", .noHost), ("ws://:80/", .noHost), ("ws://h/#f", .fragment), ("ws://h#", .fragment),
            ("ws://user@h/", .userInfo), ("ws://user:pw@h:80/", .userInfo), ("ws://h:/", .badPort("")),
            ("ws://h:0", .badPort("0")), ("ws://h:65536", .badPort("65536")), ("ws://h:-1", .badPort("-1")),
            ("ws://h:+1", .badPort("+1")), ("ws://h:8x", .badPort("8x")),
            ("ws://h:99999999999999999999", .badPort("99999999999999999999")),
            ("ws://h /", .blankOrControl), ("ws://h/a b", .blankOrControl), (" ws://h", .blankOrControl),
            ("ws://h/\r\nX: y", .blankOrControl), ("ws://h/\u{0}", .blankOrControl),
            ("ws://h/\u{7F}", .blankOrControl),
            ("ws://bücher.example/", .hostNotASCII("bücher.example")), ("ws://h%41/", .badHost("h%41")),
            ("ws://a,b/", .badHost("a,b")), ("ws://::1/", .bareIPv6), ("ws://[::1", .badIPv6("[::1")),
            ("ws://[::1]x/", .badIPv6("[::1]x")), ("ws://[]/", .badIPv6("[]")),
            ("ws://[fe80::1%25eth0]/", .zone("[fe80::1%25eth0]")),
            ("ws://[fe80::1%eth0]:80/", .zone("[fe80::1%eth0]")),
            ("ws://[1.2.3.4]/", .badIPv6("[1.2.3.4]")), ("ws://h/%", .badPercent), ("ws://h/%4", .badPercent),
            ("ws://h/%zz", .badPercent),
        ])
    func bad(text: String, error: WebSocketURLError) {
        #expect(throws: error) { try WebSocketURL(text) }
        #expect(error.description.hasPrefix("The URL"))
    }
}

extension String {
    /// Drops the number sign that marks the end of a row's text.
    fileprivate var replacingHash: String { String(dropLast()) }
}
