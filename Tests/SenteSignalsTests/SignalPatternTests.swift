// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import Testing

@Suite("Patterns of names")
struct SignalPatternTests {
    @Test(
        "they mean names as Telemere's do, and a dot is a dot",
        arguments: [
            ("foo", ["foo"], ["foo.bar", "fo", "Foo", ""]),
            ("*", ["", "foo", "foo.bar/baz"], []),
            ("foo.*", ["foo.bar", "foo.bar.baz", "foo."], ["foo", "foobar", "xfoo.bar"]),
            ("foo(.*)", ["foo", "foo.bar", "foo.bar.baz"], ["foobar", "fo", "foo(.*)"]),
            ("(.*)", ["", ".x"], ["x"]),
            ("a.c", ["a.c"], ["abc", "a.cd"]),
            ("*/ping-*", ["x/ping-", "a.b/ping-sent"], ["ping-sent", "a/pong-sent"]),
            ("*ab", ["ab", "aab", "abab"], ["aba", "b"]),
            ("a*b*c", ["abc", "aXbXc", "abcbc"], ["abX", "acb"]),
            ("ä.*", ["ä.ö"], ["a.ö", "ä"]),
            ("[a-z]+", ["[a-z]+"], ["abc"]),
            ("", [""], ["a"]),
        ] as [(SignalPattern, [String], [String])])
    func table(pattern: SignalPattern, means: [String], not: [String]) {
        for name in means { #expect(pattern.matches(name), "\(name)") }
        for name in not { #expect(!pattern.matches(name), "\(name)") }
    }

    /// As the definition reads, and as slowly.
    private static func means(_ pattern: Substring, _ name: Substring) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        if first == "*" {
            return name.indices.contains { means(pattern.dropFirst(), name[$0...]) }
                || means(pattern.dropFirst(), "")
        }
        return name.first == first && means(pattern.dropFirst(), name.dropFirst())
    }

    @Test("random patterns mean what their definition says")
    func oracle() {
        var generator = Generator(seed: 1)
        func text(_ letters: String, _ maximum: Int) -> String {
            String(
                (0..<Int.random(in: 0...maximum, using: &generator)).map { _ in
                    letters.randomElement(using: &generator) ?? "a"
                })
        }
        for _ in 0..<20_000 {
            let (pattern, name) = (text("ab.*", 6), text("ab.", 8))
            let isTree = Bool.random(using: &generator)
            let expected =
                Self.means(pattern[...], name[...])
                || isTree && Self.means((pattern + ".*")[...], name[...])
            #expect(
                SignalPattern(isTree ? pattern + "(.*)" : pattern).matches(name) == expected,
                "\(pattern) \(isTree) \(name)")
        }
    }
}
