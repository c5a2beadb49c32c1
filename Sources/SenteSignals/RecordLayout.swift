// SPDX-License-Identifier: Apache-2.0

/// Where things stand in a record, in bytes: a head, the names that had to be copied, then fields, each with its texts behind it.
///
/// All that is written once for the life of the process (`StaticString`) stands as an address and a length. A record is read by
/// the process that wrote it, so words have the machine's order.
@usableFromInline
enum RecordLayout {
    // The head. A name whose address is 0 was copied behind it; one whose length is `none` is nil.
    @usableFromInline static let size = 0  // UInt32, a multiple of 8
    static let kind = 4  // UInt8
    static let flags = 5  // UInt8
    static let origin = 6  // UInt16
    @usableFromInline static let time = 8  // Int64
    @usableFromInline static let sequence = 16  // UInt64
    @usableFromInline static let level = 24  // Int16
    static let roles = 26  // UInt16, a bit for each role of its fields but data
    static let generation = 28  // UInt32
    static let namespace = 32  // address
    static let id = 40  // address
    static let file = 48  // address
    static let line = 56  // UInt32, 0 for none
    static let namespaceLength = 60  // UInt32
    static let idLength = 64  // UInt32
    static let fileLength = 68  // UInt32
    @usableFromInline static let head = 72
    static let none = UInt32.max

    /// The flag of an id that may stand without its namespace.
    static let relativeID: UInt8 = 1

    // A field. A key whose address is 0 was copied behind it, before the text, each filled up to 8 bytes.
    @usableFromInline static let role = 0  // UInt8
    @usableFromInline static let type = 1  // UInt8
    @usableFromInline static let keyLength = 2  // UInt16
    @usableFromInline static let textLength = 4  // UInt32
    @usableFromInline static let key = 8  // address
    @usableFromInline static let word = 16  // a number's bits, or a text's address
    @usableFromInline static let field = 24

    @inline(__always)
    static func padded(_ count: Int) -> Int { (count + 7) & ~7 }
}

/// What a field is of its signal.
@usableFromInline
enum FieldRole: UInt8 {
    case data, context, message, errorType, errorMessage, errorCode, trace, duration

    var bit: UInt16 { 1 << UInt16(rawValue) }
}

/// How a field's value is written.
@usableFromInline
enum FieldType: UInt8 {
    case null, integer, double, bool, text, keyword, edn
    /// A text at an address.
    case staticText
}
