// SPDX-License-Identifier: Apache-2.0

/// Writes a value as Sente's MessagePack packer does.
struct SenteMessagePackWriter: ValueWriter, ~Copyable {
    enum Kind: ValueWriterKind {
        case array, map
        /// An array in an extension whose content began there.
        case set(start: Int)

        var isMap: Bool { if case .map = self { true } else { false } }
    }

    var sink = ByteSink()
    var open: OpenCollections<Kind>
    private var keys = TextTable()

    init(limits: WireLimits) {
        open = OpenCollections(limits: limits)
    }

    @inline(__always)
    mutating func write(_ item: borrowing ValueInPlace, at position: Int, of kind: Kind) throws(WireError) {
        if kind.isMap, position & 1 == 0, let number = number(of: item.value) {
            sink.packExt(SenteExtension.cachedKey, byte: UInt8(truncatingIfNeeded: number))
        } else {
            try emit(item.value)
        }
    }

    @inline(__always)
    mutating func end(_ kind: Kind) {
        if case .set(let start) = kind { sink.pack(from: start, inExt: SenteExtension.set) }
    }

    /// The number that a key got the first time it was written; nil this first time, and for other kinds of keys.
    private mutating func number(of key: Value) -> Int? {
        switch key {
        case .string(let text): keys.number(of: text, kind: 0, bound: SenteExtension.cachedKeys)
        case .keyword(let keyword): keys.number(of: keyword.text, kind: 1, bound: SenteExtension.cachedKeys)
        default: nil
        }
    }

    /// Writes a scalar, or opens a collection.
    @inline(__always)
    mutating func emit(_ value: Value) throws(WireError) {
        switch value {
        case .null: sink.packNull()
        case .bool(let bool): sink.pack(bool)
        case .integer(let integer): sink.pack(integer)
        case .double(let double): sink.pack(double)
        case .string(let text): sink.pack(text)
        case .keyword(let keyword): sink.packExt(SenteExtension.keyword, keyword.text)
        case .bytes(let bytes): sink.pack(bytes)
        case .vector(let items), .list(let items):
            try open.begin(items, .array, written: sink.count)
            sink.packArray(items.count)
        case .map(let map):
            try open.begin(map.items, .map, written: sink.count)
            sink.packMap(map.count)
        case .set(let set):
            try open.begin(set.items, .set(start: sink.count), written: sink.count)
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
            throw WireError(
                .unencodable, "Sente's MessagePack has no tagged values; take the value out of its tag.")
        default: throw WireError(.unencodable, "Sente's MessagePack has no URIs; send its text.")
        }
    }

    private func fitting(_ integer: BigInteger, _ reason: String) throws(WireError) -> Int64 {
        guard let integer = Int64(exactly: integer) else { throw WireError(.unencodable, reason) }
        return integer
    }

    /// Writes 12 bytes: nanoseconds, then seconds.
    private mutating func emit(_ instant: Timestamp) {
        let milliseconds = instant.milliseconds
        var (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        if rest < 0 { (seconds, rest) = (seconds - 1, rest + 1000) }
        let nanoseconds = UInt32(rest) * 1_000_000 + instant.nanoseconds
        let start = sink.count
        sink.append(bigEndian: nanoseconds)
        sink.append(bigEndian: seconds)
        sink.pack(from: start, inExt: SenteExtension.timestamp)
    }
}
