// SPDX-License-Identifier: Apache-2.0

/// Where things stand in a record, in bytes: a head, the names that had to be copied, then fields, each with its texts behind it.
///
/// All that is written once for the life of the process (`StaticString`) stands as an address and a length. A record is read by
/// the process that wrote it, so words have the machine's order.
@usableFromInline
enum RecordLayout {
    // The head, a cache line. A name whose address is 0 was copied behind it; one whose length is `none` is nil.
    @usableFromInline static let size = 0  // UInt16, a multiple of 8
    static let origin = 2  // UInt16
    static let generation = 4  // UInt32
    @usableFromInline static let time = 8  // Int64
    @usableFromInline static let sequence = 16  // UInt64
    // From here on all records of a call site are the same.
    static let site = 24
    @usableFromInline static let level = 24  // Int16
    static let kind = 26  // UInt8
    static let flags = 27  // UInt8
    static let line = 28  // UInt32, 0 for none
    static let roles = 32  // UInt16, a bit for each role of its fields but data
    static let namespaceLength = 34  // UInt16
    static let idLength = 36  // UInt16
    static let fileLength = 38  // UInt16
    static let namespace = 40  // address
    static let id = 48  // address
    static let file = 56  // address
    @usableFromInline static let head = 64
    static let none = UInt16.max

    /// The flag of an id that may stand without its namespace.
    static let relativeID: UInt8 = 1
    /// The flag of names that were copied.
    static let copiedName: UInt8 = 2

    // A field. Behind it stand, each filled up to 8 bytes: its key if the address is 0, then a word if its type has one, or a
    // text that was copied.
    @usableFromInline static let role = 0  // UInt8
    @usableFromInline static let type = 1  // UInt8
    @usableFromInline static let keyLength = 2  // UInt16
    @usableFromInline static let short = 4  // UInt32, a short value's bits, or a text's length
    @usableFromInline static let key = 8  // address
    @usableFromInline static let field = 16
    @usableFromInline static let word = 8  // a number's bits, or a text's address

    @inline(__always)
    static func padded(_ count: Int) -> Int { (count + 7) & ~7 }
}

/// What a field is of its signal.
@usableFromInline
enum FieldRole: UInt8 {
    case data, context, message, errorType, errorMessage, errorCode, trace, duration

    var bit: UInt16 { 1 << UInt16(rawValue) }
}

/// How a field's value is written: short ones in the field itself, then those that are copied behind it, then those of a word.
@usableFromInline
enum FieldType: UInt8 {
    case null, bool, shortInteger
    case text, keyword, edn
    case integer, double
    /// A text at an address.
    case staticText

    var hasText: Bool { self == .text || self == .keyword || self == .edn }
    var hasWord: Bool { rawValue >= Self.integer.rawValue }
}
