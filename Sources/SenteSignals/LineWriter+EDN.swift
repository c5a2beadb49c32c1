// SPDX-License-Identifier: Apache-2.0

import SenteWire

extension LineWriter {
    mutating func writeEDN(_ record: SignalRecord) {
        let fields = LineFields(record)
        sink.append("{:time #inst \"")
        append(time: record.time)
        sink.append("-00:00\"")
        if record.sequence > 0 {
            sink.append(", :seq ")
            sink.append(record.sequence)
        }
        around(record) { sink in
            sink.append(", :level ")
            sink.append(level: record.level)
            sink.append(", :kind :")
            sink.append(text: record.kind.rawValue)
            sink.append(", :ns ")
            sink.append(quoted: record.namespace)
            if let id = record.id {
                sink.append(", :id ")
                sink.append(keyword: id)
            }
        } tail: { sink in
            if let file = record.file {
                sink.append(", :file ")
                sink.append(quoted: file)
            }
            if let line = record.line {
                sink.append(", :line ")
                sink.append(Int64(line))
            }
        } _: { sink in
            sink.append(bodyOf: record, fields)
        }
        sink.append(UInt8(ascii: "}"))
    }

    /// As the documents of sente-lite show it.
    mutating func writeText(_ record: SignalRecord) {
        let fields = LineFields(record)
        append(time: record.time)
        sink.append("Z ")
        let hasColors = self.hasColors
        around(record) { sink in
            if hasColors { sink.append(colorOf: record.level) }
            sink.append(text: record.level.name.uppercased())
            if hasColors { sink.append("\u{1B}[0m") }
            sink.append(" [")
            if let id = record.id {
                sink.append(id)
            } else {
                sink.append(safe: record.namespace)
            }
            sink.append(UInt8(ascii: "]"))
        } tail: { _ in
        } _: { sink in
            if let message = fields.message {
                sink.append(" - ")
                sink.append(safe: message)
            }
            sink.append(linesOf: record, fields)
        }
    }
}

/// A map under its line, indented and broken between entries before the right margin.
private struct EntryLines {
    private static let margin = 72
    private var isEmpty = true
    private var column = 0

    @inline(__always)
    mutating func append(to sink: inout LineSink, _ entry: (inout LineSink) -> Void) {
        if isEmpty {
            sink.append("\n  {")
            column = 3
        } else {
            sink.append(UInt8(ascii: ","))
            column += 1
        }
        let start = sink.count
        if !isEmpty { sink.append(UInt8(ascii: " ")) }
        entry(&sink)
        column += sink.columns(since: start)
        // One more column is the comma's or the brace's.
        if !isEmpty, column + 1 > Self.margin {
            sink.insert("\n  ", at: start)
            column = 2 + sink.columns(since: start + 3)
        }
        isEmpty = false
    }

    func end(in sink: inout LineSink) {
        if !isEmpty { sink.append(UInt8(ascii: "}")) }
    }
}

extension LineSink {
    /// What differs from signal to signal, in an EDN line.
    @inline(__always)
    fileprivate mutating func append(bodyOf record: SignalRecord, _ fields: LineFields) {
        if let message = fields.message {
            append(", :msg ")
            append(quoted: message)
        }
        if fields.hasData {
            append(", :data ")
            append(map: fields.data)
        }
        if fields.hasError {
            append(", ")
            append(errorOf: fields)
        }
        if let duration = fields.durationNanoseconds {
            append(", ")
            append(durationMilliseconds: duration)
        }
        if fields.hasContext {
            append(", :ctx ")
            append(map: fields.context)
        }
        if fields.hasTrace, let trace = record.trace {
            append(", ")
            append(trace)
        }
    }

    /// What stands under a line for people.
    @inline(__always)
    fileprivate mutating func append(linesOf record: SignalRecord, _ fields: LineFields) {
        var lines = EntryLines()
        if fields.hasData {
            for field in fields.data { lines.append(to: &self) { $0.append(entry: field) } }
        }
        if fields.hasError { lines.append(to: &self) { $0.append(errorOf: fields) } }
        if let duration = fields.durationNanoseconds {
            lines.append(to: &self) { $0.append(durationMilliseconds: duration) }
        }
        if fields.hasContext {
            lines.append(to: &self) {
                $0.append(":ctx ")
                $0.append(map: fields.context)
            }
        }
        if fields.hasTrace, let trace = record.trace { lines.append(to: &self) { $0.append(trace) } }
        lines.end(in: &self)
    }

