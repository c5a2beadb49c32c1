// SPDX-License-Identifier: Apache-2.0

/// Text of a command line as what it stands for.
package enum Reading {
    /// A number of seconds, fractions allowed; about 30 years at most.
    package static func seconds(_ text: String) throws(UsageError) -> Duration {
        guard let seconds = Double(text), (0...1e9).contains(seconds) else {
            throw UsageError("“\(text)” is no number of seconds: write one such as 5 or 0.25.")
        }
        return .seconds(seconds)
    }

    /// Seconds, or nil for `off`.
    package static func secondsOrOff(_ text: String) throws(UsageError) -> Duration? {
        text == "off" ? nil : try seconds(text)
    }

    package static func count(
        _ text: String, _ range: ClosedRange<Int> = 0...(1 << 40)
    ) throws(UsageError) -> Int {
        guard let count = Int(text), range.contains(count) else {
            throw UsageError(
                "“\(text)” does not fit: write a whole number from \(range.lowerBound) to \(range.upperBound)."
            )
        }
        return count
    }

    package static func number(_ text: String, _ range: ClosedRange<Double>) throws(UsageError) -> Double {
        guard let number = Double(text), range.contains(number) else {
            throw UsageError(
                "“\(text)” does not fit: write a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    package static func choice<Choice: RawRepresentable & CaseIterable>(
        _ text: String, of type: Choice.Type
    ) throws(UsageError) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: text) else {
            throw UsageError("“\(text)” is none of \(names(of: type)).")
        }
        return choice
    }

    /// `a, b, c`, for messages and help.
    package static func names<Choice: RawRepresentable & CaseIterable>(of type: Choice.Type) -> String
    where Choice.RawValue == String {
        type.allCases.map(\.rawValue).joined(separator: ", ")
    }

    /// `NAME=VALUE`; the value may hold more equal signs.
    package static func pair(_ text: String) throws(UsageError) -> (name: String, value: String) {
        guard let place = text.firstIndex(of: "="), place > text.startIndex else {
            throw UsageError("“\(text)” has no name: write NAME=VALUE.")
        }
        return (String(text[..<place]), String(text[text.index(after: place)...]))
    }

    /// The start of a text, for messages.
    package static func excerpt(_ text: String) -> String {
        text.count > 60 ? text.prefix(60) + "…" : text
    }
}
