// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Wishes")
struct SubscriptionsTests {
    private static let no = SenteError(.rejected, "No.")
    private static let now = Instant(nanoseconds: 5)

    @Test("Wishes keep the order of wishing, also after some went")
    func order() {
        var wishes = Subscriptions()
        for channel: WireName in ["c", "a", "b", "a"] { _ = wishes.wish(channel, scope: nil) }
        #expect(wishes.wished == ["c", "a", "b"])
        _ = wishes.remove("a")
        _ = wishes.wish("a", scope: nil)
        #expect(wishes.wished == ["c", "b", "a"])
    }

    @Test("A wish is written once on a link, and again on the next")
    func written() throws {
        var wishes = Subscriptions()
        #expect(wishes.wish("a", scope: nil) == true)
        let wasWritten = wishes.written("a")
        let number = try #require(wasWritten)
        #expect(wishes.wish("a", scope: nil) == false)
        #expect(wishes.answered("a", number: number, rejection: nil, at: Self.now)?.waiters == [])
        #expect(wishes.status(of: "a")?.isConfirmed == true)
        #expect(wishes.statuses.values.filter(\.status.isConfirmed).count == 1)
        let ended = wishes.linkEnded(heardAt: Self.now)
        #expect(ended.changed == ["a"])
        #expect(wishes.status(of: "a")?.isConfirmed == false)
        #expect(wishes.wish("a", scope: nil) == true)
    }

    @Test("An answer to an earlier wish for the same channel confirms nothing")
    func oldAnswer() throws {
        var wishes = Subscriptions()
        _ = wishes.wish("a", scope: nil)
        let wasWritten = wishes.written("a")
        let old = try #require(wasWritten)
        _ = wishes.remove("a")
        _ = wishes.wish("a", scope: nil)
        #expect(wishes.answered("a", number: old, rejection: nil, at: Self.now) == nil)
        #expect(wishes.status(of: "a")?.isConfirmed == false)
    }

    @Test("A rejected wish rests until it is asked for again, and then keeps its place")
    func rejection() throws {
        var wishes = Subscriptions()
        _ = wishes.wish("a", scope: nil)
        _ = wishes.wish("b", scope: nil)
        wishes.addWaiter(CallID(7), "a")
        let wasWritten = wishes.written("a")
        let number = try #require(wasWritten)
        #expect(
            wishes.answered("a", number: number, rejection: Self.no, at: Self.now)?.waiters == [CallID(7)])
        #expect(wishes.wished == ["b"])
        #expect(wishes.linkEnded(heardAt: Self.now).changed == [])
        #expect(wishes.status(of: "a")?.rejection == Self.no)
        #expect(wishes.wish("a", scope: nil) == true)
        #expect(wishes.status(of: "a")?.rejection == nil)
        #expect(wishes.wished == ["a", "b"])
        #expect(wishes.answered("a", number: number, rejection: nil, at: Self.now) == nil)
    }

    @Test("A wish ends with its last holder: claims and scopes are counted apart")
    func holders() {
        var wishes = Subscriptions()
        _ = wishes.wish("a", scope: nil)
        _ = wishes.wish("a", scope: InboxID(1))
        _ = wishes.wish("a", scope: InboxID(2))
        #expect(wishes.release(scope: InboxID(1)) == nil)
        #expect(wishes.release(scope: InboxID(1)) == nil)
        #expect(wishes.release("a") == false)
        #expect(wishes.release("a") == false)
        #expect(wishes.release(scope: InboxID(2)) == "a")
    }

    @Test("The scopes of a wish that was removed hold no later wish")
    func removedScopes() {
        var wishes = Subscriptions()
        _ = wishes.wish("a", scope: InboxID(1))
        _ = wishes.remove("a")
        _ = wishes.wish("a", scope: nil)
        #expect(wishes.release(scope: InboxID(1)) == nil)
        #expect(wishes.wished == ["a"])
    }

    @Test(
        "What was confirmed, and was lost by a link or by the server's word, tells when once it is confirmed again"
    )
    func lost() throws {
        var wishes = Subscriptions()
        _ = wishes.wish("a", scope: nil)
        func confirm(_ wishes: inout Subscriptions, rejection: SenteError? = nil) throws -> Instant? {
            let wasWritten = wishes.written("a")
            let number = try #require(wasWritten)
            return wishes.answered("a", number: number, rejection: rejection, at: Self.now)?.lostAt
        }
        #expect(try confirm(&wishes) == nil)
        _ = wishes.linkEnded(heardAt: Instant(nanoseconds: 3))
        _ = wishes.linkEnded(heardAt: Instant(nanoseconds: 4))
        #expect(try confirm(&wishes) == Instant(nanoseconds: 3))
        #expect(try confirm(&wishes) == nil)
        #expect(try confirm(&wishes, rejection: Self.no) == nil)
        _ = wishes.wish("a", scope: nil)
        #expect(try confirm(&wishes) == Self.now)
        _ = wishes.linkEnded(heardAt: Self.now)
        _ = wishes.remove("a")
        _ = wishes.wish("a", scope: nil)
        #expect(try confirm(&wishes) == nil)
    }

    @Test("What the server will not answer may be asked again on the same link")
    func lapsed() throws {
        var wishes = Subscriptions()
        _ = wishes.wish("a", scope: nil)
        let wasWritten = wishes.written("a")
        let number = try #require(wasWritten)
        wishes.lapsed("a", number: number + 1)
        #expect(wishes.wish("a", scope: nil) == false)
        wishes.lapsed("a", number: number)
        #expect(wishes.wish("a", scope: nil) == true)
    }

    @Test("At a link's end every waiting call is given back, in the order of wishing")
    func waiters() {
        var wishes = Subscriptions()
        for channel: WireName in ["b", "a"] { _ = wishes.wish(channel, scope: nil) }
        wishes.addWaiter(CallID(1), "a")
        wishes.addWaiter(CallID(2), "b")
        wishes.addWaiter(CallID(3), "b")
        wishes.removeWaiter(CallID(2), "b")
        let waiters = wishes.linkEnded(heardAt: Self.now).waiters
        #expect(waiters.map(\.0) == [CallID(3), CallID(1)])
        #expect(waiters.map(\.1) == ["b", "a"])
        #expect(wishes.linkEnded(heardAt: Self.now).waiters.isEmpty)
    }
}
