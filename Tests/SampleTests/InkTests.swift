// SPDX-License-Identifier: Apache-2.0

import SampleTerminal
import Testing

@Suite("Ink")
struct InkTests {
    @Test(
        "Colours are for a terminal that has them, whose owner did not refuse them",
        arguments: [
            (true, [:], true), (false, [:], false), (true, ["NO_COLOR": "1"], false),
            (true, ["NO_COLOR": ""], true), (true, ["TERM": "dumb"], false),
            (true, ["TERM": "xterm"], true),
        ] as [(Bool, [String: String], Bool)])
    func colours(isTerminal: Bool, environment: [String: String], areWanted: Bool) {
        let ink = Ink(isTerminal: isTerminal, environment: environment)
        #expect(ink("yes", .green) == (areWanted ? "\u{1B}[32myes\u{1B}[0m" : "yes"))
    }

    @Test("Two styles are one sequence, and nothing is no sequence")
    func styles() {
        let ink = Ink(hasColors: true)
        #expect(ink("x", .bold, .cyan) == "\u{1B}[1;36mx\u{1B}[0m")
        #expect(ink("", .red) == "")
    }

    @Test("What a terminal would obey is shown instead")
    func printable() {
        #expect("a\u{1B}[31m\u{9B}\u{202E}\nb".printable == "a·[31m···b")
    }
}
