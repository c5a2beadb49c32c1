// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("A session with a server of NATS")
struct SessionNATSTests {
    private static func connecting(
        _ nats: NATSSettings = NATSSettings(), _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) -> TestSession {
        .connectingInText(DialectDetector(dialect: .nats, nats: nats)) {
            $0.dialect = .nats
            configure(&$0)
        }
    }

    private static func opened(
        _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) -> TestSession {
        var session = connecting(configure)
        session.greet(text: "INFO {\"client_id\":7}\r\n")
        session.receive("PONG\r\n")
        return session
    }

    private static func connecting(_ configure: (inout SessionConfiguration) -> Void) -> TestSession {
        connecting(NATSSettings(), configure)
    }

    @Test("is open with the first PONG; wishes are written then, and what waited behind them")
    func opens() {
        var session = Self.connecting()
        session.subscribe("a.*")
        let call = session.submit(.publish(channel: "a.b", data: 1, excludeSender: false))
        session.greet(text: "INF")
        #expect(session.sentText == [] && session.state == .connecting)
        session.receive("O {\"client_id\":7}\r\n")
        #expect(session.sentText.count == 1 && session.sentText[0].hasPrefix("CONNECT {"))
        #expect(session.state == .connecting)
        session.receive("PONG\r\n")
        #expect(session.state == .open && session.status.identity?.connectionID == "7")
        #expect(session.sentText == ["SUB a.* 1\r\nPING\r\n", "PUB a.b 1\r\n1\r\nPING\r\n"])
        session.receive("PONG\r\nPONG\r\n")
        #expect(session.answer(to: call) == .published(PublishReceipt(acknowledgement: .accepted)))
        #expect(session.engine.subscription("a.*")?.isConfirmed == true)
    }

    @Test("credentials that are refused end it, but for a fresh token, and the link is closed each time")
    func credentials() {
        let refusal = "-ERR 'Authorization Violation'\r\n"
        var session = Self.connecting()
        session.greet(text: "INFO {}\r\n")
        session.receive(refusal)
        #expect(session.state == .failed && session.status.lastError?.code == .unauthorized)
        #expect(session.effects.contains { if case .closeLink = $0 { true } else { false } })

        session = Self.connecting(NATSSettings(credentials: .token)) { $0.asksToken = true }
        for (token, reason) in [("stale", AttemptReason.connecting), ("fresh", .refused)] {
            guard let (id, ask) = session.asks.max(by: { $0.key.number < $1.key.number }) else {
                return #expect(Bool(false), "nothing was asked")
            }
            #expect(ask == .token(reason))
            session.handle(.provided(id, .token(token)))
            session.receive("INFO {}\r\n")
            #expect(session.sentText.first?.contains("\"auth_token\":\"\(token)\"") == true)
            session.receive(token == "stale" ? refusal : "PONG\r\n")
        }
        #expect(session.state == .open)
    }

