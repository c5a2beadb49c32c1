// SPDX-License-Identifier: Apache-2.0

/// The tokens of JSON (RFC 8259), for the readers of JSON and of Transit in JSON.
extension TextScanner {
    /// The next byte that is no space, where it stands.
    @inline(__always)
    mutating func nextByte() throws(ReadingError) -> UInt8 {
        skipSpace()
        guard position < end else { throw incomplete() }
        return bytes[position]
    }

    /// Reads a number, `true`, `false` or `null`; `position` is at its first byte.
    @inline(__always)
    mutating func scalar() throws(ReadingError) -> Value {
        switch bytes[position] {
        case UInt8(ascii: "-"), 0x30...0x39: return try number()
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: throw error("A JSON value must begin here.")
        }
    }

    private mutating func literal(_ word: StaticString, _ value: Value) throws(ReadingError) -> Value {
        for index in 0..<word.utf8CodeUnitCount {
            guard position < end else { throw incomplete() }
            guard bytes[position] == word.utf8Start[index] else {
                throw error("The words of JSON are true, false and null.")
            }
            position += 1
        }
        return value
    }

    /// Reads the colon after a name.
    @inline(__always)
    mutating func colon() throws(ReadingError) {
        guard try nextByte() == UInt8(ascii: ":") else { throw error("A colon must come here.") }
        position += 1
    }

    /// Makes sure that nothing but space is left.
    mutating func finish(_ message: StaticString) throws(ReadingError) {
        skipSpace()
        guard position == end else { throw error(message) }
    }

    @inline(__always)
    private mutating func skipSpace() {
        while position < end {
            let byte = bytes[position]
            guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            position += 1
        }
    }
}
