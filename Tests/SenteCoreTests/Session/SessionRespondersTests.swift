// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Session: services that end")
struct SessionRespondersTests {
    private static func request(_ id: String) -> IncomingRequest {
        IncomingRequest(id: id, channel: "svc", data: .null)
    }

    /// A session that serves "svc" and works on a request of each id.
    private static func serving(_ ids: String...) -> (TestSession, InboxID) {
        var session = TestSession.opened()
        let inbox = session.newInbox()
        session.handle(.command(.respond(channel: "svc", inbox, limit: 16)))
        session.confirm("svc")
        for id in ids { session.receive(.request(request(id))) }
        return (session, inbox)
    }

    private static func drain(_ session: inout TestSession, _ inbox: InboxID) -> CallID {
        let call = session.newCall()
        session.handle(.command(.drain(call, inbox)))
        return call
    }

    private static func answer(_ session: inout TestSession, _ id: String, _ inbox: InboxID) {
        session.handle(.command(.answer(inbox, requestID: id, data: .null, isError: false)))
    }

    @Test("A drained service takes no more, hands out what it took, and is over when its answers are written")
    func drains() {
        var (session, inbox) = Self.serving("r1", "r2")
        let call = Self.drain(&session, inbox)
        #expect(session.sent == [.unsubscribe(channel: "svc")])
        session.receive(.request(Self.request("r3")))
        #expect(session.effects == [.record(.ignored(.unservedRequest))])
        #expect(session.take(inbox).count == 2)
        Self.answer(&session, "r1", inbox)
        session.flush()
        #expect(session.isPending(call))
        Self.answer(&session, "r2", inbox)
        #expect(session.isPending(call))
        session.flush()
        #expect(session.answer(to: call) == .done)
        #expect(session.effects.contains(.finish(inbox)))
    }

    @Test("A service with nothing to do is over at once, and so is one that is gone")
    func isIdle() {
        var (session, inbox) = Self.serving()
        let first = Self.drain(&session, inbox)
        #expect(session.answer(to: first) == .done)
        let second = Self.drain(&session, inbox)
        #expect(session.answer(to: second) == .done)
    }

    @Test("A lost link ends what was to be written, and with it the waiting")
    func linkIsLost() {
        var (session, inbox) = Self.serving("r1")
        let call = Self.drain(&session, inbox)
        Self.answer(&session, "r1", inbox)
        #expect(session.isPending(call))
        session.cut()
        #expect(session.answer(to: call) == .done)
    }

    @Test("A handler that finishes after disconnect() ends the waiting too")
    func isDisconnected() {
        var (session, inbox) = Self.serving("r1")
        let call = Self.drain(&session, inbox)
        session.disconnect()
        #expect(session.isPending(call))
        Self.answer(&session, "r1", inbox)
        #expect(session.answer(to: call) == .done)
    }

    @Test("A cancelled wait leaves the service ending")
    func isCancelled() {
        var (session, inbox) = Self.serving("r1")
        let call = Self.drain(&session, inbox)
        session.handle(.command(.cancel(call)))
        #expect(session.error(of: call)?.code == .cancelled)
        Self.answer(&session, "r1", inbox)
        #expect(session.sent.count == 1)
    }

    @Test("All services finish before a disconnect, within its limit, and their wishes stay")
    func drainsAll() {
        var (session, inbox) = Self.serving("r1")
        let call = session.newCall()
        session.handle(.command(.drainAll(call, limit: .seconds(5))))
        #expect(session.sent == [.unsubscribe(channel: "svc")])
        session.receive(.request(Self.request("r2")))
        #expect(session.effects == [.record(.ignored(.unservedRequest))])
        Self.answer(&session, "r1", inbox)
        session.flush()
        #expect(session.answer(to: call) == .done)
        // Not before the link is gone.
        session.receive(.request(Self.request("r3")))
        #expect(session.effects == [.record(.ignored(.unservedRequest))])
        session.disconnect()
        session.handle(.closed(session.link, .closed(code: .normal, reason: "")))
        session.connect()
        session.handle(.opened(session.link))
        session.greet()
        #expect(session.sent == [.subscribe(channel: "svc")])
        session.receive(.request(Self.request("r4")))
        #expect(session.take(inbox).count == 2)
    }

    @Test("The limit of a disconnect ends the waiting for its services, and so does another disconnect")
    func limitPasses() {
        var (session, _) = Self.serving("r1")
        let (first, second) = (session.newCall(), session.newCall())
        session.handle(.command(.drainAll(first, limit: .seconds(5))))
        session.advance(by: .seconds(4))
        #expect(session.isPending(first))
        session.advance(by: .seconds(1))
        #expect(session.answer(to: first) == .done)
        session.handle(.command(.drainAll(second, limit: .seconds(5))))
        session.disconnect()
        #expect(session.answer(to: second) == .done)
    }

    @Test("Where nothing can be answered any more nothing is waited for")
    func isClosed() {
        var (session, _) = Self.serving("r1")
        session.disconnect()
        let call = session.newCall()
        session.handle(.command(.drainAll(call, limit: .seconds(5))))
        #expect(session.answer(to: call) == .done)
    }
}