    @Test(
        "a server that is full is tried again, and one that breaks its protocol is closed with 1002 and tried again"
    )
    func retries() {
        var session = Self.connecting()
        session.greet(text: "INFO {}\r\n")
        session.receive("-ERR 'maximum connections exceeded'\r\n")
        #expect(session.state == .reconnecting && session.status.lastError?.code == .serverUnavailable)

        session = Self.opened()
        session.receive("PONG\r\n")
        #expect(session.state == .reconnecting && session.status.lastError?.code == .protocolViolation)
        #expect(
            session.effects.contains { if case .closeLink(_, .protocolError, _) = $0 { true } else { false } }
        )
    }

    @Test("a message counts what it is against an inbox, whatever pieces it came in")
    func sizes() {
        // Ten thousand small ones in one piece.
        var session = Self.opened { $0.inbox = InboxPolicy(maximumMessages: 20_000, maximumBytes: 2_000_000) }
        session.subscribe("a")
        session.receive("PONG\r\n")
        session.receive(String(repeating: "MSG a 1 1\r\n7\r\n", count: 10_000))
        #expect(session.metrics.missed == 0)
        #expect(session.metrics.received.messages >= 10_000)

        // Large ones of which the last pieces are small.
        session = Self.opened { $0.inbox = InboxPolicy(maximumMessages: 20_000, maximumBytes: 2_000_000) }
        session.subscribe("a")
        session.receive("PONG\r\n")
        let text = String(repeating: "x", count: 999_998)
        for _ in 0..<3 {
            session.receive("MSG a 1 1000000\r\n\"\(text)")
            session.receive("\"\r\n")
        }
        #expect(session.metrics.missed >= 1)
    }

    @Test("an answer that comes before the PONG of its request is the request's")
    func requests() {
        var session = Self.opened()
        let call = session.submit(.request(channel: "s", data: .null, limit: 1_000))
        let lines = session.sentText.joined().split(separator: "\r\n")
        #expect(lines.count == 3 && lines[0].hasPrefix("SUB _INBOX.") && lines[1].hasPrefix("PUB s _INBOX."))
        let id = lines[1].split(separator: " ")[2]
        session.receive("HMSG \(id) 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\nPONG\r\n")
        #expect(session.error(of: call)?.code == .noSubscribers)
        let second = session.submit(.request(channel: "s", data: .null, limit: 1_000))
        let next = session.sentText.joined().split(separator: " ")[2]
        #expect(next != id)
        session.receive("PONG\r\nMSG \(next) 1 1\r\n7\r\nMSG \(next) 1 1\r\n8\r\n")
        #expect(session.value(of: second) == 7)
        #expect(session.ignored == [.lateReply])
    }

    @Test("a link that is lost makes what was said unknown, and the next one says every wish again")
    func lost() {
        var session = Self.opened()
        session.subscribe("a")
        let call = session.submit(.publish(channel: "b", data: .null, excludeSender: false))
        session.receive("PONG\r\n")
        session.cut()
        #expect(session.error(of: call)?.outcome == .unknown)
        session.advanceToAttempt()
        session.greet(text: "INFO {}\r\n")
        session.receive("PONG\r\n")
        #expect(session.sentText == ["SUB a 1\r\nPING\r\n"])
    }

    @Test("a server's PING is answered, and silence is asked about by one of ours")
    func keepAlive() {
        var session = Self.opened()
        session.receive("PING\r\n")
        #expect(session.sentText == ["PONG\r\n"])
        session.advance(by: .seconds(20))
        #expect(session.sentText == ["PING\r\n"])
        session.receive("PONG\r\n")
        session.advance(by: .seconds(10))
        #expect(session.state == .open)
    }

    @Test("requesters may use a place for answers twice: nobody hands a request over twice")
    func requestIDs() {
        var session = Self.opened()
        let inbox = session.newInbox()
        session.handle(.command(.respond(channel: "s q", inbox, limit: 16)))
        session.receive("PONG\r\nMSG s 1 r 1\r\n1\r\nMSG s 1 r 1\r\n2\r\n")
        #expect(session.take(inbox).count == 2)
        session.handle(.command(.answer(inbox, requestID: "r", data: 3, isError: false)))
        #expect(session.sentText == ["PUB r 1\r\n3\r\n"])
    }

    @Test("a service is served on the next link too, in its group, and answers to none of the last link")
    func services() {
        var session = Self.opened()
        let inbox = session.newInbox()
        session.handle(.command(.respond(channel: "s q", inbox, limit: 16)))
        #expect(session.sentText == ["SUB s q 1\r\nPING\r\n"])
        session.receive("PONG\r\n")
        session.cut()
        session.advanceToAttempt()
        session.greet(text: "INFO {}\r\n")
        session.receive("PONG\r\n")
        #expect(session.sentText == ["SUB s q 1\r\nPING\r\n"])
        session.receive("PONG\r\nMSG s 1 r.2 1\r\n1\r\n")
        #expect(session.take(inbox).count == 1)
    }

    @Test(
        "whatever ends an open link from the other side is followed by an attempt, a clean close too",
        arguments: [
            ("", LinkEnd.closed(code: .normal, reason: "Client Closed")),
            ("", .closed(code: .goingAway, reason: "Server Shutdown")),
            ("", .failed(LinkFailure(.lost, "The connection ended without a close frame."))),
            ("Stale Connection", .closed(code: .goingAway, reason: "Stale Connection")),
            ("Unknown Protocol Operation", .closed(code: .protocolError, reason: "Protocol Violation")),
            ("Maximum Payload Violation", .closed(code: .messageTooBig, reason: "Payload Exceeded")),
            ("maximum control line exceeded", .closed(code: .policyViolation, reason: "Control Line")),
            (
                "User Authentication Expired",
                .closed(code: .policyViolation, reason: "Authentication Failure")
            ),
        ])
    func ends(complaint: String, end: LinkEnd) {
        var session = Self.opened()
        if !complaint.isEmpty {
            session.receive("-ERR '\(complaint)'\r\n")
            #expect(
                session.effects.contains {
                    if case .record(.serverError(let text)) = $0 { text.contains(complaint) } else { false }
                })
        }
        session.endLink(end)
        #expect(session.state == .reconnecting)
        session.advanceToAttempt()
        session.greet(text: "INFO {}\r\n")
        session.receive("PONG\r\n")
        #expect(session.state == .open)
    }

    @Test("a token that is over while the link is open is asked for anew, before the next attempt")
    func expires() {
        var session = Self.connecting(NATSSettings(credentials: .bearer)) { $0.asksToken = true }
        for token in ["first", "second"] {
            guard let (id, ask) = session.asks.max(by: { $0.key.number < $1.key.number }) else {
                return #expect(Bool(false), "nothing was asked")
            }
            #expect(ask == .token(.connecting))
            session.handle(.provided(id, .token(token)))
            session.receive("INFO {}\r\n")
            #expect(session.sentText.first?.contains("\"jwt\":\"\(token)\"") == true)
            session.receive("PONG\r\n")
            guard token == "first" else { break }
            session.receive("-ERR 'User Authentication Expired'\r\n")
            session.endLink(.closed(code: .policyViolation, reason: "Authentication Failure"))
            session.advanceToAttempt()
        }
        #expect(session.state == .open)
    }

    // MARK: The cluster

    private static func clustered(_ info: String, learns: Bool = true) -> TestSession {
        var session = connecting {
            $0.endpoints = ["ws://n1:80/"]
            $0.learnsEndpoints = learns
        }
        session.greet(text: "INFO \(info)\r\n")
        session.receive("PONG\r\n")
        return session
    }

    @Test("a node that is lost is followed at once by one that it named")
    func learns() {
        var session = Self.clustered("{\"connect_urls\":[\"n1:80\",\"n2:81\"]}")
        session.receive("INFO {\"connect_urls\":[\"n1:80\",\"n3:82\"]}\r\n")
        var tried: [String?] = []
        for count in 0..<4 {
            session.cut()
            #expect(session.state == (count == 0 ? .connecting : .reconnecting))
            session.advanceToAttempt()
            tried.append(session.engine.endpoint)
        }
        #expect(tried == ["ws://n3:82/", "ws://n1:80/", "ws://n3:82/", "ws://n1:80/"])
    }

    @Test("nodes are not learned where that is turned off")
    func learnsNothing() {
        var session = Self.clustered("{\"connect_urls\":[\"n1:80\",\"n2:81\"]}", learns: false)
        for _ in 0..<3 {
            session.cut()
            session.advanceToAttempt()
            #expect(session.engine.endpoint ?? "ws://n1:80/" == "ws://n1:80/")
        }
    }

    @Test(
        "a server that is about to stop is left within 5 s: what was said is answered first, and what waits goes to another"
    )
    func leaves() {
        var session = Self.clustered("{\"connect_urls\":[\"n2:81\"]}")
        session.subscribe("a")
        session.receive("PONG\r\n")
        let said = session.submit(.publish(channel: "b", data: 1, excludeSender: false))
        let leaving = "INFO {\"ldm\":true,\"connect_urls\":[\"n2:81\"]}\r\n"
        session.receive(leaving + leaving)
        #expect(session.state == .open)
        session.advance(by: .seconds(5))
        #expect(session.state == .open && session.sentText == ["PING\r\n"])
        let waiting = session.submit(.publish(channel: "b", data: 2, excludeSender: false))
        #expect(session.sentText == [] && session.isPending(waiting))
        session.receive("PONG\r\nPONG\r\n")
        #expect(session.answer(to: said) == .published(PublishReceipt(acknowledgement: .accepted)))
        #expect(session.state == .connecting && session.engine.endpoint == "ws://n2:81/")
        #expect(session.effects.contains { if case .closeLink(_, .normal, _) = $0 { true } else { false } })
        session.greet(text: "INFO {}\r\n")
        session.receive("PONG\r\n")
        #expect(session.sentText == ["SUB a 1\r\nPING\r\n", "PUB b 1\r\n2\r\nPING\r\n"])
        #expect(session.isPending(waiting))
    }

    @Test("a server that is about to stop and answers nothing is left after 5 s more")
    func leavesSilent() {
        var session = Self.clustered("{\"connect_urls\":[\"n2:81\"],\"ldm\":true}")
        let said = session.submit(.publish(channel: "b", data: 1, excludeSender: false))
        session.advance(by: .seconds(10))
        #expect(session.state == .connecting && session.engine.endpoint == "ws://n2:81/")
        #expect(session.error(of: said)?.outcome == .unknown)
    }
}
