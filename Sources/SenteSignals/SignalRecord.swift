// SPDX-License-Identifier: Apache-2.0

package import SenteWire

/// A signal as bytes, read in place and without allocation.
///
/// It is good for as long as the bytes under it are. Texts are UTF-8 and may hold anything, names and keys too: who writes them
/// escapes them.
@usableFromInline
package struct SignalRecord {
    package typealias Text = UnsafeBufferPointer<UInt8>

    @usableFromInline package let bytes: UnsafeRawPointer

    /// Reads what a `SignalFields` wrote.
    @inlinable
    package init(_ bytes: UnsafeRawPointer) {
        self.bytes = bytes
    }

    /// Reads the first record of some bytes; there must be one.
    package init(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count >= RecordLayout.head, "There is no record in so few bytes.")
        self.bytes = bytes.baseAddress.unsafelyUnwrapped
    }

    /// How many bytes it has.
    @inlinable package var size: Int { Int(load(RecordLayout.size, as: UInt16.self)) }
    package var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: size) }
    @inlinable package var level: SignalLevel {
        SignalLevel(rawValue: Int(load(RecordLayout.level, as: Int16.self)))
    }
    package var kind: SignalKind { SignalKind(byte: load(RecordLayout.kind, as: UInt8.self)) }
    /// Nanoseconds since 1970.
    @inlinable package var time: Int64 { load(RecordLayout.time, as: Int64.self) }
    @inlinable package var sequence: UInt64 { load(RecordLayout.sequence, as: UInt64.self) }
    /// How many changes of its telemetry were made before it.
    package var generation: UInt32 { load(RecordLayout.generation, as: UInt32.self) }
    /// The number of the handler that raised it; 0 for all others.
    package var origin: UInt16 { load(RecordLayout.origin, as: UInt16.self) }

    package var namespace: Text {
        name(RecordLayout.namespace, RecordLayout.namespaceLength, copiedAt: RecordLayout.head)
            ?? Text(start: nil, count: 0)
    }

    /// An id in one or two parts.
    package struct ID {
        /// What stands before the name and a slash; nil where the name has it.
        package var namespace: Text?
        package var name: Text
    }

    package var id: ID? {
        guard let name = name(RecordLayout.id, RecordLayout.idLength, copiedAt: idCopy) else { return nil }
        let isRelative =
            load(RecordLayout.flags, as: UInt8.self) & RecordLayout.relativeID != 0
            && !name.contains(UInt8(ascii: "/"))
        return ID(namespace: isRelative ? namespace : nil, name: name)
    }

    package var file: Text? { name(RecordLayout.file, RecordLayout.fileLength, copiedAt: fileCopy) }

    package var line: Int? {
        let line = load(RecordLayout.line, as: UInt32.self)
        return line == 0 ? nil : Int(line)
    }

    /// All fields, in the order in which they were written.
    package var fields: Fields {
        Fields(
            position: fileCopy + copied(RecordLayout.file, RecordLayout.fileLength), end: size, bytes: bytes)
    }

    /// The same of a record none of whose names was copied.
    @inline(__always)
    var fieldsBehindHead: Fields { Fields(position: RecordLayout.head, end: size, bytes: bytes) }

    /// What the signal says in numbers and names; of a key that was given again the last.
    package var data: KeyedFields { KeyedFields(fields: fields, role: .data) }
    /// What held around it; of a key that was given again the last.
    package var context: KeyedFields {
        var fields = fields
        if !has(.context) { fields.position = fields.end }
        return KeyedFields(fields: fields, role: .context)
    }

    package var message: Text? { text(.message) }

    package struct ErrorText {
        package var type: Text
        package var message: Text
        package var code: Text?
    }

    package var error: ErrorText? {
        guard let type = text(.errorType), let message = text(.errorMessage) else { return nil }
        return ErrorText(type: type, message: message, code: text(.errorCode))
    }

    package var trace: TraceContext? {
        guard let bytes = text(.trace).map(UnsafeRawBufferPointer.init), bytes.count >= 26 else { return nil }
        return TraceContext(
            traceID: .init(
                high: bytes.loadUnaligned(as: UInt64.self),
                low: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
            spanID: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self), isSampled: bytes[24] == 1,
            state: bytes[25] == 1 ? String(decoding: bytes[26...], as: UTF8.self) : nil)
    }

    package var durationNanoseconds: Int64? {
        guard has(.duration),
            case .integer(let nanoseconds)? = fields.first(where: { $0.role == .duration })?.value
        else {
            return nil
        }
        return nanoseconds
    }

    // MARK: -

    @inlinable
    func load<Word>(_ offset: Int, as type: Word.Type) -> Word {
        bytes.loadUnaligned(fromByteOffset: offset, as: type)
    }

    @inline(__always)
    private var idCopy: Int {
        RecordLayout.head + copied(RecordLayout.namespace, RecordLayout.namespaceLength)
    }

    @inline(__always)
    private var fileCopy: Int { idCopy + copied(RecordLayout.id, RecordLayout.idLength) }

    /// How many bytes a name takes behind the head.
    @inline(__always)
    private func copied(_ address: Int, _ length: Int) -> Int {
        let count = load(length, as: UInt16.self)
        return load(address, as: UInt.self) != 0 || count == RecordLayout.none
            ? 0 : RecordLayout.padded(Int(count))
    }

    private func name(_ address: Int, _ length: Int, copiedAt copy: Int) -> Text? {
        let count = load(length, as: UInt16.self)
        guard count != RecordLayout.none else { return nil }
        return Text(bytes, load(address, as: UInt.self), orAt: copy, Int(count))
    }

    /// Whether one of its names stands behind the head.
    @inline(__always)
    var hasCopiedName: Bool { load(RecordLayout.flags, as: UInt8.self) & RecordLayout.copiedName != 0 }

    /// Whether a field is anything but data.
    var hasMoreThanData: Bool { load(RecordLayout.roles, as: UInt16.self) != 0 }

    private func has(_ role: FieldRole) -> Bool {
        load(RecordLayout.roles, as: UInt16.self) & role.bit != 0
    }

    private func text(_ role: FieldRole) -> Text? {
        guard has(role), case .text(let text)? = fields.first(where: { $0.role == role })?.value else {
            return nil
        }
        return text
    }
}

