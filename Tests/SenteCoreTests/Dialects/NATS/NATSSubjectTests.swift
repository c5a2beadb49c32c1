// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

@Suite("The subjects of NATS")
struct NATSSubjectTests {
    private static func problem(_ channel: String, _ use: NATSSubject.Use) -> SenteError? {
        do throws(SenteError) {
            try NATSSubject.check(channel, for: use)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "plain names serve both ways",
        arguments: ["a", "a.b.c", "水.b", "$JS.API.x", "A-_/:b", String(repeating: "x", count: 1_024)])
    func plain(name: String) {
        #expect(Self.problem(name, .publishing) == nil)
        #expect(Self.problem(name, .subscribing) == nil)
    }

    @Test("wildcards are for subscribing alone", arguments: ["*", ">", "a.*", "a.>", "*.b.>", "a*", "x>y"])
    func wildcards(name: String) {
        #expect(Self.problem(name, .subscribing) == nil)
        #expect(Self.problem(name, .publishing)?.message.contains("subscribing alone") == true)
    }

    @Test(
        "no name becomes another argument or another operation",
        arguments: [
            "", " ", "a b", "a\tb", "a\r\nPUB x 0\r\n", "a\nb", "a\rb", "a\u{0}b", "a\u{7F}", "a..b", ".a",
            "a.", ".", "a.>.b",
            "_INBOX.x", "_INBOX.", String(repeating: "x", count: 1_025),
        ])
    func refused(name: String) {
        for use in [NATSSubject.Use.subscribing, .publishing] {
            let error = Self.problem(name, use)
            #expect(error?.code == .invalidArgument && error?.outcome == .notSent)
            #expect(error?.message.hasPrefix("`channel` ") == true)
        }
    }

    @Test("a group is a plain name")
    func groups() throws {
        try NATSSubject.check(group: "workers")
        for group in ["", "a b", "a\r\n", "*", "a.>"] {
            #expect(throws: SenteError.self) { try NATSSubject.check(group: group) }
        }
    }

    @Test("a domain is one part of a subject", arguments: ["", "a.b", "a b", "*", ">", "a\r\n"])
    func domains(name: String) throws {
        try NATSSubject.check(domain: "hub-1")
        let error = #expect(throws: SenteError.self) { try NATSSubject.check(domain: name) }
        #expect(error?.code == .invalidArgument && error?.message.contains("`nats.domain`") == true)
    }

    @Test(
        "an answer goes to no place that breaks its line",
        arguments: ["", "a b", "a\rb", "a\nb", String(repeating: "x", count: 2_049)])
    func replies(name: String) {
        #expect(!NATSSubject.isWritable(name))
        #expect(NATSSubject.isWritable("_INBOX.x.1"))
    }
}
