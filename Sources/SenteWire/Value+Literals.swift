// SPDX-License-Identifier: Apache-2.0

extension Value: ExpressibleByNilLiteral {
    /// Makes `.null`.
    public init(nilLiteral: ()) {
        self = .null
    }
}

extension Value: ExpressibleByBooleanLiteral {
    /// Makes a `.bool`.
    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }
}

extension Value: ExpressibleByIntegerLiteral {
    /// Makes an `.integer`.
    public init(integerLiteral value: Int64) {
        self = .integer(value)
    }
}

extension Value: ExpressibleByFloatLiteral {
    /// Makes a `.double`.
    public init(floatLiteral value: Double) {
        self = .double(value)
    }
}

extension Value: ExpressibleByStringInterpolation {
    /// Makes a `.string`.
    public init(stringLiteral value: String) {
        self = .string(value)
    }
}

extension Value: ExpressibleByArrayLiteral {
    /// Makes a `.vector`.
    public init(arrayLiteral elements: Value...) {
        self = .vector(elements)
    }
}

extension Value: ExpressibleByDictionaryLiteral {
    /// Makes a `.map`; of equal keys the last wins.
    public init(dictionaryLiteral elements: (Value, Value)...) {
        self = .map(ValueMap(elements))
    }
}

extension Value {
    /// Makes a `.bool`.
    public init(_ value: Bool) {
        self = .bool(value)
    }

    /// Makes an `.integer`, or a `.bigInteger` of what does not fit 64 bits.
    public init(_ value: some BinaryInteger) {
        self = Int64(exactly: value).map(Value.integer) ?? .bigInteger(BigInteger(value))
    }

    /// Makes a `.double`.
    public init(_ value: Double) {
        self = .double(value)
    }

    /// Makes a `.string`.
    public init(_ value: String) {
        self = .string(value)
    }

    /// Makes a `.keyword`.
    public init(_ value: Keyword) {
        self = .keyword(value)
    }

    /// Makes a `.vector`.
    public init(_ value: [Value]) {
        self = .vector(value)
    }

    /// Makes a `.map`.
    public init(_ value: ValueMap) {
        self = .map(value)
    }
}