extension SignalRecord {
    /// A value in place.
    package enum Content {
        case null
        case integer(Int64)
        case double(Double)
        case bool(Bool)
        case text(Text)
        /// A keyword without its colon.
        case keyword(Text)
        /// Anything else, as EDN that reads back.
        case edn(Text)
    }

    /// A field in place; what is not asked for is not read.
    package struct Field {
        private let at: UnsafeRawPointer

        fileprivate init(at: UnsafeRawPointer) {
            self.at = at
        }

        @inline(__always)
        private func load<Word>(_ offset: Int, as type: Word.Type = Word.self) -> Word {
            at.loadUnaligned(fromByteOffset: offset, as: type)
        }

        private var keyAddress: UInt { load(RecordLayout.key) }
        private var keyLength: Int { Int(load(RecordLayout.keyLength, as: UInt16.self)) }
        private var short: UInt32 { load(RecordLayout.short) }
        private var word: UInt64 { load(valuePlace) }
        private var type: UInt8 { load(RecordLayout.type) }

        /// Where a word or a text stands.
        private var valuePlace: Int {
            RecordLayout.field + (keyAddress == 0 ? RecordLayout.padded(keyLength) : 0)
        }

        /// How many bytes it has.
        @inline(__always)
        fileprivate var size: Int {
            let type = type
            if type < FieldType.text.rawValue { return valuePlace }
            return valuePlace
                + (type < FieldType.integer.rawValue ? RecordLayout.padded(Int(short)) : RecordLayout.word)
        }

        var role: FieldRole { FieldRole(rawValue: load(RecordLayout.role)) ?? .data }

        func isRole(_ role: FieldRole) -> Bool { load(RecordLayout.role, as: UInt8.self) == role.rawValue }

        package var key: Text { Text(at, keyAddress, orAt: RecordLayout.field, keyLength) }

        /// Whether the key stands where it stays.
        var hasLastingKey: Bool { keyAddress != 0 }

        /// Whether its value is a number, a word or a text that was copied.
        @inline(__always)
        var hasValueInPlace: Bool { type != FieldType.edn.rawValue && type != FieldType.staticText.rawValue }

        @inline(__always)
        func hasKey(at address: UInt, count: Int) -> Bool { keyAddress == address && keyLength == count }

        fileprivate func hasKey(_ key: Text) -> Bool { keyLength == key.count && self.key.elementsEqual(key) }

        @inline(__always)
        package var value: Content {
            switch type {
            case FieldType.bool.rawValue: .bool(short != 0)
            case FieldType.shortInteger.rawValue: .integer(Int64(Int32(bitPattern: short)))
            case FieldType.text.rawValue: .text(text(at: 0))
            case FieldType.keyword.rawValue: .keyword(text(at: 0))
            case FieldType.edn.rawValue: .edn(text(at: 0))
            case FieldType.integer.rawValue: .integer(Int64(bitPattern: word))
            case FieldType.double.rawValue: .double(Double(bitPattern: word))
            case FieldType.staticText.rawValue: .text(text(at: UInt(word)))
            default: .null
            }
        }

        private func text(at address: UInt) -> Text { Text(at, address, orAt: valuePlace, Int(short)) }
    }

    package struct Fields: Sequence, IteratorProtocol {
        fileprivate var position: Int
        fileprivate let end: Int
        fileprivate let bytes: UnsafeRawPointer

        var hasAny: Bool { position < end }

        @inline(__always)
        package mutating func next() -> Field? {
            guard position < end else { return nil }
            let field = Field(at: bytes + position)
            position += field.size
            return field
        }
    }

    package struct KeyedFields: Sequence, IteratorProtocol {
        var fields: Fields
        let role: FieldRole

        @inline(__always)
        package mutating func next() -> Field? {
            while let field = fields.next() {
                if field.isRole(role), !isGivenAgain(field.key) { return field }
            }
            return nil
        }

        private func isGivenAgain(_ key: Text) -> Bool {
            fields.contains { $0.isRole(role) && $0.hasKey(key) }
        }
    }
}

extension SignalRecord.Text {
    fileprivate init(_ base: UnsafeRawPointer, _ address: UInt, orAt offset: Int, _ count: Int) {
        let start = UnsafeRawPointer(bitPattern: address) ?? base + offset
        self.init(start: start.assumingMemoryBound(to: UInt8.self), count: count)
    }
}

extension SignalKind {
    /// The kinds in the order of their bytes.
    var byte: UInt8 {
        switch self {
        case .log: 0
        case .event: 1
        case .error: 2
        case .span: 3
        case .startup: 4
        case .module: 5
        }
    }

    init(byte: UInt8) {
        switch byte {
        case 0: self = .log
        case 2: self = .error
        case 3: self = .span
        case 4: self = .startup
        case 5: self = .module
        default: self = .event
        }
    }
}
