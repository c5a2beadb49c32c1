// SPDX-License-Identifier: Apache-2.0

import SenteBase
package import SenteWire

extension Signal {
    /// The signal that a record holds.
    package init(_ record: SignalRecord) {
        self.init(
            time: record.time, level: record.level, kind: record.kind, namespace: String(record.namespace),
            id: record.id.map { id in (id.namespace.map { String($0) + "/" } ?? "") + String(id.name) },
            message: record.message.map { String($0) }, data: ValueMap(record.data),
            error: record.error.map {
                SignalError(
                    type: String($0.type), message: String($0.message), code: $0.code.map { String($0) })
            },
            context: ValueMap(record.context), trace: record.trace,
            duration: record.durationNanoseconds.map { .nanoseconds($0) },
            file: record.file.map { String($0) }, line: record.line, sequence: record.sequence)
    }

    /// Calls with the signal as a record, which is good during the call.
    @discardableResult
    package func withRecord<R>(origin: UInt16 = 0, _ body: (SignalRecord) throws -> R) rethrows -> R {
        try withUnsafeTemporaryAllocation(byteCount: 1_024, alignment: 8) { space in
            var fields = SignalFields(in: UnsafeMutableRawBufferPointer(space), level: level, kind: kind)
            fields.setOrigin(origin)
            write(into: &fields)
            return try body(fields.finish(at: time))
        }
    }

    package func write(into fields: inout SignalFields) {
        fields.setNamespace(namespace)
        if let id { fields.setWholeID(id) }
        if let file { fields.setFile(file) }
        if let line { fields.setLine(line) }
        fields.setSequence(sequence)
        if let message { fields.setMessage(message) }
        if let error { fields.setError(error) }
        if let duration { fields.setDuration(nanoseconds: duration.wholeNanoseconds) }
        if let trace { fields.setTrace(trace) }
        for (key, value) in context { fields.setContext(key.fieldName, value) }
        for (key, value) in data { fields.setData(key.fieldName, value) }
    }
}

extension SignalRecord.Content {
    /// The value itself.
    package var value: Value {
        switch self {
        case .null: .null
        case .integer(let integer): .integer(integer)
        case .double(let double): .double(double)
        case .bool(let bool): .bool(bool)
        case .text(let text): .string(String(text))
        case .keyword(let text): .keyword(Keyword(exactly: text))
        case .edn(let text):
            (try? WireFormat.edn.decode(UnsafeRawBufferPointer(text))) ?? .string(String(text))
        }
    }
}

extension ValueMap {
    fileprivate init(_ fields: SignalRecord.KeyedFields) {
        self.init(fields.map { (.keyword(Keyword(exactly: $0.key)), $0.value.value) })
    }
}

extension Keyword {
    /// One that begins with a colon keeps it.
    fileprivate init(exactly text: SignalRecord.Text) {
        self.init((text.first == UInt8(ascii: ":") ? ":" : "") + String(text))
    }
}

extension String {
    fileprivate init(_ text: SignalRecord.Text) {
        self.init(decoding: text, as: UTF8.self)
    }
}
