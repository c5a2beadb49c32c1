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
    private var second = Second()

    /// More room than this is given back when it is emptied.
    private static let usualRoom = 1 << 18

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

    /// Writes one record's line.
    package mutating func write(_ record: SignalRecord) {
        let fields = LineFields(record)
        switch format {
        case .json: writeJSON(record, fields)
        case .edn: writeEDN(record, fields)
        case .text: writeText(record, fields)
        case .telemereLite: writeTelemereLite(record, fields)
        }
        sink.append(UInt8(ascii: "\n"))
    }

    /// Writes what a call site's signals have in common, around what they have not.
    @inline(__always)
    mutating func around(
        _ record: SignalRecord, head: (inout LineSink) -> Void, tail: (inout LineSink) -> Void,
        _ body: (inout LineSink) -> Void
    ) {
        guard let site = CallSite(record) else {
            head(&sink)
            body(&sink)
            tail(&sink)
            return
        }
        if sites.parts(of: site) == nil { learn(site, head: head, tail: tail) }
        guard let parts = sites.parts(of: site) else { return }
        sink.append(parts.head)
        body(&sink)
        sink.append(parts.tail)
    }

    private mutating func learn(
        _ site: CallSite, head: (inout LineSink) -> Void, tail: (inout LineSink) -> Void
    ) {
        var space = LineSink(capacity: 256)
        head(&space)
        let headCount = space.count
        tail(&space)
        let written = space.written
        sites.keep(
            CallSiteCache.Parts(
                head: LineSink.Text(rebasing: written[..<headCount]),
                tail: LineSink.Text(rebasing: written[headCount...])), of: site)
    }

    /// `2026-11-29T10:00:00.000`, without the zone.
    @inline(__always)
    mutating func append(time: Int64) {
        let (quotient, remainder) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
        let isBefore1970 = remainder < 0
        second.become(isBefore1970 ? quotient - 1 : quotient)
        second.withText { sink.append($0) }
        sink.append(threeDigits: (isBefore1970 ? remainder + 1_000_000_000 : remainder) / 1_000_000)
    }
}

/// A second's text, which most lines have in common with the one before.
private struct Second {
    /// Seconds since 1970; nanoseconds do not reach as far as the first value.
    private var number: Int64 = .min
    /// The 20 bytes of `2026-11-29T10:00:00.`.
    private var text = (UInt64(0), UInt64(0), UInt32(0))

    @inline(__always)
    mutating func become(_ number: Int64) {
        if number != self.number { change(to: number) }
    }

    private mutating func change(to number: Int64) {
        self.number = number
        let description = Timestamp(milliseconds: number * 1000).description
        withUnsafeMutableBytes(of: &text) { $0.copyBytes(from: description.utf8.prefix(20)) }
    }

    @inline(__always)
    func withText(_ body: (LineSink.Text) -> Void) {
        withUnsafeBytes(of: text) {
            body(LineSink.Text(rebasing: $0.bindMemory(to: UInt8.self)[..<20]))
        }
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
