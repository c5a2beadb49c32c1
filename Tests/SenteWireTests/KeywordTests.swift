// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Keywords and symbols")
struct KeywordTests {
    @Test(
        "part at the first slash",
        arguments: [
            ("chsk/handshake", "chsk", "handshake"), ("a", nil, "a"), ("a/b/c", "a", "b/c"), ("/", nil, "/"),
            ("a.b/c-d?", "a.b", "c-d?"), ("", nil, ""),
        ] as [(String, String?, String)])
    func parts(text: String, namespace: String?, name: String) {
        let keyword = Keyword(text)
        #expect(keyword.namespace == namespace && keyword.name == name && keyword.text == text)
        #expect(Symbol(text).namespace == namespace && Symbol(text).name == name)
        #expect(Keyword(namespace: namespace, name: name) == keyword)
        #expect(keyword.description == ":" + text && Symbol(text).description == text)
    }

    @Test("take a leading colon for what it is")
    func colon() {
        #expect(":chsk/ping" as Keyword == "chsk/ping")
    }

    @Test("of the same look but other bytes differ")
    func exact() {
        #expect(Keyword("é") != Keyword("e\u{301}"))
        #expect(Set([Keyword("é"), Keyword("e\u{301}"), Keyword("é")]).count == 2)
    }

    @Test(
        "are valid if a Clojure reader reads them back",
        arguments: [
            ("a", true, true), ("ns/name", true, true), ("a.b.c/d*+!-_'?<>=", true, true), ("1", true, false),
            ("a/1", false, false), ("-1", true, false), ("+", true, true), ("nil", true, false),
            ("true", true, false),
            ("", false, false), ("/", true, true), ("a/", false, false), ("a b", false, false),
            ("a\"", false, false),
            ("a(b", false, false), ("a,b", false, false), ("a;b", false, false), (":a", true, false),
            ("a:", false, false),
            ("a::b", false, false), ("a\u{2028}b", false, false), ("grüße/東京", true, true),
            ("a/b/c", true, true), ("a//b", true, true), ("a//", true, true), ("a:/b", false, false),
            ("#a", true, false), ("'a", true, true), (".5", true, true), ("a@b", false, false),
        ] as [(String, Bool, Bool)])
    func validity(text: String, asKeyword: Bool, asSymbol: Bool) {
        #expect(Keyword(text).isValid == asKeyword)
        #expect(Symbol(text).isValid == asSymbol)
        #expect((try? Keyword(text).validated()) == (asKeyword ? Keyword(text) : nil))
        #expect((try? Symbol(text).validated()) == (asSymbol ? Symbol(text) : nil))
    }
}
