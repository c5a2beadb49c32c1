// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("The table of handlers")
struct HandlerTableTests {
    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    @Test(
        "an event concerns those of its id, those of all, and those that decide, in the order they were added"
    )
    func candidates() {
        var table = HandlerTable()
        let all = table.add(.all)
        let said = table.add(.id("chat/said"))
        let predicate = table.add(.predicate)
        _ = table.add(.id("chat/left"))
        let again = table.add(.id("chat/said"))
        #expect(table.candidates(for: "chat/said") == [all, said, predicate, again])
        #expect(table.candidates(for: "other/event") == [all, predicate])
        #expect(table.count == 5)
    }

    @Test("a handler of one event is claimed once, and is out before its closure starts")
    func claim() {
        var table = HandlerTable()
        let once = table.add(.id("a/b"), isOnce: true)
        let always = table.add(.id("a/b"))
        #expect(table.claim(once) == true)
        #expect(!table.contains(once))
        #expect(table.claim(once) == false)
        #expect(table.claim(always) == true)
        #expect(table.claim(always) == true)
        #expect(table.candidates(for: "a/b") == [always])
    }

    @Test("removing is told once, by id of the handler, by id of the event, and for all")
    func remove() {
        var table = HandlerTable()
        let first = table.add(.id("a/b"))
        let second = table.add(.id("a/b"))
        let other = table.add(.all)
        #expect(table.remove(first) == true)
        #expect(table.remove(first) == false)
        #expect(table.removeAll(of: "a/b") == [second])
        #expect(table.removeAll(of: "a/b") == [])
        #expect(table.removeAll() == [other])
        #expect(table.count == 0)
        #expect(table.candidates(for: "a/b") == [])
    }

    @Test("time takes out what is due, and nothing before")
    func time() {
        var table = HandlerTable()
        let late = table.add(.all, isOnce: true, deadline: at(9))
        let early = table.add(.id("a/b"), isOnce: true, deadline: at(3))
        _ = table.add(.predicate, isOnce: true)
        #expect(table.deadline == at(3))
        #expect(table.expire(at: at(2)) == [])
        #expect(table.expire(at: at(3)) == [early])
        #expect(table.deadline == at(9))
        #expect(table.expire(at: at(20)) == [late])
        #expect(table.deadline == nil)
        #expect(table.count == 1)
    }

    @Test("the end of a connection takes out those of one event, and leaves the others")
    func endOnce() {
        var table = HandlerTable()
        let once = table.add(.id("a/b"), isOnce: true, deadline: at(3))
        let always = table.add(.all)
        let other = table.add(.predicate, isOnce: true)
        #expect(table.endOnce() == [once, other])
        #expect(table.candidates(for: "a/b") == [always])
        #expect(table.expire(at: at(99)) == [])
    }
}
