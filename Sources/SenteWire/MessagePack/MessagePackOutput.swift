// SPDX-License-Identifier: Apache-2.0

/// Bytes of MessagePack in the making, each value in its shortest encoding.
struct MessagePackOutput {
    private(set) var bytes: [UInt8] = []

    var count: Int { bytes.count }

    mutating func null() {
        bytes.append(0xC0)
    }

    mutating func bool(_ bool: Bool) {
        bytes.append(bool ? 0xC3 : 0xC2)
    }

    mutating func double(_ double: Double) {
        bytes.append(0xCB)
        number(double.bitPattern)
    }

    /// Writes a whole number; one of 64 bits is signed where it can be, as Sente writes it.
    mutating func integer(_ integer: Int64) {
        switch integer {
        case -32...127: bytes.append(UInt8(truncatingIfNeeded: integer))
        case 0...0xFF: small(0xCC, UInt8(truncatingIfNeeded: integer))
        case 0...0xFFFF: small(0xCD, UInt16(truncatingIfNeeded: integer))
        case 0...0xFFFF_FFFF: small(0xCE, UInt32(truncatingIfNeeded: integer))
        case -0x80..<0: small(0xD0, UInt8(truncatingIfNeeded: integer))
        case -0x8000..<0: small(0xD1, UInt16(truncatingIfNeeded: integer))
        case -0x8000_0000..<0: small(0xD2, UInt32(truncatingIfNeeded: integer))
        default: small(0xD3, UInt64(bitPattern: integer))
        }
    }

    /// Writes a string, with Transit's mark in front if it has one.
    mutating func string(_ text: String, mark: TransitOutput.Mark = TransitOutput.Mark(count: 0, letter: 0)) {
        var text = text
        text.withUTF8 { content in
            let length = mark.count + content.count
            if length <= 0x1F {
                bytes.append(0xA0 | UInt8(truncatingIfNeeded: length))
            } else {
                header(0xD9, length)
            }
            if mark.count > 0 { bytes.append(UInt8(ascii: "~")) }
            if mark.count > 1 { bytes.append(mark.letter) }
            bytes.append(contentsOf: content)
        }
    }

    /// Writes one of Transit's cache codes.
    mutating func code(_ low: UInt8, after high: UInt8?) {
        bytes.append(high == nil ? 0xA2 : 0xA3)
        bytes.append(UInt8(ascii: "^"))
        if let high { bytes.append(high) }
        bytes.append(low)
    }

    mutating func binary(_ content: [UInt8]) {
        header(0xC4, content.count)
        bytes.append(contentsOf: content)
    }

    mutating func array(_ count: Int) {
        if count <= 0xF {
            bytes.append(0x90 | UInt8(truncatingIfNeeded: count))
        } else {
            collection(0xDC, count)
        }
    }

    mutating func map(_ count: Int) {
        if count <= 0xF {
            bytes.append(0x80 | UInt8(truncatingIfNeeded: count))
        } else {
            collection(0xDE, count)
        }
    }

    mutating func ext(_ type: Int8, _ content: [UInt8]) {
        extHeader(type, content.count)
        bytes.append(contentsOf: content)
    }

    mutating func ext(_ type: Int8, _ text: String) {
        var text = text
        text.withUTF8 { content in
            extHeader(type, content.count)
            bytes.append(contentsOf: content)
        }
    }

    /// Writes an extension of one byte.
    mutating func ext(_ type: Int8, byte: UInt8) {
        extHeader(type, 1)
        bytes.append(byte)
    }

    /// Makes what was written from `start` on the content of an extension.
    mutating func wrap(from start: Int, inExt type: Int8) {
        var header = MessagePackOutput()
        header.extHeader(type, bytes.count - start)
        bytes.insert(contentsOf: header.bytes, at: start)
    }

    private mutating func extHeader(_ type: Int8, _ length: Int) {
        switch length {
        case 1: bytes.append(0xD4)
        case 2: bytes.append(0xD5)
        case 4: bytes.append(0xD6)
        case 8: bytes.append(0xD7)
        case 16: bytes.append(0xD8)
        default: header(0xC7, length)
        }
        bytes.append(UInt8(bitPattern: type))
    }

    /// Writes a length of one, two or four bytes after the lead that says which; `lead` is that of one.
    private mutating func header(_ lead: UInt8, _ length: Int) {
        switch length {
        case ...0xFF: small(lead, UInt8(truncatingIfNeeded: length))
        case ...0xFFFF: small(lead + 1, UInt16(truncatingIfNeeded: length))
        default: small(lead + 2, UInt32(clamping: length))
        }
    }

    private mutating func collection(_ lead: UInt8, _ count: Int) {
        if count <= 0xFFFF {
            small(lead, UInt16(truncatingIfNeeded: count))
        } else {
            small(lead + 1, UInt32(clamping: count))
        }
    }

    @inline(__always)
    private mutating func small(_ lead: UInt8, _ value: some FixedWidthInteger) {
        bytes.append(lead)
        number(value)
    }

    @inline(__always)
    private mutating func number<Number: FixedWidthInteger>(_ value: Number) {
        var shift = Number.bitWidth
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
