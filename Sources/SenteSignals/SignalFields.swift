// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// What a call writes its data into: `log.info("joined") { $0["members"] = 7 }`.
///
/// Keys can be written, not read; one written again replaces what it had. A text is cut after 16 KiB, and then ends in
/// `… (N bytes)` with the length it had. A signal holds 48 KiB and 256 fields; one that was given more says in
/// `fields-left-out` how many it lacks.
public struct SignalFields: ~Copyable {
    package static let maximumText = 16 << 10
    package static let maximumRecord = 48 << 10
    /// Three names and the head fit wherever a record fits.
    static let maximumName = 4 << 10
    @usableFromInline static let maximumFields = 256

    // The caller's stack until more is needed. Setters of numbers write into it from other modules, hence the access.
    @usableFromInline var base: UnsafeMutableRawPointer
    @usableFromInline var count = 0
    @usableFromInline var capacity: Int
    @usableFromInline var fieldCount = 0
    @usableFromInline var leftOut = 0
    @usableFromInline var isAllocated = false

    /// Begins a record in space that outlives it.
    ///
    /// Inlined, for the value is else copied by words wider than those it was just written by, for which a processor waits.
    @inlinable
    package init(in space: UnsafeMutableRawBufferPointer, level: SignalLevel, kind: SignalKind) {
        if let start = space.baseAddress, space.count >= RecordLayout.head {
            (base, capacity) = (start, space.count)
        } else {
            (base, capacity) = (.allocate(byteCount: 1_024, alignment: 8), 1_024)
            isAllocated = true
        }
        count = RecordLayout.head
        writeHead(level, kind)
    }

    @usableFromInline
    func writeHead(_ level: SignalLevel, _ kind: SignalKind) {
        store(0 as UInt64, at: RecordLayout.size)
        store(0 as UInt64, at: RecordLayout.sequence)
        // As a little-endian machine reads them: level and kind, no flags and no line; no roles, and three names that are nil.
        let level = UInt16(bitPattern: Int16(clamping: level.rawValue))
        store(UInt64(level) | UInt64(kind.byte) << 16, at: RecordLayout.level)
        store(~0 << 16 as UInt64, at: RecordLayout.roles)
    }

    deinit {
        if isAllocated { base.deallocate() }
    }

    /// The record, good for as long as this is; nothing may be added after.
    package mutating func finish(at time: Int64) -> SignalRecord {
        if leftOut > 0 { appendLeftOut() }
        store(UInt16(count), at: RecordLayout.size)
        store(time, at: RecordLayout.time)
        return SignalRecord(base)
    }

    mutating func appendLeftOut() {
        let number = UInt64(leftOut)
        fieldCount = 0
        Self.withKey("fields-left-out" as StaticString) {
            append(.data, .integer, key: $0, word: number, mayUseReserve: true)
        }
    }

    // MARK: - Bytes

    @inline(__always)
    func store<Word>(_ word: Word, at offset: Int) {
        base.storeBytes(of: word, toByteOffset: offset, as: Word.self)
    }

    /// Kept for the field that tells what was left out.
    private static let reserve = RecordLayout.field + RecordLayout.word

    /// How many more bytes a field may take.
    private var room: Int { Self.maximumRecord - Self.reserve - count }

    @inline(__always)
    private mutating func makeRoom(_ size: Int) {
        if capacity - count < size { grow(size) }
    }

    @inline(never)
    private mutating func grow(_ size: Int) {
        // No larger than a record may be, so that whoever finds room here need not ask for the limit, too.
        let larger = max(count + size, min(capacity * 2, Self.maximumRecord - Self.reserve))
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
        bytes.copyMemory(from: base, byteCount: count)
        if isAllocated { base.deallocate() }
        (base, capacity, isAllocated) = (bytes, larger, true)
    }

    /// Copies a text and fills up to 8 bytes.
    mutating func append(padding text: UnsafeBufferPointer<UInt8>) {
        guard let start = text.baseAddress, !text.isEmpty else { return }
        makeRoom(RecordLayout.padded(text.count))
        (base + count).copyMemory(from: start, byteCount: text.count)
        count += RecordLayout.padded(text.count)
    }

    /// A key: at an address that stays, or to be copied.
    struct Key {
        var text: UnsafeBufferPointer<UInt8>
        var isPermanent: Bool
    }

    @inline(__always)
    static func withKey<R>(_ key: StaticString, _ body: (Key) -> R) -> R {
        guard key.hasPointerRepresentation, key.utf8CodeUnitCount <= maximumName else {
            return withKey(key.description, body)
        }
        let text = UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        return body(Key(text: text, isPermanent: true))
    }

