// SPDX-License-Identifier: Apache-2.0

/// Reads the tokens of MessagePack, every encoding of each (MessagePack specification, "Formats"), in place.
package struct MessagePackScanner: ~Copyable {
    /// What stands in the bytes; contents are named by where they are, collections by how much they announce.
    package enum Token: Equatable {
        case null
        case bool(Bool)
        case integer(Int64)
        /// Beyond the signed 64 bits.
        case unsigned(UInt64)
        case double(Double)
        case string(start: Int, count: Int)
        case bytes(start: Int, count: Int)
        case ext(type: Int8, start: Int, count: Int)
        case array(Int)
        case map(Int)
    }

    let bytes: UnsafePointer<UInt8>
    package let end: Int
    package var position = 0

    /// Reads in place; the memory must outlive the scanner, and is only touched below `end`.
    package init(bytes: UnsafePointer<UInt8>, end: Int) {
        self.bytes = bytes
        self.end = end
    }

    init(_ document: UnsafeRawBufferPointer, ifEmpty message: StaticString) throws(WireError) {
        self.init(bytes: try document.start(ifEmpty: message), end: document.count)
    }

    /// The next token, for other modules.
    package mutating func token() throws(WireError) -> Token {
        do throws(ReadingError) {
            return try next()
        } catch {
            throw WireError(error)
        }
    }

    /// The next token; its contents, if any, are within the bytes and have been passed.
    @inline(__always)
    mutating func next() throws(ReadingError) -> Token {
        guard position < end else { throw incomplete() }
        let lead = bytes[position]
        position += 1
        switch lead {
        case 0x00...0x7F: return .integer(Int64(lead))
        case 0x80...0x8F: return .map(Int(lead & 0xF))
        case 0x90...0x9F: return .array(Int(lead & 0xF))
        case 0xA0...0xBF:
            let count = Int(lead & 0x1F)
            return .string(start: try content(count), count: count)
        case 0xE0...0xFF: return .integer(Int64(Int8(bitPattern: lead)))
        default: return try longToken(lead)
        }
    }

    private mutating func longToken(_ lead: UInt8) throws(ReadingError) -> Token {
        switch lead {
        case 0xC0: return .null
        case 0xC2: return .bool(false)
        case 0xC3: return .bool(true)
        case 0xC4...0xC6:
            let count = try length(width: 1 << Int(lead - 0xC4))
            return .bytes(start: try content(count), count: count)
        case 0xC7...0xC9: return try ext(count: try length(width: 1 << Int(lead - 0xC7)))
        case 0xCA: return .double(Double(Float(bitPattern: UInt32(truncatingIfNeeded: try unsigned(4)))))
        case 0xCB: return .double(Double(bitPattern: try unsigned(8)))
        case 0xCC...0xCF:
            let number = try unsigned(1 << Int(lead - 0xCC))
            return number <= UInt64(Int64.max) ? .integer(Int64(number)) : .unsigned(number)
        case 0xD0: return .integer(Int64(Int8(truncatingIfNeeded: try unsigned(1))))
        case 0xD1: return .integer(Int64(Int16(truncatingIfNeeded: try unsigned(2))))
        case 0xD2: return .integer(Int64(Int32(truncatingIfNeeded: try unsigned(4))))
        case 0xD3: return .integer(Int64(bitPattern: try unsigned(8)))
        case 0xD4...0xD8: return try ext(count: 1 << Int(lead - 0xD4))
        case 0xD9...0xDB:
            let count = try length(width: 1 << Int(lead - 0xD9))
            return .string(start: try content(count), count: count)
        case 0xDC, 0xDD: return .array(try length(width: lead == 0xDC ? 2 : 4))
        case 0xDE, 0xDF: return .map(try length(width: lead == 0xDE ? 2 : 4))
        default:
            throw ReadingError("MessagePack has no value that begins with the byte C1.", at: position - 1)
        }
    }

    /// Reads a big-endian number of so many bytes.
    @inline(__always)
    mutating func unsigned(_ width: Int) throws(ReadingError) -> UInt64 {
        guard end - position >= width else { throw incomplete() }
        var number: UInt64 = 0
        for offset in 0..<width { number = number << 8 | UInt64(bytes[position + offset]) }
        position += width
        return number
    }

    private mutating func length(width: Int) throws(ReadingError) -> Int {
        Int(truncatingIfNeeded: try unsigned(width))
    }

    /// Passes a content of so many bytes and says where it begins.
    @inline(__always)
    private mutating func content(_ count: Int) throws(ReadingError) -> Int {
        guard end - position >= count else { throw incomplete() }
        position += count
        return position - count
    }

    private mutating func ext(count: Int) throws(ReadingError) -> Token {
        let type = Int8(truncatingIfNeeded: try unsigned(1))
        return .ext(type: type, start: try content(count), count: count)
    }

    /// The text of a string's content.
    @inline(__always)
    func text(_ start: Int, _ count: Int) throws(ReadingError) -> String {
        let content = UnsafeBufferPointer(start: bytes + start, count: count)
        let text = String(decoding: content, as: UTF8.self)
        guard Self.isASCII(content) || Self.isSame(text, content) else {
            throw ReadingError("The text is not UTF-8.", .invalidText, at: start)
        }
        return text
    }

    @inline(__always)
    private static func isASCII(_ content: UnsafeBufferPointer<UInt8>) -> Bool {
        let raw = UnsafeRawBufferPointer(content)
        var position = 0
        var seen: UInt64 = 0
        while position + 8 <= raw.count {
            seen |= raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            position += 8
        }
        while position < raw.count {
            seen |= UInt64(raw[position])
            position += 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }

    /// Making a string mends what is no UTF-8, which always changes the bytes.
    private static func isSame(_ text: String, _ content: UnsafeBufferPointer<UInt8>) -> Bool {
        text.readUTF8 { utf8 in
            utf8.count == content.count
                && String.isSame(UnsafeRawBufferPointer(utf8), UnsafeRawBufferPointer(content))
        }
    }

    func error(_ message: StaticString, _ kind: WireError.Kind = .malformed) -> ReadingError {
        ReadingError(message, kind, at: position)
    }

    func incomplete() -> ReadingError {
        ReadingError("The MessagePack document ends in the middle of a value.", .incomplete, at: end)
    }
}
