// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// Words about streams as fields of flow words, which the dialect spells.
extension StreamWord {
    /// The name of a stream in every word.
    private static let idField = "message-id"
    /// How many bytes that may have.
    static let ids = 1...256
    /// The only checksum there is.
    private static let sha256 = "sha256"
    private static let sha256Bytes = 32

    /// A word that is not what it should be.
    package struct Malformed: Error, Hashable, Sendable {
        /// The stream that it names; nil when it names none.
        package var id: String?
        package var reason: String
    }

    // MARK: Writing

    /// The word's fields for a stream, named as `name` has it.
    package func fields(of id: String, _ name: (String) -> Value) -> ValueMap {
        var map = ValueMap()
        // Null is a value of its own here: what is not there is left out either way.
        func set(_ field: String, _ value: Value?) {
            if let value, !value.isNull { map[name(field)] = value }
        }
        func set(_ point: StreamPoint?) {
            set("next", point.map { Value(clamping: $0.index) })
            set("bytes", point.map { Value(clamping: $0.bytes) })
        }
        func set(_ reception: StreamReception?) {
            guard let reception else { return }
            set(reception.next)
            switch reception.credit {
            case .chunks(let until): set("until", Value(clamping: until))
            case .bytes(let until): set("until-bytes", Value(clamping: until))
            }
        }
        set(Self.idField, .string(id))
        switch self {
        case .open(let opening):
            set("stream-type", .string(opening.kind.rawValue))
            set("stream", Value(clamping: opening.number))
            set("channel-id", opening.channel.map(Value.string))
            set("chunk-size", Value(opening.chunkSize))
            set("total-size", opening.totalSize.map(Value.init(clamping:)))
            set("total-chunks", opening.totalChunks.map(Value.init(clamping:)))
            set("metadata", opening.metadata)
            set("checksum", opening.isChecked ? .string(Self.sha256) : nil)
            set("chunk-checksums", opening.checksChunks ? true : nil)
            set("again", opening.isAgain ? true : nil)
            set(opening.reception)
            set(opening.first)
        case .accept(let reception): set(reception)
        case .credits(let reception), .rewind(let reception): set(reception)
        case .resume(let point): set(point)
        case .pause(let reason), .cancel(let reason): set("reason", reason.map(Value.string))
        case .sent(let totals):
            set("total-chunks", Value(clamping: totals.end.index))
            set("total-size", Value(clamping: totals.end.bytes))
            set("checksum", totals.checksum.map { .string(Base16.text($0)) })
        case .received(let receipt):
            set("chunks-received", Value(clamping: receipt.end.index))
            set("bytes-received", Value(clamping: receipt.end.bytes))
            set("duration-ms", .integer(receipt.milliseconds))
            set("checksum", receipt.checksum.map { .string(Base16.text($0)) })
            set("receipt", receipt.answer)
        case .control(let data): set("data", data)
        case .failed(let fault):
            set("error-code", .string(fault.code.rawValue))
            set("message", .string(fault.message))
        case .end: break
        }
        return map
    }

    // MARK: Reading

    /// The stream a word is about, and what it says; nil when it is no word about a stream's state.
    package static func read(
        name: String, fields: ValueMap
    ) throws(Malformed) -> (id: String, word: StreamWord)? {
        guard names.contains(name) else { return nil }
        let reading = try Reading(name, fields)
        return (reading.id, try word(name, reading))
    }

    private static let names: Set<String> = [
        "stream-init", "stream-accept", "stream-credits", "stream-rewind", "stream-pause", "stream-resume",
        "stream-complete", "stream-control", "stream-error", "stream-cancel", "stream-end",
    ]

    private static func word(_ name: String, _ reading: Reading) throws(Malformed) -> StreamWord {
        switch name {
        case "stream-init": .open(try opening(reading))
        case "stream-accept": .accept(try reading.reception())
        case "stream-credits": .credits(try reading.reception().orThrow(reading.malformed("until")))
        case "stream-rewind": .rewind(try reading.reception().orThrow(reading.malformed("until")))
        case "stream-pause": .pause(reason: reading.text("reason"))
        case "stream-resume": .resume(at: try reading.point())
        case "stream-complete":
            if reading.has("chunks-received") {
                .received(
                    StreamReceipt(
                        end: StreamPoint(
                            index: try reading.count("chunks-received"),
                            bytes: try reading.count("bytes-received")),
                        milliseconds: Int64(clamping: try reading.optionalCount("duration-ms") ?? 0),
                        checksum: try reading.checksum(), answer: reading["receipt"] ?? .null))
            } else {
                .sent(
                    StreamTotals(
                        end: StreamPoint(
                            index: try reading.count("total-chunks"), bytes: try reading.count("total-size")),
                        checksum: try reading.checksum()))
            }
        case "stream-control": .control(reading["data"] ?? .null)
        case "stream-error":
            .failed(
                StreamFault(
                    StreamFault.Code(
                        rawValue: try reading.text("error-code").orThrow(reading.malformed("error-code"))),
                    reading.text("message") ?? "", isRemote: true))
        case "stream-cancel": .cancel(reason: reading.text("reason"))
        default: .end
        }
    }

