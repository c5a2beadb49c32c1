// SPDX-License-Identifier: Apache-2.0

import SenteBase
package import SenteWire

/// Envelopes as flow words: a word and its fields, which the dialect spells.
extension Envelope {
    package var word: FlowWord {
        switch self {
        case .compressed: .compressed
        case .start: .chunkStart
        case .part: .chunk
        case .end: .chunkEnd
        case .abort: .chunkAbort
        }
    }

    /// The word's fields, by name.
    ///
    /// Bytes are base64, unless the format writes bytes.
    package func fields(writesBytes: Bool) -> [(name: String, value: Value)] {
        func data(_ bytes: ArraySlice<UInt8>) -> (String, Value) {
            ("data", writesBytes ? .bytes(Array(bytes)) : .string(Base64.text(Array(bytes))))
        }
        switch self {
        case .compressed(let algorithm, let bytes):
            return [
                ("compressed", true), ("compression-algorithm", .string(algorithm.rawValue)), data(bytes),
            ]
        case .start(let start):
            var fields = [
                Self.name(start.number), ("total-chunks", Self.value(start.chunks)),
                ("total-size", Self.value(start.size)),
            ]
            if let algorithm = start.algorithm {
                fields.append(("compression-algorithm", .string(algorithm.rawValue)))
            }
            return fields
        case .part(let part):
            return [Self.name(part.number), ("chunk-index", Self.value(part.index)), data(part.bytes)]
        case .end(let number), .abort(let number): return [Self.name(number)]
        }
    }

    private static func name(_ number: UInt64) -> (name: String, value: Value) {
        ("message-id", value(number))
    }

    private static func value(_ number: UInt64) -> Value { .integer(Int64(clamping: number)) }

    /// What a flow word says; nil when it is the word of no envelope.
    package static func read(word: FlowWord, fields: ValueMap) throws(FlowViolation) -> Envelope? {
        let reading = FieldReading(word: word, fields: fields)
        switch word {
        case .compressed:
            guard let algorithm = try reading.algorithm() else {
                throw reading.violation("compression-algorithm")
            }
            return .compressed(algorithm, try reading.data())
        case .chunkStart:
            return .start(
                ChunkStart(
                    number: try reading.number("message-id"), chunks: try reading.number("total-chunks"),
                    size: try reading.number("total-size"), algorithm: try reading.algorithm()))
        case .chunk:
            return .part(
                ChunkPart(
                    number: try reading.number("message-id"), index: try reading.number("chunk-index"),
                    bytes: try reading.data()))
        case .chunkEnd: return .end(try reading.number("message-id"))
        case .chunkAbort: return .abort(try reading.number("message-id"))
        default: return nil
        }
    }

    /// The fields of one word, by what they are to be.
    private struct FieldReading {
        let word: FlowWord
        let fields: ValueMap

        func violation(_ field: String) -> FlowViolation {
            FlowViolation(
                .protocolError,
                "It sent `\(word.type)` with a `\(field)` that it cannot have, or with none.")
        }

        func number(_ name: String) throws(FlowViolation) -> UInt64 {
            guard let number = fields.value(named: name)?.integerValue.flatMap(UInt64.init(exactly:)) else {
                throw violation(name)
            }
            return number
        }

        func data() throws(FlowViolation) -> ArraySlice<UInt8> {
            switch fields.value(named: "data") {
            case .bytes(let bytes)?: return bytes[...]
            case .string(let text)?:
                if let bytes = Base64.bytes(text) { return bytes[...] }
            default: break
            }
            throw violation("data")
        }

        /// None when the field is not there.
        func algorithm() throws(FlowViolation) -> MessageCompression.Algorithm? {
            guard let field = fields.value(named: "compression-algorithm"), !field.isNull else { return nil }
            let name = field.stringValue ?? field.keywordValue?.text
            guard let algorithm = name.flatMap(MessageCompression.Algorithm.init(rawValue:)) else {
                throw violation("compression-algorithm")
            }
            return algorithm
        }
    }
}
