// SPDX-License-Identifier: Apache-2.0

/// Reads one JSON document (RFC 8259), without recursion.
struct JSONReader: DocumentReader, ~Copyable {
    private var scanner: TextScanner
    private var stack: ValueStack
    /// The innermost collection: where in the stack its values begin, times two, plus one for objects.
    ///
    /// That of the collection around it stands in the stack right before them, so that none needs memory of its own.
    private var open = 0
    private var depth = 0
    private let maximumDepth: Int

    /// `memory` is what `ValueStack.lendMemory` lends.
    init(
        _ document: UnsafeRawBufferPointer, _ limits: WireLimits, on memory: UnsafeMutableRawPointer?
    ) throws(WireError) {
        scanner = try TextScanner(document, .json, ifEmpty: "The JSON document is empty.")
        stack = ValueStack(on: memory)
        maximumDepth = limits.maximumDepth
    }

    mutating func document() throws(ReadingError) -> Value {
        repeat {
            if try value() { continue }
            while try next() {}
        } while depth > 0
        try scanner.finish("Only one value may stand in a JSON document.")
        return stack.pop()
    }

    /// Reads a scalar, an empty collection, or the start of a collection; true if a value must come next.
    @inline(__always)
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
        guard depth < maximumDepth else {
            throw scanner.error("The JSON document is nested too deep.", .tooDeep)
        }
        scanner.position += 1
        if try scanner.nextByte() == close {
            scanner.position += 1
            stack.push(isObject ? .map(ValueMap()) : .vector([]))
            return false
        }
        depth += 1
        stack.push(.integer(Int64(open)))
        open = stack.count << 1 | (isObject ? 1 : 0)
        if isObject { try key() }
        return true
    }

    /// Goes on after a value: true after the end of a collection, false where a value must come next.
    @inline(__always)
    private mutating func next() throws(ReadingError) -> Bool {
        guard depth > 0 else { return false }
        let isObject = open & 1 == 1
        switch try scanner.nextByte() {
        case UInt8(ascii: ","):
            scanner.position += 1
            if isObject { try key() }
            return false
        case UInt8(ascii: "}") where isObject: close(.map(stack.takeMap(from: open >> 1)))
        case UInt8(ascii: "]") where !isObject: close(.vector(stack.takeArray(from: open >> 1)))
        default:
            throw isObject
                ? scanner.error("A comma or the end of the object must come here.")
                : scanner.error("A comma or the end of the array must come here.")
        }
        return true
    }

    @inline(__always)
    private mutating func close(_ collection: consuming Value) {
        scanner.position += 1
        depth -= 1
        if case .integer(let outer) = stack.pop() { open = Int(truncatingIfNeeded: outer) }
        stack.push(collection)
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
