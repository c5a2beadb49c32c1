// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

@Suite("Recent identifiers")
struct RecentIDsTests {
    @Test("An id is new once")
    func once() {
        var ids = RecentIDs()
        #expect(ids.insert("a") == nil)
        #expect(ids.insert("a") != nil)
        #expect(ids.insert("b") == nil)
    }

    @Test("An id that comes again has the place it came at last")
    func places() {
        var ids = RecentIDs()
        _ = ids.insert("a")
        _ = ids.insert("b")
        #expect(ids.insert("a") == 1)
        #expect(ids.insert("a") == 3)
        #expect(ids.insert("b") == 2)
        #expect(ids.count == 5)
    }

    @Test("Ids of other bytes are other ids, also where Unicode takes them for the same text")
    func bytes() {
        var ids = RecentIDs()
        #expect(ids.insert("caf\u{e9}") == nil)
        #expect(ids.insert("cafe\u{301}") == nil)
        #expect(ids.insert("cafe\u{301}") != nil)
    }

    @Test("The oldest id is forgotten first, and no earlier than the limit says")
    func bounded() {
        var ids = RecentIDs(limit: 3)
        for id in ["a", "b", "c"] { #expect(ids.insert(id) == nil) }
        #expect(ids.insert("a") != nil)
        #expect(ids.insert("d") == nil)
        #expect(ids.insert("a") == nil)
        #expect(ids.insert("c") != nil)
    }

    @Test(
        "An id that comes again with quite another time is another message: the server started anew",
        arguments: [
            (nil, nil, false), (nil, 5, false), (5, nil, false), (5, 5, false), (0, 1_000, false),
            (0, 1_001, true), (1_001, 0, true), (Int64.min, Int64.max, true),
        ] as [(Int64?, Int64?, Bool)])
    func times(first: Int64?, second: Int64?, isNew: Bool) {
        var ids = RecentIDs()
        #expect(ids.insert("1", time: first) == nil)
        #expect((ids.insert("1", time: second) == nil) == isNew)
    }
}
