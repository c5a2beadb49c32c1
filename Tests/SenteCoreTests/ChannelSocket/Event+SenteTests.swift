// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire
import Testing

@Suite("Events in Sente's form")
struct EventSenteTests {
    @Test("one or two elements make an event")
    func valid() throws {
        #expect(try Event(validating: [.keyword("chat/say")]) == Event("chat/say"))
        #expect(try Event(validating: [.keyword("chat/say"), ["a": 1]]) == Event("chat/say", ["a": 1]))
    }

    @Test(
        "anything else is refused with what is wrong",
        arguments: [
            (.string("chat/say"), "no vector"), ([], "0 elements"),
            ([.keyword("a/b"), 1, 2], "3 elements"), (["a/b", 1], "no keyword"),
            ([.keyword("say"), 1], "a namespace"), ([.keyword("a b/c")], "a namespace"),
        ] as [(Value, String)])
    func invalid(value: Value, reason: String) {
        do throws(SenteError) {
            _ = try Event(validating: value)
            Issue.record("\(value) is taken for an event.")
        } catch {
            #expect(error.code == .invalidArgument)
            #expect(error.message.contains(reason))
            #expect(error.outcome == .notSent)
        }
    }
}
