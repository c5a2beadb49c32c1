// SPDX-License-Identifier: Apache-2.0

import SampleOptions
import Testing

@Suite("Options of the samples")
struct OptionTableTests {
    private struct Settings: Equatable {
        var isOn = false
        var texts: [String] = []
        var count = 0
    }

    private static var table: OptionTable<Settings> {
        OptionTable([
            .flag("on", "is on") { $0.isOn = true },
            .option("text", "TEXT", "what is said; repeatable") { $0.texts.append($1) },
            .option("count-of-what-is-to-be-counted", "N", "how many") {
                (settings, text) throws(UsageError) in
                settings.count = try Reading.count(text, 1...3)
            },
        ])
    }

    @Test("A value follows its option or stands behind an equal sign; what is no option is left over")
    func applied() throws {
        var settings = Settings()
        let others = try Self.table.apply(
            ["a", "--text", "--on", "--text=p=q=r", "--on", "-b", "--text="], to: &settings)
        #expect(others == ["a", "-b"])
        #expect(settings == Settings(isOn: true, texts: ["--on", "p=q=r", ""]))
    }

    @Test(
        "What does not fit is refused with its option's name and a sentence",
        arguments: [
            ("--none", "There is no option --none: --help lists those there are."),
            ("--on=1", "--on takes no value."), ("--text", "--text needs a value: --text TEXT."),
            (
                "--count-of-what-is-to-be-counted=4",
                "--count-of-what-is-to-be-counted: “4” does not fit: write a whole number from 1 to 3."
            ),
        ])
    func refused(argument: String, sentence: String) {
        var settings = Settings()
        #expect(throws: UsageError(sentence)) { try Self.table.apply([argument], to: &settings) }
    }

    @Test("The help has a line for each, what they do one below the other")
    func help() {
        #expect(
            Self.table.help == """
                  --on                              is on
                  --text TEXT                       what is said; repeatable
                  --count-of-what-is-to-be-counted N how many
                """)
    }

    @Test("Seconds go from none to 30 years")
    func seconds() throws {
        #expect(try Reading.seconds("0.25") == .milliseconds(250))
        #expect(try Reading.seconds("0") == .zero)
        #expect(try Reading.seconds("1e9") == .seconds(1_000_000_000))
        for text in ["-0.1", "1000000001", "nan", "inf", "", "1s"] {
            #expect(throws: UsageError.self) { try Reading.seconds(text) }
        }
    }
}
