// SPDX-License-Identifier: Apache-2.0

import SenteWire

extension LineWriter {
    mutating func writeJSON(_ record: SignalRecord) {
        if let parts = knownParts(of: record) { return writeJSON(record, parts) }
        let fields = LineFields(record)
        sink.append("{\"time\":\"")
        append(time: record.time)
        sink.append("Z\"")
        if record.sequence > 0 {
            sink.append(",\"seq\":")
            sink.append(record.sequence)
        }
        around(record) { sink in
            sink.append(",\"level\":")
            sink.append(level: record.level)
            sink.append(",\"kind\":")
            sink.append(quoted: record.kind.rawValue)
            sink.append(",\"ns\":")
            sink.append(quoted: record.namespace)
            if let id = record.id {
                sink.append(",\"id\":")
                sink.append(quoted: id)
            }
        } tail: { sink in
            if let file = record.file {
                sink.append(",\"file\":")
                sink.append(quoted: file)
            }
            if let line = record.line {
                sink.append(",\"line\":")
                sink.append(Int64(line))
            }
        } key: { sink, key in
            sink.append(quoted: key)
            sink.append(UInt8(ascii: ":"))
        } _: { sink in
            sink.append(bodyOf: record, fields)
        }
        sink.append(UInt8(ascii: "}"))
    }

    /// Writes the same of a record of which all but the values is known, with one pen.
    @inline(__always)
    private mutating func writeJSON(_ record: SignalRecord, _ parts: CallSiteCache.Parts) {
        let time = text(of: record.time)
        let ownRoom = TimeTexts.room + LinePen.numberRoom + 32
        sink.write(atMost: ownRoom + parts.room + LinePen.room(valuesOf: record)) { pen in
            pen.write("{\"time\":\"")
            pen.write(time: time)
            pen.write("Z\"")
            if record.sequence > 0 {
                pen.write(",\"seq\":")
                pen.write(number: record.sequence)
            }
            pen.write(parts.head)
            if parts.keys.count > 0 {
                pen.write(",\"data\":")
                var (index, before) = (0, UInt8(ascii: "{"))
                for field in record.fieldsBehindHead {
                    pen.write(before)
                    pen.write(parts.keys[index])
                    pen.write(json: field.value)
                    (index, before) = (index &+ 1, UInt8(ascii: ","))
                }
                pen.write(UInt8(ascii: "}"))
            }
            pen.write(parts.tail)
            pen.write(UInt8(ascii: "}"))
        }
    }

    /// As telemere-lite's file handler writes what its `log!` made.
    mutating func writeTelemereLite(_ record: SignalRecord) {
        let fields = LineFields(record)
        sink.append("{\"timestamp\":\"")
        append(time: record.time)
        sink.append("Z\"")
        around(record) { sink in
            sink.append(",\"level\":")
            sink.append(level: record.level)
            sink.append(",\"ns\":")
            sink.append(quoted: record.namespace)
        } tail: { sink in
            sink.append(locationOf: record)
            if let id = record.id {
                sink.append(",\"event-id\":")
                sink.append(quoted: id)
            }
        } _: { sink in
            sink.append(messageOf: record, fields)
        }
        if fields.hasContext {
            sink.append(",\"context\":{")
            sink.append(entries: fields.context)
            sink.append(UInt8(ascii: "}"))
        }
        sink.append(UInt8(ascii: "}"))
    }
}

extension LineSink {
    /// What differs from signal to signal, in a JSON line.
    @inline(__always)
    fileprivate mutating func append(bodyOf record: SignalRecord, _ fields: LineFields) {
        if let message = fields.message {
            append(",\"msg\":")
            append(quoted: message)
        }
        if fields.hasData {
            append(",\"data\":{")
            append(entries: fields.data)
            append(UInt8(ascii: "}"))
        }
        if fields.hasError {
            append(",\"error\":")
            append(errorOf: fields)
        }
        if let duration = fields.durationNanoseconds {
            append(",\"duration-ms\":")
            append(Double(duration) / 1e6)
        }
        if fields.hasContext {
            append(",\"ctx\":{")
            append(entries: fields.context)
            append(UInt8(ascii: "}"))
        }
        if fields.hasTrace, let trace = record.trace {
            append(",\"trace\":")
            append(quoted: trace.traceparent)
        }
    }

