// SPDX-License-Identifier: Apache-2.0

extension Value {
    /// Whether this is `.null`.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The truth value of a `.bool`.
    public var boolValue: Bool? {
        if case .bool(let bool) = self { bool } else { nil }
    }

    /// The whole number, also of a big integer that fits and of a double that has no fraction.
    public var integerValue: Int64? {
        switch self {
        case .integer(let integer): integer
        case .bigInteger(let integer): Int64(exactly: integer)
        case .double(let double): Self.whole(double)
        default: nil
        }
    }

    private static func whole(_ double: Double) -> Int64? {
        // `Int64(exactly:)` would make every user of this module link libm.
        guard double >= -0x1p63, double < 0x1p63 else { return nil }
        let integer = Int64(double)
        return Double(integer) == double ? integer : nil
    }

    /// The nearest double of any number.
    public var doubleValue: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .bigInteger(let integer): Double(integer)
        case .double(let double): double
        case .decimal(let decimal): Double(decimal)
        case .ratio(let ratio): Double(ratio)
        default: nil
        }
    }

    /// The text of a `.string`.
    public var stringValue: String? {
        if case .string(let string) = self { string } else { nil }
    }

    /// The keyword of a `.keyword`.
    public var keywordValue: Keyword? {
        if case .keyword(let keyword) = self { keyword } else { nil }
    }

    /// The elements of a vector or a list.
    public var arrayValue: [Value]? {
        switch self {
        case .vector(let items), .list(let items): items
        default: nil
        }
    }

    /// The entries of a `.map`.
    public var mapValue: ValueMap? {
        if case .map(let map) = self { map } else { nil }
    }

    /// The bytes of a `.bytes`.
    public var bytesValue: [UInt8]? {
        if case .bytes(let bytes) = self { bytes } else { nil }
    }

    /// What a map holds under a text; nil if there is no such key or this is no map.
    public subscript(_ key: String) -> Value? {
        if case .map(let map) = self { map[key] } else { nil }
    }

    /// What a map holds under a keyword; nil if there is no such key or this is no map.
    public subscript(_ key: Keyword) -> Value? {
        if case .map(let map) = self { map[key] } else { nil }
    }

    /// An element of a vector or a list, counted from 0; nil beyond its ends or if this is neither.
    public subscript(_ index: Int) -> Value? {
        guard let items = arrayValue, items.indices.contains(index) else { return nil }
        return items[index]
    }
}

extension Value {
    /// Roughly how much the value takes: the lengths of its texts and bytes, plus 8 for every node.
    public var weight: Int {
        var deeper: [Value] = []
        var sum = ValueInPlace(value: self).weight(levels: 32, &deeper)
        while let value = deeper.popLast() {
            sum += ValueInPlace(value: value).weight(levels: 32, &deeper)
        }
        return sum
    }
}

extension ValueInPlace {
    /// The weight of the value and of so many levels below it; what is deeper is put aside.
    ///
    /// This is asked for with every message: nothing is allocated for one that is no deeper, and a scalar costs no call.
    @inline(__always)
    fileprivate borrowing func weight(levels: Int, _ deeper: inout [Value]) -> Int {
        switch value {
        case .null, .bool, .integer, .double, .character, .instant, .uuid: 8
        case .string(let text), .uri(let text): 8 + text.utf8.count
        case .keyword(let keyword): 8 + keyword.text.utf8.count
        case .symbol(let symbol): 8 + symbol.text.utf8.count
        case .bytes(let bytes): 8 + bytes.count
        case .bigInteger(let integer): 8 + integer.digitCount
        case .decimal(let decimal): 8 + decimal.unscaled.digitCount
        case .ratio(let ratio): 8 + ratio.numerator.digitCount + ratio.denominator.digitCount
        case .list(let items), .vector(let items): 8 + Self.weight(of: items, levels, &deeper)
        case .map(let map): 8 + Self.weight(of: map.items, levels, &deeper)
        case .set(let set): 8 + Self.weight(of: set.items, levels, &deeper)
        case .tagged(let tag, let value): 8 + tag.utf8.count + Self.weight(of: [value], levels, &deeper)
        }
    }

    @inline(never)
    private static func weight(of items: [Value], _ levels: Int, _ deeper: inout [Value]) -> Int {
        guard levels > 0 else {
            deeper.append(contentsOf: items)
            return 0
        }
        return items.lend { items in
            var sum = 0
            for position in 0..<items.count {
                sum += items[position].weight(levels: levels - 1, &deeper)
            }
            return sum
        }
    }
}
