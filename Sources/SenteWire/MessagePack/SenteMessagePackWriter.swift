// SPDX-License-Identifier: Apache-2.0

/// Writes a value as Sente's MessagePack packer does, without recursion and in the order of insertion.
struct SenteMessagePackWriter: ~Copyable {
    /// A collection that is being written.
    private struct Frame {
        let items: [Value]
        var next = 0
        let isMap: Bool
        /// Where the content of a set's extension began.
        var set: Int?
    }

    var sink = ByteSink()
    private var frames: [Frame] = []
    private var keys = TextTable()
    private let limits: WireLimits

    init(limits: WireLimits) {
        self.limits = limits
    }

    mutating func write(_ value: Value) throws(WireError) {
        try emit(value)
        while let last = frames.indices.last {
            try frames[last].items.lend { items throws(WireError) in try writeItems(items, of: last) }
        }
    }

    /// Writes items until one is a collection that has been opened, or the end.
    private mutating func writeItems(
        _ items: UnsafeBufferPointer<ValueInPlace>, of frame: Int
    ) throws(WireError) {
        var position = frames[frame].next
        let isMap = frames[frame].isMap
        while position < items.count {
            position += 1
            frames[frame].next = position
            if isMap, position & 1 == 1 {
                try emitKey(items[position - 1].value)
            } else {
                try emit(items[position - 1].value)
            }
            if frames.count > frame + 1 { return }
        }
        if let start = frames.removeLast().set { sink.pack(from: start, inExt: SenteExtension.set) }
    }

    /// Writes a key, or the number it got the first time it was written.
    private mutating func emitKey(_ key: Value) throws(WireError) {
        let number: Int? =
            switch key {
            case .string(let text):
                keys.number(of: text, kind: 0, bound: SenteExtension.cachedKeys)
            case .keyword(let keyword):
                keys.number(of: keyword.text, kind: 1, bound: SenteExtension.cachedKeys)
            default: nil
            }
        guard let number else { return try emit(key) }
        sink.packExt(SenteExtension.cachedKey, byte: UInt8(truncatingIfNeeded: number))
    }

    /// Writes a scalar, or opens a collection.
    private mutating func emit(_ value: Value) throws(WireError) {
        switch value {
        case .null: sink.packNull()
        case .bool(let bool): sink.pack(bool)
        case .integer(let integer): sink.pack(integer)
        case .double(let double): sink.pack(double)
        case .string(let text): sink.pack(text)
        case .keyword(let keyword): sink.packExt(SenteExtension.keyword, keyword.text)
        case .bytes(let bytes): sink.pack(bytes)
        case .vector(let items), .list(let items):
            try begin(items, isMap: false)
            sink.packArray(items.count)
        case .map(let map):
            try begin(map.items, isMap: true)
            sink.packMap(map.count)
        case .set(let set):
            try begin(set.items, isMap: false, set: sink.count)
            sink.packArray(set.count)
        default: try emitRare(value)
        }
    }

    private mutating func emitRare(_ value: Value) throws(WireError) {
        switch value {
        case .symbol(let symbol): sink.packExt(SenteExtension.symbol, symbol.text)
        case .character(let scalar): sink.packExt(SenteExtension.character, String(scalar))
        case .uuid(let id): sink.packExt(SenteExtension.uuid, id.description)
        case .instant(let instant): emit(instant)
        case .decimal(let decimal): sink.pack(Double(decimal))
        case .bigInteger(let integer):
            sink.pack(
                try fitting(
                    integer, "Sente's MessagePack has no whole number beyond 64 bits; send it as text."))
        case .ratio(let ratio):
            let reason = "Sente's MessagePack has no ratio of numbers beyond 64 bits; send it as text."
            let start = sink.count
            sink.pack(try fitting(ratio.numerator, reason))
            sink.pack(try fitting(ratio.denominator, reason))
            sink.pack(from: start, inExt: SenteExtension.ratio)
        case .tagged(let tag, .bytes(let bytes)):
            guard let type = SenteExtension.type(tag) else { fallthrough }
            sink.packExt(type, bytes)
        case .tagged:
            throw unencodable("Sente's MessagePack has no tagged values; take the value out of its tag.")
        default: throw unencodable("Sente's MessagePack has no URIs; send its text.")
        }
    }

    private func fitting(_ integer: BigInteger, _ reason: String) throws(WireError) -> Int64 {
        guard let integer = Int64(exactly: integer) else { throw unencodable(reason) }
        return integer
    }

    /// Writes 12 bytes: nanoseconds, then seconds.
    private mutating func emit(_ instant: Timestamp) {
        let milliseconds = instant.milliseconds
        var (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        if rest < 0 { (seconds, rest) = (seconds - 1, rest + 1000) }
        let nanoseconds = UInt32(rest) * 1_000_000 + instant.nanoseconds
        var content: [UInt8] = []
        withUnsafeBytes(of: nanoseconds.bigEndian) { content.append(contentsOf: $0) }
        withUnsafeBytes(of: seconds.bigEndian) { content.append(contentsOf: $0) }
        sink.packExt(SenteExtension.timestamp, content)
    }

    private mutating func begin(_ items: [Value], isMap: Bool, set: Int? = nil) throws(WireError) {
        guard frames.count < limits.maximumDepth else {
            throw WireError(.tooDeep, "The value is nested deeper than \(limits.maximumDepth).")
        }
        guard sink.count <= limits.maximumBytes else {
            throw WireError(.tooLarge, "The document would have more than \(limits.maximumBytes) bytes.")
        }
        frames.append(Frame(items: items, isMap: isMap, set: set))
    }

    private func unencodable(_ message: String) -> WireError {
        WireError(.unencodable, message, path: path)
    }

    /// The keys and indices of what is being written.
    private var path: [Value] {
        frames.compactMap { frame in
            guard frame.next > 0 else { return nil }
            return frame.isMap ? frame.items[(frame.next - 1) & ~1] : .integer(Int64(frame.next - 1))
        }
    }
}
