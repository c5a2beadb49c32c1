// SPDX-License-Identifier: Apache-2.0

/// Reads one Transit document in JSON, verbose or not, without recursion.
struct TransitJSONReader: DocumentReader, ~Copyable {
    private var scanner: TextScanner
    private var assembler: TransitAssembler

    init(
        _ document: UnsafeRawBufferPointer, _ options: TransitOptions, _ limits: WireLimits
    ) throws(WireError) {
        scanner = try TextScanner(document, .json, ifEmpty: "The Transit document is empty.")
        assembler = TransitAssembler(options: options, limits: limits)
    }

    func wireError(_ error: ReadingError) -> WireError { assembler.wireError(error) }

    mutating func document() throws(ReadingError) -> Value {
        repeat {
            if try value() { continue }
            while try next() {}
        } while !assembler.frames.isEmpty
        try scanner.finish("Only one value may stand in a Transit document.")
        return assembler.takeValue()
    }

    /// Reads a scalar, an empty collection, or the start of a collection; true if a value must come next.
    private mutating func value() throws(ReadingError) -> Bool {
        switch try scanner.nextByte() {
        case UInt8(ascii: "\""):
            let asKey = assembler.isAtKey
            if !asKey, scanner.position + 1 < scanner.end, !Self.isMark(scanner.bytes[scanner.position + 1]) {
                assembler.push(.string(try scanner.string()))
            } else {
                try pushText(asKey: asKey)
            }
        case UInt8(ascii: "["): return try beginArray()
        case UInt8(ascii: "{"): return try beginObject()
        default: assembler.push(try scanner.scalar())
        }
        return false
    }

    /// Whether a string that begins so may be more than text.
    @inline(__always)
    private static func isMark(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "~") || byte == UInt8(ascii: "^") || byte == UInt8(ascii: "\\")
    }

    /// Reads a string and what it stands for.
    private mutating func text(asKey: Bool) throws(ReadingError) -> TransitAssembler.Text {
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
    private mutating func pushText(asKey: Bool) throws(ReadingError) {
        let quote = scanner.position
        guard case .value(let value, let fingerprint) = try text(asKey: asKey) else {
            throw ReadingError("A tag or the mark of a map must be the first in an array.", at: quote)
        }
        assembler.push(value, fingerprint: fingerprint)
    }

    private mutating func beginArray() throws(ReadingError) -> Bool {
        let start = scanner.position
        let close = UInt8(ascii: "]")
        scanner.position += 1
        guard try scanner.nextByte() == UInt8(ascii: "\"") else {
            try assembler.open(.array, close: close, at: start)
            return try !end(with: close)
        }
        switch try text(asKey: false) {
        case .value(let value, let fingerprint):
            try assembler.open(.array, close: close, at: start)
            assembler.push(value, fingerprint: fingerprint)
            return false
        case .marker:
            try assembler.open(.map, close: close, at: start)
            if try scanner.nextByte() == close { return try !end(with: close) }
        case .tag(let tag): try assembler.openTag(tag, close: close, at: start)
        }
        guard try scanner.nextByte() == UInt8(ascii: ",") else {
            throw scanner.error("A comma must come here.")
        }
        scanner.position += 1
        return true
    }

    private mutating func beginObject() throws(ReadingError) -> Bool {
        let start = scanner.position
        let close = UInt8(ascii: "}")
        scanner.position += 1
        if try scanner.nextByte() == close {
            try assembler.open(.object, close: close, at: start)
            return try !end(with: close)
        }
        switch try key() {
        case .tag(let tag): try assembler.openTag(tag, close: close, at: start)
        case .value(let value, let fingerprint):
            try assembler.open(.object, close: close, at: start)
            assembler.push(value, fingerprint: fingerprint)
        case .marker: throw scanner.error("The mark of a map must be the first in an array.")
        }
        return true
    }

    /// Ends the collection if its bracket comes next.
    private mutating func end(with close: UInt8) throws(ReadingError) -> Bool {
        guard scanner.bytes[scanner.position] == close else { return false }
        scanner.position += 1
        try assembler.close(at: scanner.position - 1)
        return true
    }

    /// Reads the name of an object's member and its colon.
    private mutating func key() throws(ReadingError) -> TransitAssembler.Text {
        guard try scanner.nextByte() == UInt8(ascii: "\"") else {
            throw scanner.error("A name in quotes must begin here.")
        }
        let key = try text(asKey: true)
        try scanner.colon()
        return key
    }

    /// Goes on after a value: true after the end of a collection, false where a value must come next.
    private mutating func next() throws(ReadingError) -> Bool {
        guard let frame = assembler.frames.last else { return false }
        let byte = try scanner.nextByte()
        if byte == frame.close {
            scanner.position += 1
            try assembler.close(at: scanner.position - 1)
            return true
        }
        guard byte == UInt8(ascii: ","), frame.kind != .tag else {
            throw frame.kind == .tag
                ? scanner.error("Only one value may stand under a tag.")
                : scanner.error("A comma or the end of the collection must come here.")
        }
        scanner.position += 1
        guard frame.kind == .object else { return false }
        let start = scanner.position
        guard case .value(let value, let fingerprint) = try key() else {
            throw ReadingError("A tag must be the only name of its object.", at: start)
        }
        assembler.push(value, fingerprint: fingerprint)
        return false
    }
}