    /// Begins a terminal's colour: the more it matters, the warmer.
    fileprivate mutating func append(colorOf level: SignalLevel) {
        switch level {
        case ..<SignalLevel.info: append("\u{1B}[2m")
        case ..<SignalLevel.warn: append("\u{1B}[32m")
        case ..<SignalLevel.error: append("\u{1B}[33m")
        case ..<SignalLevel.report: append("\u{1B}[1;31m")
        default: append("\u{1B}[36m")
        }
    }

    fileprivate mutating func append(level: SignalLevel) {
        if SignalLevel.named.contains(level) {
            append(UInt8(ascii: ":"))
            append(text: level.name)
        } else {
            append(Int64(level.rawValue))
        }
    }

    fileprivate mutating func append(_ id: SignalRecord.ID) {
        if let namespace = id.namespace {
            append(safe: namespace)
            append(UInt8(ascii: "/"))
        }
        append(safe: id.name)
    }

    fileprivate mutating func append(keyword id: SignalRecord.ID) {
        let start = count
        if let namespace = id.namespace {
            append(namespace)
            append(UInt8(ascii: "/"))
        }
        append(id.name)
        let text = String(decoding: written[start...], as: UTF8.self)
        removeLast(count - start)
        append(keyword: text)
    }

    fileprivate mutating func append(errorOf fields: LineFields) {
        append(":error {:type ")
        if let type = fields.errorType { append(quoted: type) }
        if let message = fields.errorMessage {
            append(", :message ")
            append(quoted: message)
        }
        if let code = fields.errorCode {
            append(", :code ")
            append(quoted: code)
        }
        append(UInt8(ascii: "}"))
    }

    fileprivate mutating func append(durationMilliseconds nanoseconds: Int64) {
        append(":duration-ms ")
        append(Double(nanoseconds) / 1e6)
    }

    fileprivate mutating func append(_ trace: TraceContext) {
        append(":trace ")
        append(quoted: trace.traceparent)
    }

    fileprivate mutating func append(map fields: SignalRecord.KeyedFields) {
        append(UInt8(ascii: "{"))
        var isFirst = true
        for field in fields {
            if !isFirst { append(", ") }
            isFirst = false
            append(entry: field)
        }
        append(UInt8(ascii: "}"))
    }

    @inline(__always)
    fileprivate mutating func append(entry field: SignalRecord.Field) {
        append(keyword: field.key)
        append(UInt8(ascii: " "))
        switch field.value {
        case .null: append("nil")
        case .integer(let integer): append(integer)
        case .double(let double): append(edn: double)
        case .bool(let bool): bool ? append("true") : append("false")
        case .text(let text): append(quoted: text)
        case .keyword(let text): append(keyword: text)
        case .edn(let text): append(edn: text)
        }
    }

    /// Writes EDN; as a string where it could not stay what it is, since a name in it holds what must be escaped.
    private mutating func append(edn text: Text) {
        let start = count
        append(safe: text)
        let safe = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(written)[start...])
        guard safe.count != text.count else { return }
        let original = try? WireFormat.edn.decode(UnsafeRawBufferPointer(text))
        if original != nil, original == (try? WireFormat.edn.decode(safe)) { return }
        removeLast(count - start)
        append(quoted: text)
    }

    private mutating func append(edn double: Double) {
        if double.isFinite { return append(double) }
        append(text: double.isNaN ? "##NaN" : double < 0 ? "##-Inf" : "##Inf")
    }

    /// Writes a keyword, or a string where EDN has no keyword of that name.
    @inline(__always)
    private mutating func append(keyword name: Text) {
        guard Self.isPlainName(name) else { return append(keyword: String(decoding: name, as: UTF8.self)) }
        append(UInt8(ascii: ":"))
        append(name)
    }

    private mutating func append(keyword name: String) {
        // A name that says one thing and shows another is quoted too.
        let isSafe = name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        guard isSafe, Keyword(":" + name).isValid else { return append(quoted: name) }
        append(UInt8(ascii: ":"))
        append(text: name)
    }

    /// Whether a name is surely a keyword's: a letter, then letters, digits, `-`, `_`, `?` and `!`.
    @inline(__always)
    private static func isPlainName(_ name: Text) -> Bool {
        guard let first = name.first, (first | 0x20) &- 0x61 < 26 else { return false }
        return name.allSatisfy { byte in
            (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "!")
        }
    }
}
