// SPDX-License-Identifier: Apache-2.0

/// Reads one Transit document in JSON, verbose or not, without recursion.
struct TransitJSONReader: ~Copyable {
    typealias Fault = ReadingFault

    private var scanner: JSONReader
    private var assembler: TransitAssembler

    static func value(
        of buffer: UnsafeRawBufferPointer, options: TransitOptions, limits: WireLimits
    ) throws(WireError) -> Value {
        let buffer = buffer.bindMemory(to: UInt8.self)
        guard let base = buffer.baseAddress, !buffer.isEmpty else {
            throw WireError(.incomplete, "The Transit document is empty.", offset: 0)
        }
        var reader = TransitJSONReader(
            scanner: JSONReader(bytes: base, end: buffer.count, maximumDepth: 0),
            assembler: TransitAssembler(options: options, limits: limits))
        do throws(Fault) {
            return try reader.document()
        } catch {
            throw reader.assembler.error(error)
        }
    }

    private init(scanner: consuming JSONReader, assembler: consuming TransitAssembler) {
        self.scanner = scanner
        self.assembler = assembler
    }

    private mutating func document() throws(Fault) -> Value {
        repeat {
            if try value() { continue }
            while try next() {}
        } while !assembler.frames.isEmpty
        scanner.skipSpace()
        guard scanner.position == scanner.end else {
            throw scanner.fault("Only one value may stand in a Transit document.")
        }
        return assembler.takeValue()
    }

    /// Reads a scalar, an empty collection, or the start of a collection; true if a value must come next.
    private mutating func value() throws(Fault) -> Bool {
        switch try byte() {
        case UInt8(ascii: "\""):
            let asKey = assembler.isAtKey
            if !asKey, scanner.position + 1 < scanner.end, !Self.isMark(scanner.bytes[scanner.position + 1]) {
                assembler.push(.string(try scanner.string()))
            } else {
                try pushText(asKey: asKey)
            }
        case UInt8(ascii: "["): return try beginArray()
        case UInt8(ascii: "{"): return try beginObject()
        case UInt8(ascii: "-"), 0x30...0x39: assembler.push(try scanner.number())
        case UInt8(ascii: "t"): assembler.push(try scanner.literal("true", .bool(true)))
        case UInt8(ascii: "f"): assembler.push(try scanner.literal("false", .bool(false)))
        case UInt8(ascii: "n"): assembler.push(try scanner.literal("null", .null))
        default: throw scanner.fault("A JSON value must begin here.")
        }
        return false
    }

    /// Whether a string that begins so may be more than text.
    @inline(__always)
    private static func isMark(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "~") || byte == UInt8(ascii: "^") || byte == UInt8(ascii: "\\")
    }

    /// The next byte that is no space, where it stands.
    @inline(__always)
    private mutating func byte() throws(Fault) -> UInt8 {
        scanner.skipSpace()
        guard scanner.position < scanner.end else { throw scanner.incomplete() }
        return scanner.bytes[scanner.position]
    }

    /// Reads a string and what it stands for.
    private mutating func text(asKey: Bool) throws(Fault) -> TransitAssembler.Text {
        let quote = scanner.position
        let first = quote + 1
        guard first + 1 < scanner.end else { throw scanner.incomplete() }
        let letter = scanner.bytes[first + 1]
        switch scanner.bytes[first] {
        case UInt8(ascii: "~")
        where letter >= 0x20 && letter < 0x80 && letter != UInt8(ascii: "\"") && letter != UInt8(ascii: "\\"):
            scanner.position = first + 1
            return try assembler.escaped(letter, try scanner.string(), asKey: asKey, at: quote)
        case UInt8(ascii: "^"):
            for length in 2...3
            where first + length < scanner.end && scanner.bytes[first + length] == UInt8(ascii: "\"") {
                if let code = TransitAssembler.code(scanner.bytes + first, length) {
                    scanner.position = first + length + 1
                    return try assembler.code(code, at: quote)
                }
            }
            return try assembler.whole(try scanner.string(), asKey: asKey, at: quote)
        case UInt8(ascii: "~"), UInt8(ascii: "\\"):
            return try assembler.whole(try scanner.string(), asKey: asKey, at: quote)
        default: return assembler.plain(try scanner.string(), asKey: asKey)
        }
    }

    /// Reads a string that must stand for a value.
    private mutating func pushText(asKey: Bool) throws(Fault) {
        let quote = scanner.position
        guard case .value(let value, let print) = try text(asKey: asKey) else {
            throw Fault(
                kind: .malformed, message: "A tag or the mark of a map must be the first in an array.",
                offset: quote)
        }
        assembler.push(value, print: print)
    }

    private mutating func beginArray() throws(Fault) -> Bool {
        let start = scanner.position
        let close = UInt8(ascii: "]")
        scanner.position += 1
        guard try byte() == UInt8(ascii: "\"") else {
            try assembler.open(.array, close: close, at: start)
            return try !end(with: close)
        }
        switch try text(asKey: false) {
        case .value(let value, let print):
            try assembler.open(.array, close: close, at: start)
            assembler.push(value, print: print)
            return false
        case .marker:
            try assembler.open(.map, close: close, at: start)
            if try byte() == close { return try !end(with: close) }
        case .tag(let tag): try assembler.openTag(tag, close: close, at: start)
        }
        guard try byte() == UInt8(ascii: ",") else { throw scanner.fault("A comma must come here.") }
        scanner.position += 1
        return true
    }

    private mutating func beginObject() throws(Fault) -> Bool {
        let start = scanner.position
        let close = UInt8(ascii: "}")
        scanner.position += 1
        if try byte() == close {
            try assembler.open(.object, close: close, at: start)
            return try !end(with: close)
        }
        switch try key() {
        case .tag(let tag): try assembler.openTag(tag, close: close, at: start)
        case .value(let value, let print):
            try assembler.open(.object, close: close, at: start)
            assembler.push(value, print: print)
        case .marker: throw scanner.fault("The mark of a map must be the first in an array.")
        }
        return true
    }

    /// Ends the collection if its bracket comes next.
    private mutating func end(with close: UInt8) throws(Fault) -> Bool {
        guard scanner.bytes[scanner.position] == close else { return false }
        scanner.position += 1
        try assembler.close(at: scanner.position - 1)
        return true
    }

    /// Reads the name of an object's member and its colon.
    private mutating func key() throws(Fault) -> TransitAssembler.Text {
        guard try byte() == UInt8(ascii: "\"") else {
            throw scanner.fault("A name in quotes must begin here.")
        }
        let key = try text(asKey: true)
        guard try byte() == UInt8(ascii: ":") else { throw scanner.fault("A colon must come here.") }
        scanner.position += 1
        return key
    }

    /// Goes on after a value: true after the end of a collection, false where a value must come next.
    private mutating func next() throws(Fault) -> Bool {
        guard let frame = assembler.frames.last else { return false }
        let byte = try byte()
        if byte == frame.close {
            scanner.position += 1
            try assembler.close(at: scanner.position - 1)
            return true
        }
        guard byte == UInt8(ascii: ","), frame.kind != .tag else {
            throw frame.kind == .tag
                ? scanner.fault("Only one value may stand under a tag.")
                : scanner.fault("A comma or the end of the collection must come here.")
        }
        scanner.position += 1
        guard frame.kind == .object else { return false }
        let start = scanner.position
        guard case .value(let value, let print) = try key() else {
            throw Fault(
                kind: .malformed, message: "A tag must be the only name of its object.", offset: start)
        }
        assembler.push(value, print: print)
        return false
    }
}
