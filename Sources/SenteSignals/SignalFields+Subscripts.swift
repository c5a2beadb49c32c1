// SPDX-License-Identifier: Apache-2.0

public import SenteWire

// A call's data is a third of what a call costs, so what numbers need is inlined where they are written.
extension SignalFields {
    /// Writes a whole number.
    @inlinable public subscript<Number: FixedWidthInteger>(key: StaticString) -> Number {
        @available(*, unavailable, message: "Data is written here, and read from a Signal.")
        get { 0 }
        set {
            if let word = Int64(exactly: newValue) {
                append(key, word)
            } else {
                append(key, Value(newValue))
            }
        }
    }

    /// Writes a number.
    @inlinable public subscript(key: StaticString) -> Double {
        @available(*, unavailable, message: "Data is written here, and read from a Signal.")
        get { 0 }
        set { append(.double, key, newValue.bitPattern) }
    }

    /// Writes true or false.
    @inlinable public subscript(key: StaticString) -> Bool {
        @available(*, unavailable, message: "Data is written here, and read from a Signal.")
        get { false }
        set { append(.bool, key, short: newValue ? 1 : 0) }
    }

    /// Writes a text.
    public subscript(key: StaticString) -> String {
        @available(*, unavailable, message: "Data is written here, and read from a Signal.")
        get { "" }
        set {
            var text = newValue
            text.withUTF8 { append(key, $0) }
        }
    }

    /// Writes a text of the program by its address.
    public subscript(key: StaticString) -> StaticString {
        @available(*, unavailable, message: "Data is written here, and read from a Signal.")
        get { "" }
        set { Self.withKey(key) { append(.data, key: $0, staticText: newValue) } }
    }

    /// Writes a keyword.
    public subscript(key: StaticString) -> Keyword {
        @available(*, unavailable, message: "Data is written here, and read from a Signal.")
        get { "" }
        set { Self.withKey(key) { append(.data, .keyword, key: $0, text: newValue.text) } }
    }

    /// Writes a duration in milliseconds, as a number with a fraction.
    public subscript(key: StaticString) -> Duration {
        @available(*, unavailable, message: "Data is written here, and read from a Signal.")
        get { .zero }
        set {
            let (seconds, attoseconds) = newValue.components
            append(.double, key, (Double(seconds) * 1e3 + Double(attoseconds) / 1e15).bitPattern)
        }
    }

    /// Writes an error as `{:type … :message …}`.
    public subscript(key: StaticString) -> any Error {
        @available(*, unavailable, message: "Data is written here, and read from a Signal.")
        get { WireError(.unencodable, "") }
        set { append(key, SignalError(newValue).value) }
    }

    /// Writes any value; what is no scalar costs as much as its EDN.
    public subscript(key: StaticString) -> Value {
        @available(*, unavailable, message: "Data is written here, and read from a Signal.")
        get { .null }
        set { append(key, newValue) }
    }

    @usableFromInline
    mutating func append(_ key: StaticString, _ value: Value) {
        Self.withKey(key) { append(.data, key: $0, value) }
    }

    @inlinable
    mutating func append(_ key: StaticString, _ integer: Int64) {
        if let short = Int32(exactly: integer) {
            append(.shortInteger, key, short: UInt32(bitPattern: short))
        } else {
            append(.integer, key, UInt64(bitPattern: integer))
        }
    }

    /// Appends a short value where nothing has to be copied and there is room, which is nearly always.
    @inlinable
    mutating func append(_ type: FieldType, _ key: StaticString, short: UInt32) {
        guard hasRoom(RecordLayout.field, key) else { return appendSlowly(type, key, UInt64(short)) }
        store(type, key, short)
    }

    /// The same of a word.
    @usableFromInline
    mutating func append(_ type: FieldType, _ key: StaticString, _ word: UInt64) {
        guard hasRoom(RecordLayout.field + RecordLayout.word, key) else {
            return appendSlowly(type, key, word)
        }
        store(type, key, 0)
        store(word, at: count)
        count += RecordLayout.word
    }

    @usableFromInline
    mutating func appendSlowly(_ type: FieldType, _ key: StaticString, _ word: UInt64) {
        Self.withKey(key) { append(.data, type, key: $0, word: word) }
    }

    /// Appends a text where all of it is kept and there is room, which is nearly always.
    private mutating func append(_ key: StaticString, _ text: UnsafeBufferPointer<UInt8>) {
        let size = RecordLayout.padded(text.count)
        guard let start = text.baseAddress, text.count <= Self.maximumText,
            hasRoom(RecordLayout.field + size, key)
        else {
            let text = String(decoding: text, as: UTF8.self)
            return Self.withKey(key) { append(.data, key: $0, text: text) }
        }
        store(.text, key, UInt32(truncatingIfNeeded: text.count))
        (base + count).copyMemory(from: start, byteCount: text.count)
        count += size
    }

    /// Whether a field fits as it is, under a key that stands at an address.
    @inlinable
    func hasRoom(_ size: Int, _ key: StaticString) -> Bool {
        key.hasPointerRepresentation && key.utf8CodeUnitCount <= 4_096 && capacity - count >= size
            && fieldCount < Self.maximumFields
    }

    /// Writes a field, but for what stands behind it.
    @inlinable
    mutating func store(_ type: FieldType, _ key: StaticString, _ short: UInt32) {
        let place = base + count
        // Role, type, key's length and value in one word, as a little-endian machine reads them: data is role 0.
        let head =
            UInt64(type.rawValue) << 8 | UInt64(truncatingIfNeeded: key.utf8CodeUnitCount) << 16
            | UInt64(short) << 32
        place.storeBytes(of: head, as: UInt64.self)
        place.storeBytes(of: UInt(bitPattern: key.utf8Start), toByteOffset: RecordLayout.key, as: UInt.self)
        count += RecordLayout.field
        fieldCount += 1
    }
}
