// SPDX-License-Identifier: Apache-2.0

/// A point in civil time (`#inst`): milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
public struct Timestamp: Hashable, Sendable {
    /// Whole milliseconds since 1970; before it, negative and rounded down.
    public let milliseconds: Int64
    /// Nanoseconds to add to the milliseconds: 0…999,999.
    public let nanoseconds: UInt32

    /// Makes a point in time; nanoseconds beyond 999,999 are cut to it.
    public init(milliseconds: Int64, nanoseconds: UInt32 = 0) {
        self.milliseconds = milliseconds
        self.nanoseconds = min(nanoseconds, 999_999)
    }
}

extension Timestamp: Comparable {
    /// Whether `left` is earlier.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.milliseconds, left.nanoseconds) < (right.milliseconds, right.nanoseconds)
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with three, six or nine decimals: `2026-11-21T10:00:00.000Z`.
    public var description: String {
        let day: Int64 = 86_400_000
        let days = milliseconds >= 0 ? milliseconds / day : -((-(milliseconds + 1)) / day) - 1
        // The first day of the range begins before the range does.
        let rest = Int(milliseconds &- days &* day)
        let (year, month, dayOfMonth) = Self.civil(days)
        let sign = (0...9999).contains(year) ? "" : year < 0 ? "-" : "+"
        let date =
            "\(sign)\(year.magnitude.digits(atLeast: 4))-\(month.digits(atLeast: 2))-\(dayOfMonth.digits(atLeast: 2))"
        let hour = (rest / 3_600_000).digits(atLeast: 2)
        let minute = (rest / 60_000 % 60).digits(atLeast: 2)
        let second = (rest / 1000 % 60).digits(atLeast: 2)
        var fraction = (rest % 1000).digits(atLeast: 3)
        if nanoseconds > 0 {
            let isWhole = nanoseconds % 1000 == 0
            fraction += isWhole ? (nanoseconds / 1000).digits(atLeast: 3) : nanoseconds.digits(atLeast: 6)
        }
        return "\(date)T\(hour):\(minute):\(second).\(fraction)Z"
    }

    /// Days since 1970 to a date of the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible
    /// low-level date algorithms").
    private static func civil(_ days: Int64) -> (year: Int64, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, Int(month), Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))
    }

    /// The inverse of `civil`.
    private static func days(year: Int64, month: Int, day: Int) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

extension Timestamp {
    /// Reads RFC 3339 (`2026-11-21T10:00:00Z`); nil for anything else.
    ///
    /// Any number of decimals is read and nine are kept; offsets are as `+01:00`. A second of 60 counts as the next minute's first.
    public init?(_ text: String) {
        self.init(text, mayBePartial: false)
    }

    /// Reads RFC 3339, of which every field behind the year may be missing if it may be partial, as under Clojure's
    /// `#inst`: then months and days are 1, all else 0.
    init?(_ text: String, mayBePartial: Bool) {
        var reader = Digits(bytes: Array(text.utf8))
        guard let year = reader.number(4) else { return nil }
        var fields = [1, 1, 0, 0, 0]
        var fieldCount = 0
        while fieldCount < 5, reader.skipSeparator(before: fieldCount) {
            guard let field = reader.number(2) else { return nil }
            fields[fieldCount] = field
            fieldCount += 1
        }
        guard fieldCount == 5 || mayBePartial, let fraction = fieldCount == 5 ? reader.fraction() : 0,
            let offset = reader.isAtEnd && mayBePartial ? 0 : reader.offsetMinutes(), reader.isAtEnd
        else { return nil }
        let (month, day, hour, minute, second) = (fields[0], fields[1], fields[2], fields[3], fields[4])
        guard (1...12).contains(month), hour < 24, minute < 60, second <= 60,
            (1...Self.lastDay(of: month, in: year)).contains(day)
        else { return nil }
        let days = Self.days(year: Int64(year), month: month, day: day)
        let minutes = (Int64(days) * 24 + Int64(hour)) * 60 + Int64(minute - offset)
        self.init(
            milliseconds: (minutes * 60 + Int64(second)) * 1000 + Int64(fraction / 1_000_000),
            nanoseconds: UInt32(fraction % 1_000_000))
    }

    private static func lastDay(of month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Reads the fixed fields of a date, left to right.
    private struct Digits {
        let bytes: [UInt8]
        var position = 0

        var isAtEnd: Bool { position == bytes.count }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard position < bytes.count, UInt32(bytes[position]) == character.value else { return false }
            position += 1
            return true
        }

        /// What parts the year, month, day, hour, minute and second from the next.
        mutating func skipSeparator(before field: Int) -> Bool {
            switch field {
            case 0, 1: skip("-")
            case 2: skip("T") || skip("t") || skip(" ")
            default: skip(":")
            }
        }

        mutating func digit() -> Int? {
            guard position < bytes.count, (48...57).contains(bytes[position]) else { return nil }
            position += 1
            return Int(bytes[position - 1]) - 48
        }

        mutating func number(_ count: Int) -> Int? {
            var number = 0
            for _ in 0..<count {
                guard let digit = digit() else { return nil }
                number = number * 10 + digit
            }
            return number
        }

        /// Nanoseconds; 0 if there is no point, nil if there is nothing after it.
        mutating func fraction() -> Int? {
            guard skip(".") else { return 0 }
            guard var nanoseconds = digit() else { return nil }
            var count = 1
            while let next = digit() {
                if count < 9 { nanoseconds = nanoseconds * 10 + next }
                count += 1
            }
            while count < 9 {
                nanoseconds *= 10
                count += 1
            }
            return nanoseconds
        }

        mutating func offsetMinutes() -> Int? {
            if skip("Z") || skip("z") { return 0 }
            let isWest = skip("-")
            guard isWest || skip("+"), let hours = number(2), skip(":"), let minutes = number(2), hours < 24,
                minutes < 60
            else { return nil }
            return (hours * 60 + minutes) * (isWest ? -1 : 1)
        }
    }
}
