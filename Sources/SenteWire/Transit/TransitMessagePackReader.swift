// SPDX-License-Identifier: Apache-2.0

/// Reads one Transit document in MessagePack, without recursion.
struct TransitMessagePackReader: ~Copyable {
    private var scanner: MessagePackScanner
    private var assembler: TransitAssembler

    static func value(
        of buffer: UnsafeRawBufferPointer, options: TransitOptions, limits: WireLimits
    ) throws(WireError) -> Value {
        let buffer = buffer.bindMemory(to: UInt8.self)
        guard let base = buffer.baseAddress, !buffer.isEmpty else {
            throw WireError(.incomplete, "The Transit document is empty.", offset: 0)
        }
        var reader = TransitMessagePackReader(
            scanner: MessagePackScanner(bytes: base, end: buffer.count),
            assembler: TransitAssembler(options: options, limits: limits))
        do throws(ReadingError) {
            return try reader.document()
        } catch {
            throw reader.assembler.error(error)
        }
    }

    private init(scanner: consuming MessagePackScanner, assembler: consuming TransitAssembler) {
        self.scanner = scanner
        self.assembler = assembler
    }

    private mutating func document() throws(ReadingError) -> Value {
        repeat {
            try value()
            while let last = assembler.frames.last, last.remaining == 0 {
                try assembler.close(at: scanner.position)
            }
        } while !assembler.frames.isEmpty
        guard scanner.position == scanner.end else {
            throw scanner.error("Only one value may stand in a Transit document.")
        }
        return assembler.takeValue()
    }

    /// Reads a scalar, or the start of a collection with its first value if that is a string.
    private mutating func value() throws(ReadingError) {
        let asKey = assembler.isAtKey
        let offset = scanner.position
        assembler.countDown()
        switch try scanner.next() {
        case .string(let start, let count):
            guard case .value(let value, let fingerprint) = try text(start, count, asKey: asKey) else {
                throw ReadingError(
                    kind: .malformed, message: "A tag must be the first of two in an array.", offset: offset)
            }
            assembler.push(value, fingerprint: fingerprint)
        case .integer(let integer): assembler.push(.integer(integer))
        // Transit writes NaN as text, without its many bits.
        case .double(let double): assembler.push(.double(double.isNaN ? .nan : double))
        case .array(let count): try begin(.array, values: count, at: offset)
        case .map(let count): try begin(.map, values: count * 2, at: offset)
        case .null: assembler.push(.null)
        case .bool(let bool): assembler.push(.bool(bool))
        case .unsigned(let integer): assembler.push(.bigInteger(BigInteger(integer)))
        case .bytes(let start, let count):
            assembler.push(.bytes(Array(UnsafeBufferPointer(start: scanner.bytes + start, count: count))))
        case .ext:
            throw ReadingError(
                kind: .malformed, message: "Transit uses no extension types of MessagePack.", offset: offset)
        }
    }

    /// Opens a collection; if its first value is a tag, what it opens is the tag.
    private mutating func begin(
        _ kind: TransitAssembler.Frame.Kind, values: Int, at offset: Int
    ) throws(ReadingError) {
        guard values <= scanner.end - scanner.position else { throw scanner.incomplete() }
        let start = scanner.position
        guard values > 0, case .string(let content, let count) = try scanner.next() else {
            scanner.position = start
            return try assembler.open(kind, remaining: values, at: offset)
        }
        switch try text(content, count, asKey: kind == .map) {
        case .value(let value, let fingerprint):
            try assembler.open(kind, remaining: values - 1, at: offset)
            assembler.push(value, fingerprint: fingerprint)
        case .tag(let tag):
            guard values == 2 else {
                throw ReadingError(
                    kind: .malformed, message: "Only one value may stand under a tag.", offset: start)
            }
            try assembler.openTag(tag, remaining: 1, at: offset)
        case .marker:
            throw ReadingError(
                kind: .malformed, message: "In MessagePack a map is a map and needs no mark.", offset: start)
        }
    }

    /// What a string stands for.
    @inline(__always)
    private mutating func text(_ start: Int, _ count: Int, asKey: Bool) throws(ReadingError)
        -> TransitAssembler.Text
    {
        let bytes = scanner.bytes + start
        if count > 1 {
            if bytes[0] == UInt8(ascii: "~") {
                guard bytes[1] < 0x80 else {
                    return try assembler.whole(try scanner.text(start, count), asKey: asKey, at: start)
                }
                let rest = try scanner.text(start + 2, count - 2)
                return try assembler.escaped(bytes[1], rest, asKey: asKey, at: start)
            }
            if bytes[0] == UInt8(ascii: "^") {
                return try assembler.code(TransitAssembler.code(bytes, count), at: start)
            }
        } else if count == 1, bytes[0] == UInt8(ascii: "^") {
            return try assembler.code(nil, at: start)
        }
        return assembler.plain(try scanner.text(start, count), asKey: asKey)
    }
}
