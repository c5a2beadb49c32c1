// SPDX-License-Identifier: Apache-2.0

/// Reads one JSON document (RFC 8259), without recursion.
struct JSONReader: ~Copyable {
    private var scanner: JSONScanner
    private var stack = ValueStack()
    /// The open collections: where in the stack each began, times two, plus one for objects.
    private var open: [Int] = []
    private let maximumDepth: Int

    static func value(of buffer: UnsafeRawBufferPointer, limits: WireLimits) throws(WireError) -> Value {
        let buffer = buffer.bindMemory(to: UInt8.self)
        guard let base = buffer.baseAddress, !buffer.isEmpty else {
            throw WireError(.incomplete, "The JSON document is empty.", offset: 0)
        }
        var reader = JSONReader(
            scanner: JSONScanner(bytes: base, end: buffer.count), maximumDepth: limits.maximumDepth)
        do throws(ReadingError) {
            return try reader.document()
        } catch {
            throw WireError(error)
        }
    }

    private init(scanner: consuming JSONScanner, maximumDepth: Int) {
        self.scanner = scanner
        self.maximumDepth = maximumDepth
    }

    private mutating func document() throws(ReadingError) -> Value {
        repeat {
            if try value() { continue }
            while try next() {}
        } while !open.isEmpty
        try scanner.finish("Only one value may stand in a JSON document.")
        return stack.pop()
    }

    /// Reads a scalar, an empty collection, or the start of a collection; true if a value must come next.
    private mutating func value() throws(ReadingError) -> Bool {
        switch try scanner.nextByte() {
        case UInt8(ascii: "\""): stack.push(.string(try scanner.string()))
        case UInt8(ascii: "{"): return try begin(isObject: true, close: UInt8(ascii: "}"))
        case UInt8(ascii: "["): return try begin(isObject: false, close: UInt8(ascii: "]"))
        default: stack.push(try scanner.scalar())
        }
        return false
    }

    private mutating func begin(isObject: Bool, close: UInt8) throws(ReadingError) -> Bool {
        guard open.count < maximumDepth else {
            throw scanner.error("The JSON document is nested too deep.", .tooDeep)
        }
        scanner.position += 1
        if try scanner.nextByte() == close {
            scanner.position += 1
            stack.push(isObject ? .map(ValueMap()) : .vector([]))
            return false
        }
        if open.isEmpty { open.reserveCapacity(12) }
        open.append(stack.count << 1 | (isObject ? 1 : 0))
        if isObject { try key() }
        return true
    }

    /// Goes on after a value: true after the end of a collection, false where a value must come next.
    private mutating func next() throws(ReadingError) -> Bool {
        guard let current = open.last else { return false }
        let isObject = current & 1 == 1
        switch try scanner.nextByte() {
        case UInt8(ascii: ","):
            scanner.position += 1
            if isObject { try key() }
            return false
        case UInt8(ascii: "}") where isObject:
            stack.push(.map(stack.takeMap(from: current >> 1)))
        case UInt8(ascii: "]") where !isObject:
            stack.push(.vector(stack.takeArray(from: current >> 1)))
        default:
            throw isObject
                ? scanner.error("A comma or the end of the object must come here.")
                : scanner.error("A comma or the end of the array must come here.")
        }
        scanner.position += 1
        open.removeLast()
        return true
    }

    /// Reads a name and its colon.
    private mutating func key() throws(ReadingError) {
        guard try scanner.nextByte() == UInt8(ascii: "\"") else {
            throw scanner.error("A name in quotes must begin here.")
        }
        let start = scanner.position + 1
        let key = try scanner.string()
        let length = scanner.position - 1 - start
        // An escape is longer than what it stands for, so equal lengths mean that there was none.
        let fingerprint =
            key.utf8.count == length
            ? Fingerprint.of(scanner.bytes + start, count: length) : Fingerprint.of(key)
        stack.pushKey(.string(key), fingerprint: fingerprint)
        try scanner.colon()
    }
}