    static func withKey<R>(_ key: String, _ body: (Key) -> R) -> R {
        var key = key.cut(to: maximumName)
        return key.withUTF8 { body(Key(text: $0, isPermanent: false)) }
    }

    /// Appends a field, or counts it as left out.
    mutating func append(
        _ role: FieldRole, _ type: FieldType, key: Key, word: UInt64 = 0,
        text: UnsafeBufferPointer<UInt8> = .init(start: nil, count: 0), mayUseReserve: Bool = false
    ) {
        let copied = key.isPermanent ? 0 : RecordLayout.padded(key.text.count)
        let size =
            RecordLayout.field + copied + (type.hasWord ? RecordLayout.word : 0)
            + (type.hasText ? RecordLayout.padded(text.count) : 0)
        guard fieldCount < Self.maximumFields, mayUseReserve || size <= room else {
            leftOut += 1
            return
        }
        makeRoom(size)
        fieldCount += 1
        if role != .data { add(role) }
        store(role.rawValue, at: count + RecordLayout.role)
        store(type.rawValue, at: count + RecordLayout.type)
        store(UInt16(key.text.count), at: count + RecordLayout.keyLength)
        let isText = type.hasText || type == .staticText
        store(isText ? UInt32(text.count) : UInt32(truncatingIfNeeded: word), at: count + RecordLayout.short)
        store(key.isPermanent ? UInt(bitPattern: key.text.baseAddress) : 0, at: count + RecordLayout.key)
        count += RecordLayout.field
        if !key.isPermanent { append(padding: key.text) }
        if type.hasWord {
            store(word, at: count)
            count += RecordLayout.word
        }
        if type.hasText { append(padding: text) }
    }

    /// Appends a text, cut to what is allowed and to what there is room for.
    mutating func append(_ role: FieldRole, _ type: FieldType = .text, key: Key, text: String) {
        let left = room - RecordLayout.field - (key.isPermanent ? 0 : RecordLayout.padded(key.text.count))
        let limit = min(Self.maximumText, max(left & ~7, 64))
        var text = text.utf8.count <= limit ? text : text.cut(to: limit)
        text.withUTF8 { append(role, type, key: key, text: $0) }
    }

    mutating func append(_ role: FieldRole, key: Key, staticText text: StaticString) {
        guard text.hasPointerRepresentation else { return append(role, key: key, text: text.description) }
        append(
            role, .staticText, key: key, word: UInt64(UInt(bitPattern: text.utf8Start)),
            text: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private func add(_ role: FieldRole) {
        let roles = base.load(fromByteOffset: RecordLayout.roles, as: UInt16.self)
        store(roles | role.bit, at: RecordLayout.roles)
    }

    /// Copies what another record has encoded.
    mutating func append(encoded context: EncodedContext) {
        guard fieldCount + context.fieldCount <= Self.maximumFields, context.fields.count <= room else {
            leftOut += context.fieldCount
            return
        }
        fieldCount += context.fieldCount
        add(.context)
        context.fields.withUnsafeBufferPointer { append(padding: $0) }
    }

    mutating func append(_ role: FieldRole, key: Key, _ value: Value) {
        switch value {
        case .null: append(role, .null, key: key)
        case .bool(let bool): append(role, .bool, key: key, word: bool ? 1 : 0)
        case .integer(let integer): append(role, .integer, key: key, word: UInt64(bitPattern: integer))
        case .double(let double): append(role, .double, key: key, word: double.bitPattern)
        case .string(let text): append(role, key: key, text: text)
        case .keyword(let keyword): append(role, .keyword, key: key, text: keyword.text)
        default:
            // Half a document would not read back; what is too long or has no EDN stays readable as a text.
            if let edn = try? WireFormat.edn.encode(value),
                edn.count <= min(Self.maximumText, room - 2 * RecordLayout.field)
            {
                edn.withUnsafeBufferPointer { append(role, .edn, key: key, text: $0) }
            } else {
                append(role, key: key, text: value.description)
            }
        }
    }
}

extension String {
    /// The text itself, or as much of it as fits beside a mark that says how long it was.
    fileprivate func cut(to limit: Int) -> String {
        let count = utf8.count
        guard count > limit else { return self }
        let mark = "… (\(count) bytes)"
        // Cut within a character, a string goes as far as the one before.
        return self[..<utf8.index(startIndex, offsetBy: max(0, limit - mark.utf8.count))] + mark
    }
}
