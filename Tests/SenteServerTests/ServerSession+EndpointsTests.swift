// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSocket
import SenteWire
import Testing

@Suite("HTTP pages of the server")
struct ServerSessionEndpointsTests {
    private func stage() -> Stage {
        var stage = Stage { $0.port = 0 }
        stage.command(.started(port: 4321))
        stage.connect(1)
        stage.connect(2)
        stage.send(1, #"{"type":"subscribe","channel-id":"room"}"#)
        stage.send(2, #"{"type":"subscribe","channel-id":"room"}"#)
        stage.send(1, #"{"type":"publish","channel-id":"room","data":{}}"#)
        stage.send(1, #"{"type":"rpc-request","channel-id":"room","data":{}}"#)
        stage.wait(.milliseconds(250))
        return stage
    }

    @Test("/health says how the server is, whatever the query")
    func health() {
        let expected =
            #"200 {"status":"healthy","connections":2,"channels":1,"system-health":{"healthy":true,"total-channels":1,"total-subscriptions":2,"active-connections":2,"pending-rpc-requests":1,"old-rpc-requests":0},"uptime-ms":250}"#
        #expect(stage().page("/health") == expected)
        #expect(stage().page("/health?x=1") == expected)
    }

    @Test("/stats counts connections, messages and channels, and shows no request-id")
    func stats() {
        #expect(
            stage().page("/stats")
                == #"200 {"active-connections":2,"total-messages":4,"server-config":{"port":0,"host":"127.0.0.1","actual-port":4321},"channel-stats":{"channels":{"room":{"subscriber-count":2,"message-count":2,"created-at":1000,"retention-count":0}},"total-channels":1,"total-subscriptions":2,"active-connections":2,"pending-rpc-requests":1},"metrics":{"rejected-connections":0,"oversized-messages":0,"parse-errors":0},"telemetry-stats":{}}"#
        )
    }

    @Test("/channels lists them")
    func channels() {
        #expect(
            stage().page("/channels")
                == #"200 {"channels":{"room":{"config":{"max-subscribers":1000,"message-retention":0,"rpc-timeout-ms":30000,"telemetry-enabled":true},"created-at":1000,"message-count":2,"subscriber-count":2}}}"#
        )
    }

    @Test("Everything else is not found", arguments: ["/", "/Health", "/health/", "/chsk", "*", ""])
    func notFound(_ target: String) {
        #expect(stage().page(target) == "404 Not found")
    }

    @Test("Any target upgrades, until the server is full")
    func upgrade() {
        var stage = Stage { $0.maximumConnections = 1 }
        #expect(stage.session.admit(target: "/whatever", wantsUpgrade: true, at: stage.now) == .upgrade)
        stage.connect(1)
        guard case .answer(let refusal) = stage.session.admit(target: "/", wantsUpgrade: true, at: stage.now)
        else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.status == 503)
        #expect(refusal.header("retry-after") == "1")
        #expect(stage.session.counters.rejectedConnections == 1)
    }

    @Test("Ten requests older than a minute make the server unhealthy")
    func unhealthy() {
        var stage = Stage { $0.channelDefaults.requestLimit = .seconds(600) }
        stage.connect(1)
        stage.send(1, #"{"type":"subscribe","channel-id":"a"}"#)
        for _ in 0..<10 { stage.send(1, #"{"type":"rpc-request","channel-id":"a","timeout-ms":300000}"#) }
        stage.wait(.seconds(60))
        #expect(stage.page("/health").contains(#""status":"healthy""#))
        stage.wait(.milliseconds(1))
        #expect(stage.page("/health").contains(#""status":"unhealthy""#))
        #expect(stage.page("/health").contains(#""old-rpc-requests":10"#))
    }

    @Test("The statistics name every connection with its times and its messages")
    func statistics() throws {
        var stage = stage()
        stage.send(2, #"{"type":"ping"}"#)
        let statistics = stage.session.statistics(at: stage.now)
        #expect(statistics.isRunning)
        #expect(statistics.requestedPort == 0)
        #expect(statistics.actualPort == 4321)
        #expect(statistics.isEphemeral)
        #expect(statistics.uptime == .milliseconds(250))
        let second = try #require(statistics.connections.last)
        #expect(second.id == ConnectionID(2))
        #expect(stage.session.connection(named: second.name) == ConnectionID(2))
        #expect(second.openedAt == 1_000)
        #expect(second.lastActivity == 1_250)
        #expect(second.messageCount == 2)
        #expect(second.subscriptions == ["room"])
        stage.command(.stop)
        #expect(!stage.session.statistics(at: stage.now).isRunning)
    }

    @Test("Sente's dialect has no pages and no Ajax", arguments: ["/", "/health", "/chsk?client-id=c"])
    func sente(_ target: String) {
        #expect(Stage(.sente).page(target) == "404 not found")
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
        var stage = Stage(.sente) { $0.sente.allowedOrigins = ["http://other", "http://good"] }
        let request = HTTPRequest(
            method: "GET", target: "/?client-id=c", headers: headers.map { HTTPHeader($0.0, $0.1) },
            isUpgrade: true)
        let admission = stage.session.admit(request, at: stage.now)
        #expect((admission == .upgrade) == isLetIn)
        if case .answer(let refusal) = admission { #expect(refusal.status == 403) }
    }

    @Test("A full server of Sente's answers 503")
    func fullSente() {
        var stage = Stage(.sente) { $0.maximumConnections = 0 }
        guard
            case .answer(let refusal) = stage.session.admit(
                target: "/?client-id=c", wantsUpgrade: true, at: stage.now)
        else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.status == 503)
        #expect(stage.connect(1) == ["1 close 1013"])
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
