// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// What is said about a stream, by either end.
///
/// `flow-stream-…` in the dialect of maps, `:flow/stream-…` in the others; every word names its stream.
package enum ServerStreamWord: Hashable, Sendable {
    /// It begins, or goes on over this link.
    case initiation(StreamOffer)
    /// The answer; from a receiver with what it has and how much may come.
    case acceptance(StreamGrant?)
    case credits(StreamGrant)
    /// The sender is to go back.
    case rewind(StreamGrant)
    case pause(reason: String?)
    /// In a broadcast, a place to go on at when some was left out.
    case resumption(at: StreamPlace?)
    case chunk(StreamPart)
    /// That was all.
    case sent(StreamPlace, checksum: [UInt8]?)
    /// All has come.
    case received(StreamPlace, milliseconds: Int64, checksum: [UInt8]?, receipt: Value)
    case control(Value)
    case error(code: String, message: String)
    case cancellation(reason: String?)
    /// The server has noted an end of which the client has told.
    case end
    /// One that is none, or lacks what belongs to it.
    case wrong(String)
}

/// So many chunks, and so many bytes, lie before it.
package struct StreamPlace: Hashable, Sendable {
    var index: UInt64 = 0
    var bytes: UInt64 = 0

    package init(index: UInt64 = 0, bytes: UInt64 = 0) {
        self.index = index
        self.bytes = bytes
    }

    mutating func advance(by count: Int) {
        index &+= 1
        bytes &+= UInt64(count)
    }
}

/// What a receiver has, and how far its sender may go.
package struct StreamGrant: Hashable, Sendable {
    package enum Limit: Hashable, Sendable {
        /// Below this index.
        case chunk(UInt64)
        /// Up to so many bytes.
        case byte(UInt64)
    }

    var has: StreamPlace
    var limit: Limit

    package init(has: StreamPlace, limit: Limit) {
        self.has = has
        self.limit = limit
    }
}

/// A piece of the bytes.
package struct StreamPart: Hashable, Sendable {
    var index: UInt64
    var checksum: [UInt8]?
    var bytes: ArraySlice<UInt8>

    package init(index: UInt64, checksum: [UInt8]? = nil, bytes: ArraySlice<UInt8>) {
        self.index = index
        self.checksum = checksum
        self.bytes = bytes
    }
}

/// What a stream is.
package struct StreamOffer: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case upload, download, bidirectional, broadcast
    }

    package let kind: Kind
    /// By which binary chunks are known on one link; a client's is odd.
    var number: UInt64 = 0
    package var channel: String?
    package var chunkSize = 65_536
    package var totalSize: UInt64?
    package var metadata: Value = .null
    var isChecked = true
    var checksChunks = false
    /// Whether the one who says it knows that the other knows the stream.
    var isKnown = false
    var grant: StreamGrant?
    /// Where a broadcast begins.
    var first: StreamPlace?

    package init(
        _ kind: Kind, channel: String? = nil, chunkSize: Int = 65_536, totalSize: UInt64? = nil,
        metadata: Value = .null, isChecked: Bool = true, checksChunks: Bool = false, first: StreamPlace? = nil
    ) {
        self.kind = kind
        self.channel = channel
        self.chunkSize = chunkSize
        self.totalSize = totalSize
        self.metadata = metadata
        self.isChecked = isChecked
        self.checksChunks = checksChunks
        self.first = first
    }

    var serverReceives: Bool { kind == .upload || kind == .bidirectional }
    var serverSends: Bool { kind != .upload }
}

// MARK: As fields

extension ServerStreamWord {
    /// The name behind the prefix.
    package var name: String {
        switch self {
        case .initiation: "stream-init"
        case .acceptance: "stream-accept"
        case .credits: "stream-credits"
        case .rewind: "stream-rewind"
        case .pause: "stream-pause"
        case .resumption: "stream-resume"
        case .chunk: "stream-chunk"
        case .sent, .received: "stream-complete"
        case .control: "stream-control"
        case .error: "stream-error"
        case .cancellation: "stream-cancel"
        case .end: "stream-end"
        case .wrong(let name): name
        }
    }

    /// Whether whoever says it will say nothing more of the stream, or of one direction.
    var endsStream: Bool {
        switch self {
        case .error, .cancellation, .received: true
        default: false
        }
    }

