// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSocket
import SenteWire
import Testing

@Suite("HTTP pages of the server")
struct ServerSessionEndpointsTests {
    private func server() -> TestServerSession {
        var server = TestServerSession { $0.port = 0 }
        server.command(.started(port: 4321))
        server.connect(1)
        server.connect(2)
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"room"}"#)
        server.receive(from: 2, #"{"type":"subscribe","channel-id":"room"}"#)
        server.receive(from: 1, #"{"type":"publish","channel-id":"room","data":{}}"#)
        server.receive(from: 1, #"{"type":"rpc-request","channel-id":"room","data":{}}"#)
        server.advance(by: .milliseconds(250))
        return server
    }

    @Test("/health says how the server is, whatever the query")
    func health() {
        let expected =
            #"200 {"status":"healthy","connections":2,"channels":1,"system-health":{"healthy":true,"total-channels":1,"total-subscriptions":2,"active-connections":2,"pending-rpc-requests":1,"old-rpc-requests":0},"uptime-ms":250}"#
        #expect(server().page("/health") == expected)
        #expect(server().page("/health?x=1") == expected)
    }

    @Test("/stats counts connections, messages and channels, and shows no request-id")
    func stats() {
        #expect(
            server().page("/stats")
                == #"200 {"active-connections":2,"total-messages":4,"server-config":{"port":0,"host":"127.0.0.1","actual-port":4321},"channel-stats":{"channels":{"room":{"subscriber-count":2,"message-count":2,"created-at":1000,"retention-count":0}},"total-channels":1,"total-subscriptions":2,"active-connections":2,"pending-rpc-requests":1},"metrics":{"rejected-connections":0,"oversized-messages":0,"parse-errors":0},"telemetry-stats":{}}"#
        )
    }

    @Test("/channels lists them")
    func channels() {
        #expect(
            server().page("/channels")
                == #"200 {"channels":{"room":{"config":{"max-subscribers":1000,"message-retention":0,"rpc-timeout-ms":30000,"telemetry-enabled":true},"created-at":1000,"message-count":2,"subscriber-count":2}}}"#
        )
    }

    @Test("Everything else is not found", arguments: ["/", "/Health", "/health/", "/chsk", "*", ""])
    func notFound(_ target: String) {
        #expect(server().page(target) == "404 Not found")
    }

    @Test("Any target upgrades, until the server is full")
    func upgrade() {
        var server = TestServerSession { $0.maximumConnections = 1 }
        #expect(server.session.admit(target: "/whatever", wantsUpgrade: true, at: server.now) == .upgrade)
        server.connect(1)
        guard
            case .answer(let refusal) = server.session.admit(target: "/", wantsUpgrade: true, at: server.now)
        else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.status == 503)
        #expect(refusal.header("retry-after") == "1")
        #expect(server.session.counters.rejectedConnections == 1)
    }

    @Test("Ten requests older than a minute make the server unhealthy")
    func unhealthy() {
        var server = TestServerSession { $0.channelDefaults.requestLimit = .seconds(600) }
        server.connect(1)
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"a"}"#)
        for _ in 0..<10 {
            server.receive(from: 1, #"{"type":"rpc-request","channel-id":"a","timeout-ms":300000}"#)
        }
        server.advance(by: .seconds(60))
        #expect(server.page("/health").contains(#""status":"healthy""#))
        server.advance(by: .milliseconds(1))
        #expect(server.page("/health").contains(#""status":"unhealthy""#))
        #expect(server.page("/health").contains(#""old-rpc-requests":10"#))
    }

    @Test("The statistics name every connection with its times and its messages")
    func statistics() throws {
        var server = server()
        server.receive(from: 2, #"{"type":"ping"}"#)
        let statistics = server.session.statistics(at: server.now)
        #expect(statistics.isRunning)
        #expect(statistics.requestedPort == 0)
        #expect(statistics.actualPort == 4321)
        #expect(statistics.isEphemeral)
        #expect(statistics.uptime == .milliseconds(250))
        let second = try #require(statistics.connections.last)
        #expect(second.id == ConnectionID(2))
        #expect(server.session.connection(named: second.name) == ConnectionID(2))
        #expect(second.openedAt == 1_000)
        #expect(second.lastActivity == 1_250)
        #expect(second.messageCount == 2)
        #expect(second.subscriptions == ["room"])
        server.command(.stop)
        #expect(!server.session.statistics(at: server.now).isRunning)
    }

    @Test("Sente's dialect has no pages and no Ajax", arguments: ["/", "/health", "/chsk?client-id=c"])
    func sente(_ target: String) {
        #expect(TestServerSession(.sente).page(target) == "404 not found")
    }

    @Test(
        "An origin is what the page says it is, or else where it was linked from; without either nobody is let in",
        arguments: [
            ([("Origin", "http://good")], true), ([("Origin", "http://good.evil")], false), ([], false),
            ([("Referer", "http://good/page")], true), ([("Referer", "http://good.evil/page")], false),
            ([("Referer", "http://good")], false),
            ([("Origin", "http://evil"), ("Referer", "http://good/")], false),
        ] as [([(String, String)], Bool)])
    func origins(_ headers: [(String, String)], _ isLetIn: Bool) {
        var server = TestServerSession(.sente) { $0.sente.allowedOrigins = ["http://other", "http://good"] }
        let request = HTTPRequest(
            method: "GET", target: "/?client-id=c", headers: headers.map { HTTPHeader($0.0, $0.1) },
            isUpgrade: true)
        let admission = server.session.admit(request, at: server.now)
        #expect((admission == .upgrade) == isLetIn)
        if case .answer(let refusal) = admission { #expect(refusal.status == 403) }
    }

    @Test("A full server of Sente's answers 503")
    func fullSente() {
        var server = TestServerSession(.sente) { $0.maximumConnections = 0 }
        guard
            case .answer(let refusal) = server.session.admit(
                target: "/?client-id=c", wantsUpgrade: true, at: server.now)
        else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.status == 503)
        #expect(server.connect(1) == ["1 close 1013"])
    }

    @Test("Paths and origins compare by their bytes")
    func doors() {
        var configuration = ServerConfiguration(.sente)
        configuration.sente.path = "/caf\u{e9}"
        configuration.sente.allowedOrigins = ["https://\u{e9}"]
        func status(_ path: String, _ header: String, _ value: String) -> Int? {
            var session = ServerSession(configuration, seed: 1)
            let request = HTTPRequest(
                method: "GET", target: path + "?client-id=x", headers: [HTTPHeader(header, value)],
                isUpgrade: true)
            let now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 0)
            guard case .answer(let answer) = session.admit(request, at: now) else { return nil }
            return answer.status
        }
        #expect(status("/caf\u{e9}", "Origin", "https://\u{e9}") == nil)
        #expect(status("/caf\u{e9}", "Referer", "https://\u{e9}/x") == nil)
        #expect(status("/cafe\u{301}", "Origin", "https://\u{e9}") == 404)
        #expect(status("/caf\u{e9}", "Origin", "https://e\u{301}") == 403)
        #expect(status("/caf\u{e9}", "Referer", "https://e\u{301}/x") == 403)
    }
}
