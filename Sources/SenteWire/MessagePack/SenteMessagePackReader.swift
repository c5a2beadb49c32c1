// SPDX-License-Identifier: Apache-2.0

/// Reads one value as Sente's MessagePack packer writes it, without recursion.
struct SenteMessagePackReader: DocumentReader, ~Copyable {
    /// A collection that is being read.
    private struct Frame {
        enum Kind { case document, array, map, set }

        let kind: Kind
        let start: Int
        /// How many values, keys included, are still to come.
        var remaining: Int
        /// Where the content of a set's extension ends.
        let end: Int
    }

    private struct CachedKey {
        let key: Value
        let fingerprint: UInt32
    }

    private var scanner: MessagePackScanner
    private var stack = ValueStack()
    /// The innermost collection, and those around it.
    private var current = Frame(kind: .document, start: 0, remaining: 1, end: 0)
    private var parents: [Frame] = []
    private var keys: [CachedKey] = []
    private let maximumDepth: Int

    init(_ document: UnsafeRawBufferPointer, _ limits: WireLimits) throws(WireError) {
        scanner = try MessagePackScanner(document, ifEmpty: "The MessagePack document is empty.")
        maximumDepth = limits.maximumDepth
    }

    mutating func document() throws(ReadingError) -> Value {
        repeat {
            if try value() { continue }
            while current.remaining == 0, let parent = parents.popLast() {
                let done = current
                current = parent
                try close(done)
            }
        } while current.kind != .document
        guard scanner.position == scanner.end else {
            throw scanner.error("Only one value may stand in a MessagePack document.")
        }
        return stack.pop()
    }

    /// Whether the next value is the key of a map.
    private var isAtKey: Bool { current.kind == .map && current.remaining & 1 == 0 }

    /// Reads a scalar or the start of a collection; true if a collection has begun.
    @inline(__always)
    private mutating func value() throws(ReadingError) -> Bool {
        switch try scanner.next() {
        case .integer(let integer): push(.integer(integer))
        case .string(let start, let count): pushName(.string(try scanner.text(start, count)), start, count)
        case .double(let double): push(.double(double))
        case .array(let count): return try begin(.array, count: count, values: count)
        case .map(let count): return try begin(.map, count: count, values: count * 2)
        case .null: push(.null)
        case .bool(let bool): push(.bool(bool))
        case .unsigned(let integer): push(.bigInteger(BigInteger(integer)))
        case .bytes(let start, let count): push(.bytes(content(start, count)))
        case .ext(let type, let start, let count): return try ext(type, start, count)
        }
        return false
    }

    @inline(__always)
    private mutating func push(_ value: consuming Value, fingerprint: UInt32 = 0) {
        stack.pushKey(value, fingerprint: fingerprint)
        current.remaining -= 1
    }

    /// Takes a text or keyword; as a key that was written out it gets the next number.
    @inline(__always)
    private mutating func pushName(_ name: Value, _ start: Int, _ count: Int) {
        guard isAtKey else { return push(name) }
        let fingerprint = Fingerprint.of(scanner.bytes + start, count: count)
        if keys.isEmpty { keys.reserveCapacity(16) }
        if keys.count < SenteExtension.cachedKeys {
            keys.append(CachedKey(key: name, fingerprint: fingerprint))
        }
        push(name, fingerprint: fingerprint)
    }

    private mutating func begin(
        _ kind: Frame.Kind, count: Int, values: Int, end: Int = 0
    ) throws(ReadingError) -> Bool {
        guard parents.count < maximumDepth else {
            throw scanner.error("The MessagePack document is nested too deep.", .tooDeep)
        }
        // Each value takes a byte at least, so a length that lies is found before anything grows.
        guard values <= scanner.end - scanner.position else { throw scanner.incomplete() }
        current.remaining -= 1
        parents.append(current)
        current = Frame(kind: kind, start: stack.count, remaining: values, end: end)
        return count > 0
    }

    private mutating func close(_ frame: Frame) throws(ReadingError) {
        switch frame.kind {
        case .document: break
        case .array: stack.pushKey(.vector(stack.takeArray(from: frame.start)), fingerprint: 0)
        case .map: stack.pushKey(.map(stack.takeMap(from: frame.start)), fingerprint: 0)
        case .set:
            guard scanner.position == frame.end else {
                throw scanner.error("A set's extension must hold one array and nothing else.")
            }
            stack.pushKey(.set(ValueSet(stack.takeArray(from: frame.start))), fingerprint: 0)
        }
    }

    private func content(_ start: Int, _ count: Int) -> [UInt8] {
        Array(UnsafeBufferPointer(start: scanner.bytes + start, count: count))
    }

