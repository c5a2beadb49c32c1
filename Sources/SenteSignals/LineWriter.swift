// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// Writes records as lines, one after the other, from their bytes and without making anything in between.
///
/// Once it has seen a call site, and within a second, a line takes no allocation.
package struct LineWriter: ~Copyable {
    package let format: LineFormat
    /// Whether levels in the format for people are coloured as terminals understand it.
    let hasColors: Bool
    var sink: LineSink
    private var sites = CallSiteCache()
    private var times = TimeTexts()

    /// More room than this is given back when it is emptied.
    private static let usualRoom = 1 << 19

    package init(_ format: LineFormat, hasColors: Bool = false) {
        self.format = format
        self.hasColors = hasColors
        sink = LineSink(capacity: 1 << 10)
    }

    /// What was written since it was emptied.
    package var written: UnsafeBufferPointer<UInt8> { sink.written }
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(sink.written) }
    package var count: Int { sink.count }

    /// Takes away what was written first.
    package mutating func removeFirst(_ number: Int) {
        sink.removeFirst(number)
    }

    package mutating func removeAll() {
        sink.removeAll(keepingAtMost: Self.usualRoom)
    }

    /// Writes one record's line, and says how many bytes it has.
    @discardableResult
    package mutating func write(_ record: SignalRecord) -> Int {
        let start = sink.count
        switch format {
        case .json: writeJSON(record)
        case .edn: writeEDN(record)
        case .text: writeText(record)
        case .telemereLite: writeTelemereLite(record)
        }
        sink.append(UInt8(ascii: "\n"))
        return sink.count - start
    }

    /// Writes what a call site's signals have in common, around what they have not.
    @inline(__always)
    mutating func around(
        _ record: SignalRecord, head: (inout LineSink) -> Void, tail: (inout LineSink) -> Void,
        key: (inout LineSink, SignalRecord.Text) -> Void = { _, _ in }, _ body: (inout LineSink) -> Void
    ) {
        guard let site = CallSite(record) else {
            head(&sink)
            body(&sink)
            tail(&sink)
            return
        }
        let parts = sites.parts(of: site) ?? learn(site, record, head: head, tail: tail, key: key)
        sink.append(parts.head)
        body(&sink)
        sink.append(parts.tail)
    }

    /// The parts of a record's site, if they and the keys of its fields are known.
    @inline(__always)
    func knownParts(of record: SignalRecord) -> CallSiteCache.Parts? {
        guard let site = CallSite(record), let parts = sites.parts(of: site), parts.keys.areKeys(of: record)
        else { return nil }
        return parts
    }

    /// Keeps what was written of a site; `key` writes one key of its data.
    @inline(never)
    private mutating func learn(
        _ site: CallSite, _ record: SignalRecord, head: (inout LineSink) -> Void,
        tail: (inout LineSink) -> Void, key: (inout LineSink, SignalRecord.Text) -> Void
    ) -> CallSiteCache.Parts {
        var space = LineSink(capacity: 256)
        head(&space)
        var ends = [space.count]
        tail(&space)
        ends.append(space.count)
        let keys = record.lastingKeys
        for text in keys {
            key(&space, text)
            ends.append(space.count)
        }
        return sites.keep(space.written, ends: ends, keys: keys, of: site)
    }

    /// The text of a time, from which the next is made.
    @inline(__always)
    mutating func text(of time: Int64) -> TimeTexts.Text { times.text(of: time) }

    mutating func append(time: Int64) {
        let text = text(of: time)
        sink.write(atMost: TimeTexts.room) { $0.write(time: text) }
    }
}

/// The texts of times, of which most have their millisecond in common with the one before, and nearly all their second.
struct TimeTexts {
    /// `2026-11-29T10:00:00.000`, without the zone, in three words of which the last byte is none of it.
    struct Text {
        fileprivate var words: (UInt64, UInt64, UInt64)
    }

    /// What a time takes to be written.
    static let room = 24

    /// Where the millisecond begins that was written last, in nanoseconds since 1970.
    private var millisecond: Int64 = 0
    private var text = Text(words: (0, 0, 0))
    /// Seconds since 1970; nanoseconds do not reach as far as the first value.
    private var second: Int64 = .min
    /// The text of its beginning.
    private var start = Text(words: (0, 0, 0))

    @inline(__always)
    mutating func text(of time: Int64) -> Text {
        let isSame =
            time >= millisecond && UInt64(bitPattern: time &- millisecond) < 1_000_000 && second != .min
        if !isSame { begin(time) }
        return text
    }

    @inline(never)
    private mutating func begin(_ time: Int64) {
        var (second, rest) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
        if rest < 0 { (second, rest) = (second - 1, rest + 1_000_000_000) }
        if second != self.second { begin(second: second) }
        let milliseconds = UInt64(truncatingIfNeeded: rest / 1_000_000)
        let digits = milliseconds / 100 | (milliseconds / 10 % 10) << 8 | (milliseconds % 10) << 16
        text = start
        text.words.2 |= digits << 32
        let (millisecond, hasBegunBefore) = time.subtractingReportingOverflow(rest % 1_000_000)
        self.millisecond = millisecond
        // Of the first of all millisecond only the end can be said.
        if hasBegunBefore { self.second = .min }
    }

    private mutating func begin(second: Int64) {
        self.second = second
        let description = Timestamp(milliseconds: second * 1000).description
        withUnsafeMutableBytes(of: &start.words) { $0.copyBytes(from: description.utf8.prefix(23)) }
        start.words = (
            UInt64(littleEndian: start.words.0), UInt64(littleEndian: start.words.1),
            UInt64(littleEndian: start.words.2)
        )
    }
}

extension LinePen {
    @inline(__always)
    mutating func write(time text: TimeTexts.Text) {
        write(text.words.0)
        write(text.words.1)
        write(text.words.2, count: 7)
    }
}

/// What a record has beside its data, found in one pass.
struct LineFields {
    private let all: SignalRecord.Fields
    private(set) var message: SignalRecord.Text?
    private(set) var errorType: SignalRecord.Text?
    private(set) var errorMessage: SignalRecord.Text?
    private(set) var errorCode: SignalRecord.Text?
    private(set) var durationNanoseconds: Int64?
    private(set) var hasData = false
    private(set) var hasContext = false
    private(set) var hasTrace = false

    @inline(__always)
    init(_ record: SignalRecord) {
        all = record.fields
        guard record.hasMoreThanData else {
            hasData = all.hasAny
            return
        }
        for field in all {
            if field.isRole(.data) { hasData = true } else { note(field) }
        }
    }

    private mutating func note(_ field: SignalRecord.Field) {
        switch (field.role, field.value) {
        case (.context, _): hasContext = true
        case (.trace, _): hasTrace = true
        case (.message, .text(let text)): message = text
        case (.errorType, .text(let text)): errorType = text
        case (.errorMessage, .text(let text)): errorMessage = text
        case (.errorCode, .text(let text)): errorCode = text
        case (.duration, .integer(let nanoseconds)): durationNanoseconds = nanoseconds
        default: break
        }
    }

    var data: SignalRecord.KeyedFields { SignalRecord.KeyedFields(fields: all, role: .data) }
    var context: SignalRecord.KeyedFields { SignalRecord.KeyedFields(fields: all, role: .context) }
    var hasError: Bool { errorType != nil }
}
