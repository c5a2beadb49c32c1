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

    @Test("A drained service hands out what it took, and is over when its answers are written")
    func drains() {
        var (session, inbox) = Self.serving("r1", "r2")
        let call = Self.drain(&session, inbox)
        #expect(session.sent == [.unsubscribe(channel: "svc")])
        session.reply(.unsubscribe, "svc", .unsubscribed)
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

    @Test("What the server sends a service before it heard of its end is served: nobody else has it")
    func servesUntilConfirmed() {
        var (session, inbox) = Self.serving()
        let call = Self.drain(&session, inbox)
        #expect(session.isPending(call))
        session.receive(.request(Self.request("r1")))
        session.reply(.unsubscribe, "svc", .unsubscribed)
        #expect(session.isPending(call))
        #expect(session.take(inbox).count == 1)
        Self.answer(&session, "r1", inbox)
        session.flush()
        #expect(session.answer(to: call) == .done)
    }

    @Test("A service that follows one that ends is another, and gets what comes after")
    func followsAnother() {
        var (session, first) = Self.serving()
        let call = Self.drain(&session, first)
        let second = session.newInbox()
        session.handle(.command(.respond(channel: "svc", second, limit: 16)))
        session.receive(.request(Self.request("r1")))
        session.reply(.unsubscribe, "svc", .unsubscribed)
        session.receive(.request(Self.request("r2")))
        #expect(session.take(first).count == 1)
        #expect(session.take(second).count == 1)
        Self.answer(&session, "r1", first)
        session.flush()
        #expect(session.answer(to: call) == .done)
    }

    @Test("Of two services of a channel the one that is left serves at once, and the server is told nothing")
    func leavesAnother() {
        var (session, first) = Self.serving()
        let second = session.newInbox()
        session.handle(.command(.respond(channel: "svc", second, limit: 16)))
        let call = Self.drain(&session, first)
        #expect(session.sent == [])
        #expect(session.answer(to: call) == .done)
        session.receive(.request(Self.request("r1")))
        #expect(session.take(second).count == 1)
    }

    @Test("A server that does not confirm is waited for as long as for any answer, a lost one not at all")
    func isNotConfirmed() {
        var (session, inbox) = Self.serving()
        let silent = Self.drain(&session, inbox)
        session.advance(by: .seconds(9))
        #expect(session.isPending(silent))
        session.advance(by: .seconds(1))
        #expect(session.answer(to: silent) == .done)

        (session, inbox) = Self.serving()
        let gone = Self.drain(&session, inbox)
        session.cut()
        #expect(session.answer(to: gone) == .done)

        (session, inbox) = Self.serving()
        let refused = Self.drain(&session, inbox)
        session.reply(.unsubscribe, "svc", .refused(SenteError(.rejected, "No.")))
        #expect(session.answer(to: refused) == .done)
    }

    @Test("A service with nothing to do is over when the server knows, and one that is gone is over at once")
    func isIdle() {
        var (session, inbox) = Self.serving()
        let first = Self.drain(&session, inbox)
        session.reply(.unsubscribe, "svc", .unsubscribed)
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
        session.reply(.unsubscribe, "svc", .unsubscribed)
        Self.answer(&session, "r1", inbox)
        #expect(session.sent.count == 1)
        session.flush()
        #expect(session.effects.contains(.finish(inbox)))
    }

    @Test("All services finish before a disconnect, within its limit, and their wishes stay")
    func drainsAll() {
        var (session, inbox) = Self.serving("r1")
        let call = session.newCall()
        session.handle(.command(.drainAll(call, limit: .seconds(5))))
        #expect(session.sent == [.unsubscribe(channel: "svc")])
        session.receive(.request(Self.request("r2")))
        session.reply(.unsubscribe, "svc", .unsubscribed)
        session.receive(.request(Self.request("r3")))
        #expect(session.effects == [.record(.ignored(.unservedRequest))])
        #expect(session.take(inbox).count == 2)
        Self.answer(&session, "r1", inbox)
        session.flush()
        #expect(session.isPending(call))
        Self.answer(&session, "r2", inbox)
        session.flush()
        #expect(session.answer(to: call) == .done)
        // Not before the link is gone.
        session.receive(.request(Self.request("r4")))
        #expect(session.effects == [.record(.ignored(.unservedRequest))])
        session.disconnect()
        session.handle(.closed(session.link, .closed(code: .normal, reason: "")))
        session.connect()
        session.handle(.opened(session.link))
        session.greet()
        #expect(session.sent == [.subscribe(channel: "svc")])
        session.receive(.request(Self.request("r5")))
        #expect(session.take(inbox).count == 1)
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
