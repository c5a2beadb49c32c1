// SPDX-License-Identifier: Apache-2.0

/// What a signal is in Apple's unified log, which has levels of its own and keeps the time itself.
package struct UnifiedLogEntry: Equatable, Sendable {
    /// The log's levels, by the names of `os.OSLogType`.
    package enum Level: CaseIterable, Sendable {
        /// Only seen while somebody watches.
        case debug
        /// Kept in memory, and written when something fails.
        case info
        /// Written to disk, as those that follow.
        case `default`
        case error
        case fault
    }

    /// The log cuts a text of a little over 1,000 bytes.
    private static let maximumBytes = 1_000

    package let level: Level
    package let text: String

    /// The line for people without its time and level, cut where a character ends; `writer` writes text and is empty.
    package init(_ record: SignalRecord, by writer: inout LineWriter) {
        level = Level(record.level)
        writer.write(record)
        let line = writer.written.drop { $0 != UInt8(ascii: "[") }.dropLast()
        text = String(decoding: Self.beginning(of: line), as: UTF8.self)
        writer.removeAll()
    }

    private static func beginning(
        of line: Slice<UnsafeBufferPointer<UInt8>>
    ) -> Slice<UnsafeBufferPointer<UInt8>> {
        guard line.count > maximumBytes else { return line }
        var end = line.startIndex + maximumBytes
        while line[end] & 0xC0 == 0x80 { end -= 1 }
        return line[..<end]
    }
}

extension UnifiedLogEntry.Level {
    /// A report is of interest whether things went well or not: it is kept like a warning, and is no fault.
    package init(_ level: SignalLevel) {
        switch level {
        case ..<SignalLevel.info: self = .debug
        case ..<SignalLevel.warn: self = .info
        case ..<SignalLevel.error: self = .default
        case ..<SignalLevel.fatal: self = .error
        case ..<SignalLevel.report: self = .fault
        default: self = .default
        }
    }
}
