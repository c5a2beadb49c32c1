// SPDX-License-Identifier: Apache-2.0

/// The time of the day (UTC) to the millisecond, as lines for people begin.
package struct TimeOfDay: CustomStringConvertible {
    private let milliseconds: Int64

    /// Of milliseconds since 1970.
    package init(milliseconds: Int64) {
        let day: Int64 = 86_400_000
        self.milliseconds = ((milliseconds % day) + day) % day
    }

    package var description: String {
        func digits(_ number: Int64, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let seconds = milliseconds / 1_000
        return digits(seconds / 3_600, 2) + ":" + digits(seconds / 60 % 60, 2) + ":" + digits(seconds % 60, 2)
            + "." + digits(milliseconds % 1_000, 3)
    }
}