    private static func opening(_ reading: Reading) throws(Malformed) -> StreamOpening {
        guard let kind = reading.text("stream-type").flatMap(StreamKind.init(rawValue:)) else {
            throw reading.malformed("stream-type")
        }
        guard let size = Int(exactly: try reading.count("chunk-size")), size > 0 else {
            throw reading.malformed("chunk-size")
        }
        let checksum = reading.text("checksum")
        guard checksum == nil || checksum == sha256 else { throw reading.malformed("checksum") }
        let reception = try reading.reception()
        return StreamOpening(
            kind: kind, number: try reading.count("stream"), channel: reading.text("channel-id"),
            chunkSize: size, totalSize: try reading.optionalCount("total-size"),
            metadata: reading["metadata"] ?? .null, isChecked: checksum != nil,
            checksChunks: reading.flag("chunk-checksums"), isAgain: reading.flag("again"),
            reception: reception, first: reception == nil ? try reading.point() : nil)
    }

    /// The fields of one word, by what they are to be.
    fileprivate struct Reading {
        let name: String
        let fields: ValueMap
        let id: String

        init(_ name: String, _ fields: ValueMap) throws(Malformed) {
            self.name = name
            self.fields = fields
            let named = fields.value(named: StreamWord.idField)
            guard let id = named?.stringValue ?? named?.keywordValue?.text,
                StreamWord.ids.contains(id.utf8.count)
            else {
                throw Malformed(id: nil, reason: "`\(name)` came without the name of a stream")
            }
            self.id = id
        }

        func malformed(_ field: String) -> Malformed {
            Malformed(id: id, reason: "`\(name)` came with a `\(field)` that it cannot have, or with none")
        }

        subscript(_ field: String) -> Value? {
            guard let value = fields.value(named: field), !value.isNull else { return nil }
            return value
        }

        func has(_ field: String) -> Bool { self[field] != nil }

        func text(_ field: String) -> String? { self[field]?.stringValue ?? self[field]?.keywordValue?.text }

        func flag(_ field: String) -> Bool { self[field]?.boolValue ?? false }

        func count(_ field: String) throws(Malformed) -> UInt64 {
            try optionalCount(field).orThrow(malformed(field))
        }

        func optionalCount(_ field: String) throws(Malformed) -> UInt64? {
            guard let value = self[field] else { return nil }
            return try value.integerValue.flatMap(UInt64.init(exactly:)).orThrow(malformed(field))
        }

        func point() throws(Malformed) -> StreamPoint? {
            guard has("next") else { return nil }
            return StreamPoint(index: try count("next"), bytes: try count("bytes"))
        }

        func reception() throws(Malformed) -> StreamReception? {
            let chunks = try optionalCount("until")
            let bytes = try optionalCount("until-bytes")
            guard let credit = chunks.map(StreamCredit.chunks) ?? bytes.map(StreamCredit.bytes) else {
                return nil
            }
            return StreamReception(next: try point().orThrow(malformed("next")), credit: credit)
        }

        func checksum() throws(Malformed) -> [UInt8]? {
            guard let text = text("checksum") else { return nil }
            let bytes = try Base16.bytes(text).orThrow(malformed("checksum"))
            guard bytes.count == StreamWord.sha256Bytes else { throw malformed("checksum") }
            return bytes
        }
    }
}

/// Chunks as flow words.
extension StreamChunk {
    /// The name of the word behind flow's prefix.
    package static let name = "stream-chunk"

    /// The word's fields for a stream; bytes are base64, unless the format writes bytes.
    package func fields(of id: String, writesBytes: Bool, _ name: (String) -> Value) -> ValueMap {
        var map: ValueMap = [
            name("message-id"): .string(id), name("chunk-index"): Value(clamping: index),
            name("data"): writesBytes ? .bytes(Array(bytes)) : .string(Base64.text(Array(bytes))),
        ]
        if let checksum { map[name("checksum")] = .string(Base16.text(checksum)) }
        return map
    }

    /// The stream a chunk belongs to, and the chunk.
    package static func read(
        fields: ValueMap
    ) throws(StreamWord.Malformed) -> (id: String, chunk: StreamChunk) {
        let reading = try StreamWord.Reading(name, fields)
        let bytes: [UInt8]? =
            switch reading["data"] {
            case .bytes(let bytes): bytes
            case .string(let text): Base64.bytes(text)
            default: nil
            }
        return (
            reading.id,
            StreamChunk(
                index: try reading.count("chunk-index"), checksum: try reading.checksum(),
                bytes: try bytes.orThrow(reading.malformed("data"))[...])
        )
    }
}

extension Optional {
    /// What is there, or an error.
    fileprivate func orThrow<Problem: Error>(_ problem: @autoclosure () -> Problem) throws(Problem) -> Wrapped
    {
        guard let self else { throw problem() }
        return self
    }
}
