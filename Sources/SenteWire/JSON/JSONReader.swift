// SPDX-License-Identifier: Apache-2.0

/// Reads one JSON document (RFC 8259) of UTF-8 bytes in place, without recursion.
struct JSONReader: ~Copyable {
    typealias Fault = ReadingFault

    let bytes: UnsafePointer<UInt8>
    let end: Int
    var position = 0
    var scratch: [UInt8] = []
    private var stack = ValueStack()
    /// The open collections: where in the stack each began, times two, plus one for objects.
    private var open: [Int] = []
    private let maximumDepth: Int

    static func value(of buffer: UnsafeRawBufferPointer, limits: WireLimits) throws(WireError) -> Value {
        let buffer = buffer.bindMemory(to: UInt8.self)
        guard let base = buffer.baseAddress, !buffer.isEmpty else {
            throw WireError(.incomplete, "The JSON document is empty.", offset: 0)
        }
        var reader = JSONReader(bytes: base, end: buffer.count, maximumDepth: limits.maximumDepth)
        do throws(Fault) {
            return try reader.document()
        } catch {
            throw WireError(error.kind, error.message.description, offset: error.offset)
        }
    }

    init(bytes: UnsafePointer<UInt8>, end: Int, maximumDepth: Int) {
        self.bytes = bytes
        self.end = end
        self.maximumDepth = maximumDepth
    }

    private mutating func document() throws(Fault) -> Value {
        repeat {
            if try value() { continue }
            while try next() {}
        } while !open.isEmpty
        skipSpace()
        guard position == end else { throw fault("Only one value may stand in a JSON document.") }
        return stack.pop()
    }

    /// Reads a scalar, an empty collection, or the start of a collection; true if a value must come next.
    private mutating func value() throws(Fault) -> Bool {
        skipSpace()
        guard position < end else { throw incomplete() }
        switch bytes[position] {
        case UInt8(ascii: "\""): stack.push(.string(try string()))
        case UInt8(ascii: "{"): return try begin(isObject: true, close: UInt8(ascii: "}"))
        case UInt8(ascii: "["): return try begin(isObject: false, close: UInt8(ascii: "]"))
        case UInt8(ascii: "-"), 0x30...0x39: stack.push(try number())
        case UInt8(ascii: "t"): stack.push(try literal("true", .bool(true)))
        case UInt8(ascii: "f"): stack.push(try literal("false", .bool(false)))
        case UInt8(ascii: "n"): stack.push(try literal("null", .null))
        default: throw fault("A JSON value must begin here.")
        }
        return false
    }

    private mutating func begin(isObject: Bool, close: UInt8) throws(Fault) -> Bool {
        guard open.count < maximumDepth else {
            throw fault("The JSON document is nested too deep.", .tooDeep)
        }
        position += 1
        skipSpace()
        guard position < end else { throw incomplete() }
        if bytes[position] == close {
            position += 1
            stack.push(isObject ? .map(ValueMap()) : .vector([]))
            return false
        }
        open.append(stack.count << 1 | (isObject ? 1 : 0))
        if isObject { try key() }
        return true
    }

    /// Goes on after a value: true after the end of a collection, false where a value must come next.
    private mutating func next() throws(Fault) -> Bool {
        guard let current = open.last else { return false }
        skipSpace()
        guard position < end else { throw incomplete() }
        let isObject = current & 1 == 1
        switch bytes[position] {
        case UInt8(ascii: ","):
            position += 1
            if isObject {
                skipSpace()
                try key()
            }
            return false
        case UInt8(ascii: "}") where isObject:
            stack.push(.map(stack.takeMap(from: current >> 1)))
        case UInt8(ascii: "]") where !isObject:
            stack.push(.vector(stack.takeArray(from: current >> 1)))
        default:
            throw isObject
                ? fault("A comma or the end of the object must come here.")
                : fault("A comma or the end of the array must come here.")
        }
        position += 1
        open.removeLast()
        return true
    }

    /// Reads a name and its colon.
    private mutating func key() throws(Fault) {
        guard position < end else { throw incomplete() }
        guard bytes[position] == UInt8(ascii: "\"") else { throw fault("A name in quotes must begin here.") }
        let start = position + 1
        let key = try string()
        stack.pushKey(.string(key), print: print(of: key, from: start))
        skipSpace()
        guard position < end else { throw incomplete() }
        guard bytes[position] == UInt8(ascii: ":") else { throw fault("A colon must come here.") }
        position += 1
    }

    /// A small print of a name that was just read: equal names have equal prints, most others differ.
    @inline(__always)
    private func print(of key: String, from start: Int) -> UInt32 {
        let length = position - 1 - start
        // An escape is longer than what it stands for, so equal lengths mean that there was none.
        return key.utf8.count == length ? UTF8Scan.print(bytes + start, count: length) : UTF8Scan.print(key)
    }

    mutating func literal(_ word: StaticString, _ value: Value) throws(Fault) -> Value {
        for index in 0..<word.utf8CodeUnitCount {
            guard position < end else { throw incomplete() }
            guard bytes[position] == word.utf8Start[index] else {
                throw fault("The words of JSON are true, false and null.")
            }
            position += 1
        }
        return value
    }

    @inline(__always)
    mutating func skipSpace() {
        while position < end {
            let byte = bytes[position]
            guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            position += 1
        }
    }

    func fault(_ message: StaticString, _ kind: WireError.Kind = .malformed) -> Fault {
        Fault(kind: kind, message: message, offset: position)
    }

    func incomplete() -> Fault {
        Fault(kind: .incomplete, message: "The JSON document ends in the middle of a value.", offset: end)
    }
}
