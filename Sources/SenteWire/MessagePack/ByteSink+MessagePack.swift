// SPDX-License-Identifier: Apache-2.0

/// MessagePack, each value in its shortest encoding.
extension ByteSink {
    mutating func packNull() { append(0xC0) }
    mutating func pack(_ bool: Bool) { append(bool ? 0xC3 : 0xC2) }
    mutating func pack(_ double: Double) { small(0xCB, double.bitPattern) }

    /// Writes a whole number; one of 64 bits is signed where it can be, as Sente writes it.
    mutating func pack(_ integer: Int64) {
        switch integer {
        case -32...127: append(UInt8(truncatingIfNeeded: integer))
        case 0...0xFF: small(0xCC, UInt8(truncatingIfNeeded: integer))
        case 0...0xFFFF: small(0xCD, UInt16(truncatingIfNeeded: integer))
        case 0...0xFFFF_FFFF: small(0xCE, UInt32(truncatingIfNeeded: integer))
        case -0x80..<0: small(0xD0, UInt8(truncatingIfNeeded: integer))
        case -0x8000..<0: small(0xD1, UInt16(truncatingIfNeeded: integer))
        case -0x8000_0000..<0: small(0xD2, UInt32(truncatingIfNeeded: integer))
        default: small(0xD3, UInt64(bitPattern: integer))
        }
    }

    mutating func pack(_ text: String) {
        text.readUTF8 { content in
            packString(content.count)
            append(content)
        }
    }

    /// Begins a string of so many bytes, which are to be appended.
    mutating func packString(_ length: Int) {
        if length <= 0x1F {
            append(0xA0 | UInt8(truncatingIfNeeded: length))
        } else {
            header(0xD9, length)
        }
    }

    mutating func pack(_ content: [UInt8]) {
        header(0xC4, content.count)
        append(content)
    }

    mutating func packArray(_ count: Int) { collection(0x90, 0xDC, count) }
    mutating func packMap(_ count: Int) { collection(0x80, 0xDE, count) }

    mutating func packExt(_ type: Int8, _ content: [UInt8]) {
        extHeader(type, content.count)
        append(content)
    }

    mutating func packExt(_ type: Int8, _ text: String) {
        text.readUTF8 { content in
            extHeader(type, content.count)
            append(content)
        }
    }

    /// Writes an extension of one byte.
    mutating func packExt(_ type: Int8, byte: UInt8) {
        extHeader(type, 1)
        append(byte)
    }

    /// Makes what was written from `start` on the content of an extension.
    mutating func pack(from start: Int, inExt type: Int8) {
        var header = ByteSink()
        header.extHeader(type, length(from: start))
        insert(header.written, at: start)
    }

    private mutating func extHeader(_ type: Int8, _ length: Int) {
        switch length {
        case 1: append(0xD4)
        case 2: append(0xD5)
        case 4: append(0xD6)
        case 8: append(0xD7)
        case 16: append(0xD8)
        default: header(0xC7, length)
        }
        append(UInt8(bitPattern: type))
    }

    /// Writes a length of one, two or four bytes after the lead that says which; `lead` is that of one.
    private mutating func header(_ lead: UInt8, _ length: Int) {
        switch length {
        case ...0xFF: small(lead, UInt8(truncatingIfNeeded: length))
        case ...0xFFFF: small(lead + 1, UInt16(truncatingIfNeeded: length))
        default: small(lead + 2, UInt32(clamping: length))
        }
    }

    private mutating func collection(_ fewLead: UInt8, _ lead: UInt8, _ count: Int) {
        switch count {
        case ...0xF: append(fewLead | UInt8(truncatingIfNeeded: count))
        case ...0xFFFF: small(lead, UInt16(truncatingIfNeeded: count))
        default: small(lead + 1, UInt32(clamping: count))
        }
    }

    @inline(__always)
    private mutating func small(_ lead: UInt8, _ value: some FixedWidthInteger) {
        append(lead)
        append(bigEndian: value)
    }
}