    /// Reads a word that names a stream; nil for one that names none.
    package static func read(named name: String, _ fields: ValueMap) -> (id: String, word: ServerStreamWord)?
    {
        let reading = Reading(fields: fields)
        guard let id = reading.text("message-id"), (1...256).contains(id.utf8.count) else { return nil }
        return (id, reading.word(name) ?? .wrong(name))
    }

    private struct Reading {
        let fields: ValueMap

        func value(_ name: String) -> Value? {
            guard let value = fields.value(named: name), !value.isNull else { return nil }
            return value
        }

        func text(_ name: String) -> String? { value(name)?.stringValue ?? value(name)?.keywordValue?.text }

        func number(_ name: String) -> UInt64? { value(name)?.integerValue.flatMap { UInt64(exactly: $0) } }

        /// Nil for a field that is there and is no such number; nil inside for one that is not there.
        func optional(_ name: String) -> UInt64?? {
            guard value(name) != nil else { return .some(nil) }
            return number(name).map { .some($0) } ?? nil
        }

        func checksum() -> [UInt8]?? {
            guard let text = text("checksum") else { return value("checksum") == nil ? .some(nil) : nil }
            guard let bytes = Base16.bytes(text), bytes.count == 32 else { return nil }
            return .some(bytes)
        }

        var place: StreamPlace? {
            guard let index = number("next"), let bytes = number("bytes") else { return nil }
            return StreamPlace(index: index, bytes: bytes)
        }

        var grant: StreamGrant?? {
            guard value("until") != nil || value("until-bytes") != nil else { return .some(nil) }
            guard let place else { return nil }
            if let index = number("until") { return StreamGrant(has: place, limit: .chunk(index)) }
            return number("until-bytes").map { StreamGrant(has: place, limit: .byte($0)) }
        }

        func word(_ name: String) -> ServerStreamWord? {
            switch name {
            case "stream-init": return offer.map { .initiation($0) }
            case "stream-accept": return grant.map { .acceptance($0) }
            case "stream-credits": return (grant ?? nil).map { .credits($0) }
            case "stream-rewind": return (grant ?? nil).map { .rewind($0) }
            case "stream-pause": return .pause(reason: text("reason"))
            case "stream-resume":
                guard value("next") != nil else { return .resumption(at: nil) }
                return place.map { .resumption(at: $0) }
            case "stream-chunk": return part.map { .chunk($0) }
            case "stream-complete": return completion
            case "stream-control": return .control(value("data") ?? .null)
            case "stream-error":
                return text("error-code").map { .error(code: $0, message: text("message") ?? "") }
            case "stream-cancel": return .cancellation(reason: text("reason"))
            default: return nil
            }
        }

        private var completion: ServerStreamWord? {
            guard let checksum = checksum() else { return nil }
            if let chunks = number("chunks-received"), let bytes = number("bytes-received") {
                return .received(
                    StreamPlace(index: chunks, bytes: bytes),
                    milliseconds: Int64(clamping: number("duration-ms") ?? 0), checksum: checksum,
                    receipt: value("receipt") ?? .null)
            }
            guard let chunks = number("total-chunks"), let bytes = number("total-size") else { return nil }
            return .sent(StreamPlace(index: chunks, bytes: bytes), checksum: checksum)
        }

        private var part: StreamPart? {
            guard let index = number("chunk-index"), let checksum = checksum() else { return nil }
            switch value("data") {
            case .bytes(let bytes): return StreamPart(index: index, checksum: checksum, bytes: bytes[...])
            case .string(let text):
                return Base64.bytes(text).map { StreamPart(index: index, checksum: checksum, bytes: $0[...]) }
            default: return nil
            }
        }

        private var offer: StreamOffer? {
            guard let kind = text("stream-type").flatMap(StreamOffer.Kind.init(rawValue:)),
                let own = number("stream"), let size = number("chunk-size").flatMap({ Int(exactly: $0) }),
                size > 0,
                let total = optional("total-size"), let grant,
                ["sha256", nil].contains(text("checksum"))
            else { return nil }
            var offer = StreamOffer(
                kind, channel: text("channel-id"), chunkSize: size, totalSize: total,
                metadata: value("metadata") ?? .null, isChecked: text("checksum") != nil,
                checksChunks: value("chunk-checksums")?.boolValue ?? false)
            offer.number = own
            offer.isKnown = value("again")?.boolValue ?? false
            offer.grant = grant
            return offer
        }
    }

