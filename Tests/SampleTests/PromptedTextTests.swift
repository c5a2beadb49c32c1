// SPDX-License-Identifier: Apache-2.0

import SampleTerminal
import Testing

/// A terminal of a few rows that knows the sequences in use, and nothing else.
private struct Terminal {
    private(set) var rows = [""]
    private var row = 0
    private var column = 0
    private var saved = (row: 0, column: 0)

    /// What stands there, without the blank rows at the end.
    var text: [String] { Array(rows.reversed().drop(while: \.isEmpty).reversed()) }

    mutating func take(_ bytes: String) {
        var rest = Substring(bytes)
        while let character = rest.popFirst() {
            switch character {
            case "\r": column = 0
            case "\n": moveDown()
            case "\u{1B}": obey(&rest)
            default:
                let line = rows[row].padding(toLength: column)
                rows[row] =
                    String(line.prefix(column)) + String(character) + String(line.dropFirst(column + 1))
                column += 1
            }
        }
    }

    private mutating func moveDown() {
        row += 1
        column = 0
        if row == rows.count { rows.append("") }
    }

    private mutating func obey(_ rest: inout Substring) {
        switch rest.popFirst() {
        case "7": saved = (row, column)
        case "8": (row, column) = saved
        case "[":
            let parameter = rest.prefix { $0.isNumber || $0 == ";" }
            rest = rest.dropFirst(parameter.count)
            switch rest.popFirst() {
            case "A": row -= Int(parameter) ?? 1
            case "K": rows[row] = String(rows[row].prefix(column))
            case "J":
                rows[row] = String(rows[row].prefix(column))
                rows.removeSubrange((row + 1)...)
            case let other: Issue.record("The terminal does not know [\(other.map { "\($0)" } ?? "").")
            }
        case let other: Issue.record("The terminal does not know \(other.map { "\($0)" } ?? "").")
        }
    }
}

extension String {
    fileprivate func padding(toLength length: Int) -> String {
        self + String(repeating: " ", count: max(0, length - count))
    }
}

@Suite("Lines above a notice and a prompt")
struct PromptedTextTests {
    private var text = PromptedText(prompt: "›", ink: Ink(hasColors: false))
    private var terminal = Terminal()

    @Test("Lines come above the prompt, once it is there")
    mutating func lines() {
        terminal.take(text.show("zero"))
        #expect(terminal.text == ["zero"])
        terminal.take(text.begin())
        terminal.take(text.show("one"))
        terminal.take(text.show("two\nthree"))
        #expect(terminal.text == ["zero", "one", "two", "three", "› "])
    }

    @Test("A notice counts down in its row, and leaves alone what is being typed")
    mutating func countdown() {
        terminal.take(text.begin())
        terminal.take(text.show(notice: "retrying in 2 s", columns: 80))
        terminal.take("half a li")
        terminal.take(text.show(notice: "retrying in 1 s", columns: 80))
        #expect(terminal.text == ["retrying in 1 s", "› half a li"])
        terminal.take("ne")
        #expect(terminal.text == ["retrying in 1 s", "› half a line"])
        terminal.take(text.show(notice: nil, columns: 80))
        terminal.take(text.show("connected"))
        #expect(terminal.text == ["connected", "› "])
    }

    @Test("A notice that says the same writes nothing, and a long one is cut")
    mutating func notices() {
        terminal.take(text.begin())
        terminal.take(text.show(notice: "retrying", columns: 5))
        #expect(terminal.text == ["retr", "› "])
        #expect(text.show(notice: "retrying", columns: 5) == "")
    }

    @Test(
        "A typed line stays above or is taken back, with a notice and without", arguments: [true, false],
        [true, false])
    mutating func typed(stays: Bool, hasNotice: Bool) {
        terminal.take(text.begin())
        terminal.take(text.show("before"))
        if hasNotice { terminal.take(text.show(notice: "connecting", columns: 80)) }
        terminal.take("publish a\n")
        terminal.take(text.typed("publish a", stays: stays, columns: 80))
        terminal.take(text.show("after"))
        #expect(
            terminal.text == ["before"] + (stays ? ["› publish a"] : []) + ["after"]
                + (hasNotice ? ["connecting"] : []) + ["› "])
    }

    @Test("At the end neither is left")
    mutating func end() {
        terminal.take(text.begin())
        terminal.take(text.show("one"))
        terminal.take(text.show(notice: "connecting", columns: 80))
        terminal.take(text.end())
        #expect(terminal.text == ["one"])
    }
}