    private mutating func ext(_ type: Int8, _ start: Int, _ count: Int) throws(ReadingError) -> Bool {
        switch type {
        case SenteExtension.cachedKey: try cachedKey(start, count)
        case SenteExtension.keyword:
            let keyword = Keyword(exactly: try scanner.text(start, count))
            pushName(.keyword(keyword), start, count)
        case SenteExtension.symbol: push(.symbol(Symbol(try scanner.text(start, count))))
        case SenteExtension.character: push(.character(try character(start, count)))
        case SenteExtension.ratio: push(try ratio(start, count))
        case SenteExtension.set:
            // The content is read where it stands: its maps share the message's keys.
            scanner.position = start
            guard case .array(let values) = try scanner.next() else {
                throw ReadingError("A set's extension must hold an array.", at: start)
            }
            return try begin(.set, count: values, values: values, end: start + count)
        case SenteExtension.integers, SenteExtension.floats, SenteExtension.doubles:
            push(.vector(try numbers(type, start, count)))
        case SenteExtension.uuid:
            guard let id = UniqueID(try scanner.text(start, count)) else {
                throw ReadingError("A UUID is written as 8-4-4-4-12 hexadecimal digits.", at: start)
            }
            push(.uuid(id))
        case SenteExtension.timestamp: push(.instant(try timestamp(start, count)))
        default: push(.tagged(SenteExtension.tag(type), .bytes(content(start, count))))
        }
        return false
    }

    private mutating func cachedKey(_ start: Int, _ count: Int) throws(ReadingError) {
        guard isAtKey, count == 1 else {
            throw ReadingError("The number of a key stands only for a key.", at: start)
        }
        let number = Int(scanner.bytes[start])
        guard number < keys.count else {
            throw ReadingError("No key of this message has that number.", at: start)
        }
        push(keys[number].key, fingerprint: keys[number].fingerprint)
    }

    private func character(_ start: Int, _ count: Int) throws(ReadingError) -> Unicode.Scalar {
        let scalars = try scanner.text(start, count).unicodeScalars
        guard let scalar = scalars.first, scalars.dropFirst().isEmpty else {
            throw ReadingError("A character is one Unicode scalar.", at: start)
        }
        return scalar
    }

    /// Reads two whole numbers.
    private mutating func ratio(_ start: Int, _ count: Int) throws(ReadingError) -> Value {
        scanner.position = start
        let numerator = try wholeNumber()
        let denominator = try wholeNumber()
        guard scanner.position == start + count, let ratio = Ratio(numerator, denominator) else {
            throw ReadingError("A ratio is two whole numbers, the second not zero.", at: start)
        }
        return .ratio(ratio)
    }

    private mutating func wholeNumber() throws(ReadingError) -> BigInteger {
        let start = scanner.position
        switch try scanner.next() {
        case .integer(let integer): return BigInteger(integer)
        case .unsigned(let integer): return BigInteger(integer)
        default: throw ReadingError("A ratio is two whole numbers, the second not zero.", at: start)
        }
    }

    /// Reads a Java array of numbers, big-endian.
    private mutating func numbers(_ type: Int8, _ start: Int, _ count: Int) throws(ReadingError) -> [Value] {
        let width = type == SenteExtension.doubles ? 8 : 4
        guard count % width == 0 else {
            throw ReadingError("The array ends in the middle of a number.", at: start)
        }
        scanner.position = start
        var numbers: [Value] = []
        numbers.reserveCapacity(count / width)
        for _ in 0..<(count / width) {
            let bits = try scanner.unsigned(width)
            let half = UInt32(truncatingIfNeeded: bits)
            switch type {
            case SenteExtension.integers: numbers.append(.integer(Int64(Int32(bitPattern: half))))
            case SenteExtension.floats: numbers.append(.double(Double(Float(bitPattern: half))))
            default: numbers.append(.double(Double(bitPattern: bits)))
            }
        }
        return numbers
    }

    /// Reads a timestamp of 4, 8 or 12 bytes (MessagePack specification, "Timestamp extension type").
    private mutating func timestamp(_ start: Int, _ count: Int) throws(ReadingError) -> Timestamp {
        scanner.position = start
        let (seconds, nanoseconds): (Int64, UInt64)
        switch count {
        case 4: (seconds, nanoseconds) = (Int64(try scanner.unsigned(4)), 0)
        case 8:
            let both = try scanner.unsigned(8)
            (seconds, nanoseconds) = (Int64(both & 0x3_FFFF_FFFF), both >> 34)
        case 12:
            nanoseconds = try scanner.unsigned(4)
            seconds = Int64(bitPattern: try scanner.unsigned(8))
        default: throw ReadingError("A timestamp has 4, 8 or 12 bytes.", at: start)
        }
        guard nanoseconds <= 999_999_999 else {
            throw ReadingError("A timestamp has fewer nanoseconds than a second.", at: start)
        }
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let (milliseconds, carry) = whole.addingReportingOverflow(Int64(nanoseconds / 1_000_000))
        guard !overflow, !carry else {
            throw ReadingError("The timestamp is beyond 292 million years.", .outOfRange, at: start)
        }
        return Timestamp(milliseconds: milliseconds, nanoseconds: UInt32(nanoseconds % 1_000_000))
    }
}