    /// The fields of a server's word, under names that `key` makes.
    package func fields(of id: String, _ key: (String) -> Value, writesBytes: Bool) -> ValueMap {
        var map: ValueMap = [key("message-id"): .string(id)]
        func put(_ name: String, _ value: Value?) {
            if let value, !value.isNull { map[key(name)] = value }
        }
        func put(_ name: String, _ number: UInt64) { put(name, .integer(Int64(clamping: number))) }
        func put(_ place: StreamPlace) {
            put("next", place.index)
            put("bytes", place.bytes)
        }
        func put(_ grant: StreamGrant) {
            put(grant.has)
            switch grant.limit {
            case .chunk(let index): put("until", index)
            case .byte(let bytes): put("until-bytes", bytes)
            }
        }
        func put(_ checksum: [UInt8]?) { put("checksum", checksum.map { .string(Base16.text($0)) }) }
        switch self {
        case .initiation(let offer):
            put("stream-type", .string(offer.kind.rawValue))
            put("stream", offer.number)
            put("channel-id", offer.channel.map { .string($0) })
            put("chunk-size", Value(offer.chunkSize))
            if let total = offer.totalSize { put("total-size", total) }
            put("metadata", offer.metadata)
            put("checksum", offer.isChecked ? "sha256" : nil)
            put("chunk-checksums", offer.checksChunks ? true : nil)
            if let grant = offer.grant { put(grant) } else if let first = offer.first { put(first) }
        case .acceptance(let grant): if let grant { put(grant) }
        case .credits(let grant), .rewind(let grant): put(grant)
        case .pause(let reason), .cancellation(let reason): put("reason", reason.map { .string($0) })
        case .resumption(let place): if let place { put(place) }
        case .chunk(let part):
            put("chunk-index", part.index)
            put("data", writesBytes ? .bytes(Array(part.bytes)) : .string(Base64.text(Array(part.bytes))))
            put(part.checksum)
        case .sent(let place, let checksum):
            put("total-chunks", place.index)
            put("total-size", place.bytes)
            put(checksum)
        case .received(let place, let milliseconds, let checksum, let receipt):
            put("chunks-received", place.index)
            put("bytes-received", place.bytes)
            put("duration-ms", .integer(milliseconds))
            put(checksum)
            put("receipt", receipt)
        case .control(let data): put("data", data)
        case .error(let code, let message):
            put("error-code", .string(code))
            put("message", .string(message))
        case .end, .wrong: break
        }
        return map
    }
}

// MARK: Chunks as binary messages

extension StreamPart {
    /// The stream's number and the chunk of a binary message; nil for one that is malformed.
    package static func read(_ message: [UInt8]) -> (number: UInt64, part: StreamPart)? {
        guard message.starts(with: [0xC1, 3]) else { return nil }
        var rest = message.dropFirst(2)
        guard let number = takeNumber(&rest), let index = takeNumber(&rest), let flags = rest.popFirst()
        else { return nil }
        switch flags {
        case 0: return (number, StreamPart(index: index, bytes: rest))
        case 1 where rest.count >= 32:
            return (
                number,
                StreamPart(index: index, checksum: Array(rest.prefix(32)), bytes: rest.dropFirst(32))
            )
        default: return nil
        }
    }

    package func binary(number: UInt64) -> [UInt8] {
        var bytes: [UInt8] = [0xC1, 3]
        bytes.reserveCapacity(self.bytes.count + 56)
        Self.add(number, to: &bytes)
        Self.add(index, to: &bytes)
        bytes.append(checksum == nil ? 0 : 1)
        bytes += checksum ?? []
        bytes += self.bytes
        return bytes
    }

    /// A minimal LEB128 number of at most ten bytes.
    private static func takeNumber(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for place in 0..<10 as Range<UInt64> {
            guard let byte = bytes.popFirst(), place < 9 || byte < 2 else { return nil }
            number |= UInt64(byte & 0x7F) << (7 * place)
            if byte < 0x80 { return byte == 0 && place > 0 ? nil : number }
        }
        return nil
    }

    private static func add(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
