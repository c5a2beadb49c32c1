// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport
import Testing

@Suite("Proxies of the environment, over sockets", .timeLimit(.minutes(5)))
struct ProcessEnvironmentTests {
    /// A proxy that is the server as well.
    private static func proxy(_ heads: Collector<String>) throws -> RawServer {
        try RawServer { connection in
            heads.append(connection.readHead())
            connection.write(Array("HTTP/1.1 200 OK\r\n\r\n".utf8))
            connection.write(connection.readHandshake())
            connection.drain()
        }
    }

    /// No lookup of ours is wanted: the proxy's job.
    private static let lookup = NameLookup(threads: 1) { host, _, _ in
        Issue.record("\(host) was looked up here.")
        return .failure(LinkFailure(.nameNotFound, "No."))
    }

    private static func request(_ url: String, on loop: EventLoop) -> LinkRequest {
        var request = LinkRequest(url: url, openDeadline: loop.now.instant.advanced(by: .seconds(20)))
        request.proxy = .environment
        return request
    }

    @Test("a link goes where the environment says, unless the server is an exception or on this machine")
    func environment() async throws {
        let heads = Collector<String>()
        let proxy = try Self.proxy(heads)
        let variables = ["http_proxy": "http://user:pass@127.0.0.1:\(proxy.port)", "no_proxy": "direct.test"]
        let environment = ProxyEnvironment { variables[$0] }
        try await withLoop(.standard) { loop in
            let transport = SocketTransport(lookup: Self.lookup, environment: environment)
            let recorder = LinkRecorder.open(
                Self.request("ws://server.test:81/", on: loop), on: loop, transport: transport)
            await recorder.untilOpen()
            #expect(recorder.reports.elements.contains { $0.isOpened })
            #expect(heads.elements[0].hasPrefix("CONNECT server.test:81 HTTP/1.1\r\n"))
            #expect(heads.elements[0].contains("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n"))
            recorder.onLoop { $0.abandon() }

            let (_, listener) = try EchoServer.listen(on: loop)
            let asked = Collector<String>()
            let direct = NameLookup(threads: 1) { [port = listener.port] host, _, family in
                asked.append(host)
                return .success(family == .v4 ? [.v4(0x7F00_0001, port: port)] : [])
            }
            for host in ["127.0.0.1", "localhost", "direct.test"] {
                let recorder = LinkRecorder.open(
                    Self.request("ws://\(host):\(listener.port)/", on: loop), on: loop,
                    transport: SocketTransport(lookup: direct, environment: environment))
                await recorder.untilOpen()
                #expect(recorder.reports.elements.contains { $0.isOpened })
                recorder.onLoop { $0.abandon() }
            }
            // The machine's own name is never looked up.
            #expect(Set(asked.elements) == ["direct.test"])
            #expect(heads.elements.count == 1)
        }
    }

    @Test("a variable that names no usable proxy ends the attempt with its name, and is no matter for others")
    func unusable() async throws {
        let environment = ProxyEnvironment { ["https_proxy": "https://p", "http_proxy": "nope://p"][$0] }
        try await withLoop(.standard) { loop in
            let recorder = LinkRecorder.open(
                Self.request("ws://server.test/", on: loop), on: loop,
                transport: SocketTransport(lookup: Self.lookup, environment: environment))
            let failure = await recorder.untilEnd().last?.failure
            #expect(failure?.kind == .proxy(.unusable))
            #expect(failure?.message.contains("http_proxy") == true)
        }
    }

    @Test("the environment of this process can be read")
    func process() throws {
        let url = try WebSocketURL("ws://127.0.0.1/")
        #expect(try ProxySetting.environment.server(for: url, environment: .process) == nil)
    }
}
