// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Proxies of the environment")
struct ProxyEnvironmentTests {
    /// The proxy's host for a URL, given variables.
    private func host(
        _ url: String, _ variables: [String: String], setting: ProxySetting = .environment
    ) throws -> String? {
        let environment = ProxyEnvironment { variables[$0] }
        return try setting.server(for: WebSocketURL(url), environment: environment)?.host
    }

    @Test(
        "the scheme's variable goes before the one for all, the lower case before the upper, as for curl",
        arguments: [
            ("ws://h/", ["http_proxy": "a"], "a"), ("wss://h/", ["http_proxy": "a"], nil),
            ("wss://h/", ["https_proxy": "a"], "a"), ("ws://h/", ["https_proxy": "a"], nil),
            ("wss://h/", ["HTTPS_PROXY": "a"], "a"),
            ("wss://h/", ["https_proxy": "a", "HTTPS_PROXY": "b"], "a"),
            ("ws://h/", ["HTTP_PROXY": "a"], nil), ("ws://h/", ["HTTP_PROXY": "a", "ALL_PROXY": "b"], "b"),
            ("ws://h/", ["all_proxy": "a", "ALL_PROXY": "b"], "a"), ("wss://h/", ["ALL_PROXY": "b"], "b"),
            ("ws://h/", ["http_proxy": "a", "all_proxy": "b"], "a"),
            ("ws://h/", ["http_proxy": "", "all_proxy": "b"], "b"), ("ws://h/", [:], nil),
        ] as [(String, [String: String], String?)])
    func variables(url: String, variables: [String: String], proxy: String?) throws {
        #expect(try host(url, variables) == proxy)
    }

    @Test(
        "no_proxy names hosts with what is below them, addresses, networks, ports and everything",
        arguments: [
            ("ws://example.com/", "example.com", true), ("ws://www.example.com/", "example.com", true),
            ("ws://www.example.com/", ".example.com", true), ("ws://example.com/", ".example.com", true),
            ("ws://www.example.com/", "*.example.com", true), ("ws://nonexample.com/", "example.com", false),
            ("ws://example.com./", "example.com", true), ("ws://example.com/", "example.com.", true),
            ("ws://EXAMPLE.com/", "Example.COM", true), ("ws://example.com/", "com", true),
            ("ws://h/", "*", true), ("ws://h/", "a, * ", true), ("ws://h/", "", false),
            ("ws://h/", ", ,", false),
            ("ws://b/", "a,b", true), ("ws://b/", "a b", true), ("ws://b/", "a\tb,c", true),
            ("ws://h:81/", "h:81", true), ("ws://h:81/", "h:80", false), ("ws://h/", "h:80", true),
            ("ws://h:81/", "h", true), ("ws://10.1.2.3/", "10.1.2.3", true),
            ("ws://10.1.2.3/", "10.1.2.4", false),
            ("ws://10.1.2.3/", "10.0.0.0/8", true), ("ws://11.1.2.3/", "10.0.0.0/8", false),
            ("ws://10.1.2.3/", "10.1.2.0/31", false), ("ws://10.1.2.3/", "0.0.0.0/0", true),
            ("ws://10.1.2.3/", "10.1.2.3/32", true), ("ws://10.1.2.3/", "10.0.0.0/33", false),
            ("ws://10.1.2.3/", "10.0.0.0/x", false), ("ws://10.1.2.3:9/", "10.1.2.3:9", true),
            ("ws://10.1.2.3:9/", "10.1.2.3:8", false), ("ws://h.10/", "10.0.0.0/8", false),
            ("ws://1.2.3.4/", "3.4", false), ("ws://[2001:db8::1]/", "2001:db8::1", true),
            ("ws://[2001:db8::1]/", "[2001:db8::1]", true),
            ("ws://[2001:db8::1]:9/", "[2001:db8::1]:9", true),
            ("ws://[2001:db8::1]/", "2001:db8::/32", true), ("ws://[2001:db9::1]/", "2001:db8::/32", false),
            ("ws://[2001:db8::1]/", "2001:db8::/127", true), ("ws://[2001:db8::3]/", "2001:db8::/127", false),
            ("ws://[2001:db8::1]/", "::/0", true), ("ws://[2001:db8::1]/", "0.0.0.0/0", false),
            ("ws://[2001:db8::1]/", "2001:db8::1/64", true), ("ws://h/", ":80", false),
            ("ws://h/", ".", false),
        ])
    func exceptions(url: String, list: String, isDirect: Bool) throws {
        #expect(try host(url, ["all_proxy": "p", "no_proxy": list]) == (isDirect ? nil : "p"))
        #expect(try host(url, ["all_proxy": "p", "NO_PROXY": list]) == (isDirect ? nil : "p"))
        #expect(try host(url, [:], setting: .url("p", except: [list])) == (isDirect ? nil : "p"))
    }

    @Test(
        "servers on this machine are reached directly, unless a proxy is configured",
        arguments: [
            "ws://localhost/", "ws://127.0.0.1:3000/", "ws://127.8.9.1/", "wss://[::1]/", "ws://a.localhost/",
        ])
    func loopback(url: String) throws {
        #expect(try host(url, ["all_proxy": "p"]) == nil)
        #expect(try host(url, [:], setting: .url("p")) == "p")
    }

    @Test("a setting wins over the environment")
    func settings() throws {
        #expect(try host("ws://h/", ["all_proxy": "p"], setting: .none) == nil)
        #expect(try host("ws://h/", ["all_proxy": "p"], setting: .url("q")) == "q")
        #expect(try host("ws://h/", ["all_proxy": "p", "no_proxy": "*"], setting: .url("q")) == "q")
        #expect(try ProxySetting.environment.server(for: WebSocketURL("ws://h"), environment: .empty) == nil)
    }

    @Test("a variable that names no proxy is an error with the variable's name, where it would be used")
    func unusable() throws {
        let variables = ["https_proxy": "https://p", "no_proxy": "direct"]
        #expect(throws: ProxyServerError.variable("https_proxy", .scheme("https"))) {
            try host("wss://h/", variables)
        }
        #expect(try host("wss://direct/", variables) == nil)
        #expect(try host("ws://h/", variables) == nil)
    }
}