    /// Begins telemere-lite's `msg`: the text, and the data as far as the location.
    fileprivate mutating func append(messageOf record: SignalRecord, _ fields: LineFields) {
        append(",\"msg\":[")
        if let message = fields.message {
            append(quoted: message)
        } else if let id = record.id {
            append(quoted: id)
        } else {
            append("\"\"")
        }
        append(",{")
        if fields.hasData {
            append(entries: fields.data)
            append(UInt8(ascii: ","))
        }
        if fields.hasError {
            append("\"error\":")
            append(errorOf: fields)
            append(UInt8(ascii: ","))
        }
        if let duration = fields.durationNanoseconds {
            append("\"duration-ms\":")
            append(Double(duration) / 1e6)
            append(UInt8(ascii: ","))
        }
    }

    /// Ends telemere-lite's `msg`.
    fileprivate mutating func append(locationOf record: SignalRecord) {
        append("\"location\":{")
        if let file = record.file {
            append("\"file\":")
            append(quoted: file)
            append(UInt8(ascii: ","))
        }
        if let line = record.line {
            append("\"line\":")
            append(Int64(line))
            append(UInt8(ascii: ","))
        }
        append("\"ns\":")
        append(quoted: record.namespace)
        append("}}]")
    }

    /// A level's name, or its number.
    fileprivate mutating func append(level: SignalLevel) {
        if SignalLevel.named.contains(level) {
            append(quoted: level.name)
        } else {
            append(Int64(level.rawValue))
        }
    }

    fileprivate mutating func append(quoted id: SignalRecord.ID) {
        append(UInt8(ascii: "\""))
        append(id)
        append(UInt8(ascii: "\""))
    }

    fileprivate mutating func append(_ id: SignalRecord.ID) {
        if let namespace = id.namespace {
            append(safe: namespace, quotes: true)
            append(UInt8(ascii: "/"))
        }
        append(safe: id.name, quotes: true)
    }

    fileprivate mutating func append(errorOf fields: LineFields) {
        append("{\"type\":")
        if let type = fields.errorType { append(quoted: type) }
        if let message = fields.errorMessage {
            append(",\"message\":")
            append(quoted: message)
        }
        if let code = fields.errorCode {
            append(",\"code\":")
            append(quoted: code)
        }
        append(UInt8(ascii: "}"))
    }

    fileprivate mutating func append(entries fields: SignalRecord.KeyedFields) {
        var isFirst = true
        for field in fields {
            let (key, value) = (field.key, field.value)
            write(atMost: LinePen.room(quoted: key.count) + value.room) { pen in
                if !isFirst { pen.write(UInt8(ascii: ",")) }
                pen.write(quoted: key)
                pen.write(UInt8(ascii: ":"))
                pen.write(json: value)
            }
            if case .edn(let text) = value { append(jsonOfEDN: text) }
            isFirst = false
        }
    }

    private static let json = WireFormat.json(JSONOptions(keys: .scalars, nonFinite: .text), named: "line")

    /// Writes what EDN says, or its text where JSON cannot say it.
    private mutating func append(jsonOfEDN text: Text) {
        guard let value = try? WireFormat.edn.decode(UnsafeRawBufferPointer(text)),
            let json = try? Self.json.encode(value)
        else { return append(quoted: text) }
        // Characters to be escaped can only stand in strings here.
        json.withUnsafeBufferPointer { append(safe: $0) }
    }
}

extension SignalRecord.Content {
    /// What it takes at most as JSON; nothing for EDN, of which that is not known.
    @inline(__always)
    fileprivate var room: Int {
        switch self {
        case .text(let text), .keyword(let text): LinePen.room(quoted: text.count)
        default: LinePen.numberRoom
        }
    }
}

extension LinePen {
    /// What the values of a record take at most that stand in it: 6 bytes for each of a text, which has 16 of its own at least.
    @inline(__always)
    fileprivate static func room(valuesOf record: SignalRecord) -> Int { 6 * record.size }

    /// Writes a value, but for EDN.
    @inline(__always)
    fileprivate mutating func write(json value: SignalRecord.Content) {
        switch value {
        case .null: write("null")
        case .integer(let integer): write(number: integer)
        case .double(let double): write(json: double)
        case .bool(let bool): bool ? write("true") : write("false")
        case .text(let text), .keyword(let text): write(quoted: text)
        case .edn: break
        }
    }

    private mutating func write(json double: Double) {
        guard !double.isFinite else { return write(double) }
        var text = double.description
        text.withUTF8 { write(quoted: $0) }
    }
}
