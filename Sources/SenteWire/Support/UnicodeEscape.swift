// SPDX-License-Identifier: Apache-2.0

/// `\uXXXX`, or two of them for a character beyond U+FFFF, as JSON and EDN write it.
enum UnicodeEscape {
    /// Reads the escape whose backslash stands at `position`, and moves past it.
    ///
    /// `incomplete` is thrown where the document ends within it.
    static func read(
        _ bytes: UnsafePointer<UInt8>, _ position: inout Int, before end: Int, incomplete: ReadingError
    ) throws(ReadingError) -> Unicode.Scalar {
        let loneSurrogate = ReadingError(
            kind: .invalidText, message: "Half of a surrogate pair is no character.", offset: position)
        var code = try codeUnit(bytes, &position, before: end, incomplete)
        if code & 0xF800 == 0xD800 {
            guard code < 0xDC00, position < end, bytes[position] == UInt8(ascii: "\\") else {
                throw loneSurrogate
            }
            guard position + 1 < end else { throw incomplete }
            guard bytes[position + 1] == UInt8(ascii: "u") else { throw loneSurrogate }
            let low = try codeUnit(bytes, &position, before: end, incomplete)
            guard low & 0xFC00 == 0xDC00 else { throw loneSurrogate }
            code = 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF)
        }
        guard let scalar = Unicode.Scalar(code) else { throw loneSurrogate }
        return scalar
    }

    private static func codeUnit(
        _ bytes: UnsafePointer<UInt8>, _ position: inout Int, before end: Int, _ incomplete: ReadingError
    ) throws(ReadingError) -> UInt32 {
        position += 2
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard position < end else { throw incomplete }
            guard let digit = UniqueID.hexDigit(bytes[position]) else {
                throw ReadingError(
                    kind: .malformed, message: "Four hexadecimal digits must come after \\u.",
                    offset: position)
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
