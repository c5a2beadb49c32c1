// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Session: requests that can be followed")
struct SessionRequestSignalsTests {
    /// What was recorded of requests.
    private static func told(_ session: TestSession) -> [SessionSignal] {
        session.signals.filter {
            switch $0 {
            case .requestSent, .requestEnded, .responseSent: true
            default: false
            }
        }
    }

    private static func ask(_ session: inout TestSession, limit: Duration = .seconds(10)) -> CallID {
        session.submit(.request(channel: "s", data: .null, limit: 10), limit: limit)
    }

    @Test("A request has its server's name from the naming to the answer, and its time from when it left")
    func answered() {
        var session = TestSession.opened()
        _ = Self.ask(&session)
        session.advance(by: .milliseconds(3))
        session.reply(.request, "s", .forwarded(requestID: "r1", deliveredTo: 2))
        session.advance(by: .milliseconds(9))
        session.receive(.reply(.id(.answer, "r1"), .answered(.null)))
        #expect(
            Self.told(session) == [
                .requestSent(id: "r1", channel: "s", deliveredTo: 2, remaining: .milliseconds(9_997)),
                .requestEnded(id: "r1", .milliseconds(12)),
            ])
    }

    @Test("An answer that overtakes its naming, or a request that goes to nobody, has both in their order")
    func early() {
        var session = TestSession.opened()
        _ = Self.ask(&session)
        session.receive(.reply(.id(.answer, "r1"), .answered(.null)))
        session.reply(.request, "s", .forwarded(requestID: "r1", deliveredTo: nil))
        _ = Self.ask(&session)
        session.reply(.request, "s", .forwarded(requestID: "r2", deliveredTo: 0))
        #expect(
            Self.told(session) == [
                .requestSent(id: "r1", channel: "s", deliveredTo: nil, remaining: .seconds(10)),
                .requestEnded(id: "r1", .zero),
                .requestSent(id: "r2", channel: "s", deliveredTo: 0, remaining: .seconds(10)),
                .requestEnded(id: "r2", .zero, .noSubscribers),
            ])
    }

    @Test("One that runs out of time or loses its connection says so by its name, and once")
    func unanswered() {
        var session = TestSession.opened()
        _ = Self.ask(&session, limit: .seconds(1))
        session.reply(.request, "s", .forwarded(requestID: "r1", deliveredTo: 1))
        session.advance(by: .seconds(1))
        session.receive(.reply(.id(.answer, "r1"), .answered(.null)))
        _ = Self.ask(&session)
        session.reply(.request, "s", .forwarded(requestID: "r2", deliveredTo: 1))
        session.cut()
        #expect(
            Self.told(session).compactMap { signal in
                guard case .requestEnded(let id, _, let code, _) = signal else { return nil }
                return "\(id) \(code?.rawValue ?? "")"
            } == ["r1 timedOut", "r2 connectionLost"])
    }

    @Test("A request that the server never named is not told of: nobody could follow it")
    func unnamed() {
        var session = TestSession.opened()
        _ = Self.ask(&session, limit: .seconds(1))
        session.advance(by: .seconds(1))
        #expect(Self.told(session).isEmpty)
    }

    @Test("An answer of ours is told when it is handed to the link, with its requester's id")
    func responses() {
        var session = TestSession.opened()
        let inbox = session.newInbox()
        session.handle(.command(.respond(channel: "svc", inbox, limit: 16)))
        session.confirm("svc")
        session.receive(.request(IncomingRequest(id: "r1", channel: "svc", data: .null)))
        #expect(Self.told(session).isEmpty)
        session.handle(.command(.answer(inbox, requestID: "r1", data: .null, isError: true)))
        #expect(Self.told(session) == [.responseSent(requestID: "r1", isError: true)])
    }

    @Test("A request and an answer of a trace are told as parts of it, and none is kept beyond its call")
    func traced() throws {
        var session = TestSession.opened()
        let trace = try DialectCoderTraceTests.trace
        session.handle(
            .command(
                .submit(
                    session.newCall(),
                    Submission(
                        .request(channel: "s", data: .null, limit: 10), limit: .seconds(10),
                        awaits: .reply, trace: trace))))
        session.reply(.request, "s", .forwarded(requestID: "r1", deliveredTo: 1))
        session.receive(.reply(.id(.answer, "r1"), .answered(.null)))
        let inbox = session.newInbox()
        session.handle(.command(.respond(channel: "svc", inbox, limit: 16)))
        session.confirm("svc")
        session.receive(.request(IncomingRequest(id: "r2", channel: "svc", data: .null, trace: trace)))
        session.handle(
            .command(.answer(inbox, requestID: "r2", data: .null, isError: false, trace: trace)))
        #expect(
            Self.told(session) == [
                .requestSent(id: "r1", channel: "s", deliveredTo: 1, remaining: .seconds(10), trace),
                .requestEnded(id: "r1", .zero, nil, trace),
                .responseSent(requestID: "r2", isError: false, trace),
            ])
        #expect(
            Self.told(session).map { ClientSignal($0, at: session.now).trace } == [trace, trace, trace])
        // The next of both kinds belongs to none.
        _ = Self.ask(&session)
        session.reply(.request, "s", .forwarded(requestID: "r3", deliveredTo: 1))
        #expect(Self.told(session).last.map { ClientSignal($0, at: session.now).trace } == .some(nil))
    }

    @Test(
        "What names a trace that is none is counted, and delivered as ever; before the greeting it goes nowhere"
    )
    func mistraced() {
        var session = TestSession.opened()
        let inbox = session.listen()
        session.receive(.mistraced(.event(Event(id: "my/ev"))))
        #expect(session.ignored == [.malformedTrace])
        #expect(session.events(inbox) == [Event(id: "my/ev")])
        var early = TestSession()
        _ = early.connect()
        early.handle(.opened(early.link))
        early.receive(.mistraced(.event(Event(id: "my/ev"))))
        #expect(early.ignored == [.unheard])
    }

    @Test(
        "What nobody wants is not made: all of it, or an expiry alone",
        arguments: [(70, 0), (50, 1), (20, 4)])
    func floor(_ level: Int, _ count: Int) {
        var session = TestSession.opened()
        session.tell(from: level)
        _ = Self.ask(&session, limit: .seconds(1))
        session.reply(.request, "s", .forwarded(requestID: "r1", deliveredTo: 1))
        session.advance(by: .seconds(1))
        _ = Self.ask(&session)
        session.reply(.request, "s", .forwarded(requestID: "r2", deliveredTo: 0))
        #expect(Self.told(session).count == count)
    }
}
