// SPDX-License-Identifier: Apache-2.0

/// Reads one Transit document in MessagePack, without recursion.
struct TransitMessagePackReader: DocumentReader, ~Copyable {
    private var scanner: MessagePackScanner
    private var assembler: TransitAssembler

    init(
        _ document: UnsafeRawBufferPointer, _ options: TransitOptions, _ limits: WireLimits
    ) throws(WireError) {
        scanner = try MessagePackScanner(document, ifEmpty: "The Transit document is empty.")
        assembler = TransitAssembler(options: options, limits: limits)
    }

    func wireError(_ error: ReadingError) -> WireError { assembler.wireError(error) }

    mutating func document() throws(ReadingError) -> Value {
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
                throw ReadingError("A tag must be the first of two in an array.", at: offset)
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
            throw ReadingError("Transit uses no extension types of MessagePack.", at: offset)
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
                throw ReadingError("Only one value may stand under a tag.", at: start)
            }
            try assembler.openTag(tag, remaining: 1, at: offset)
        case .marker:
            throw ReadingError("In MessagePack a map is a map and needs no mark.", at: start)
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
