// SPDX-License-Identifier: Apache-2.0

// Of this module, this file and Base64.swift alone know Foundation: its small half where the toolchain has one.
#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Timestamp {
    /// Makes a point in time of a date, to the microsecond, which is about what a date holds.
    ///
    /// What lies beyond 292,000 years becomes an end of the range.
    public init(_ date: Date) {
        let seconds = date.timeIntervalSince1970
        let limit = Double(Int64.max / 1_000_000)
        guard seconds.isFinite, abs(seconds) < limit else {
            self.init(milliseconds: seconds.isNaN ? 0 : seconds < 0 ? .min : .max)
            return
        }
        let whole = seconds.rounded(.down)
        let microseconds = Int64(((seconds - whole) * 1e6).rounded())
        self.init(
            milliseconds: Int64(whole) * 1000 + microseconds / 1000,
            nanoseconds: UInt32(microseconds % 1000) * 1000)
    }
}

extension Date {
    /// Makes a date of a point in time.
    public init(_ timestamp: Timestamp) {
        let seconds = timestamp.milliseconds / 1000
        let rest = Double(timestamp.milliseconds % 1000) / 1e3 + Double(timestamp.nanoseconds) / 1e9
        self.init(timeIntervalSince1970: Double(seconds) + rest)
    }
}

extension UniqueID {
    /// Makes an id of Foundation's.
    public init(_ uuid: UUID) {
        let halves = unsafeBitCast(uuid.uuid, to: (UInt64, UInt64).self)
        self.init(high: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1))
    }
}

extension UUID {
    /// Makes Foundation's id.
    public init(_ id: UniqueID) {
        self.init(uuid: unsafeBitCast((id.high.bigEndian, id.low.bigEndian), to: uuid_t.self))
    }
}

extension Value {
    /// Makes an `.instant`.
    public init(_ date: Date) {
        self = .instant(Timestamp(date))
    }

    /// Makes `.bytes`.
    public init(_ data: Data) {
        self = .bytes([UInt8](data))
    }

    /// Makes a `.uuid`.
    public init(_ uuid: UUID) {
        self = .uuid(UniqueID(uuid))
    }

    /// Makes a `.uri`.
    public init(_ url: URL) {
        self = .uri(url.absoluteString)
    }

    /// Makes a `.decimal`, or the double NaN of what is not a number.
    public init(_ decimal: Decimal) {
        self = BigDecimal(decimal.description).map(Value.decimal) ?? .double(.nan)
    }

    /// The date of an instant, of RFC 3339 text, or of milliseconds since 1970.
    public var dateValue: Date? {
        switch self {
        case .instant(let instant): Date(instant)
        case .string(let text): Timestamp(text).map { Date($0) }
        case .integer(let milliseconds): Date(timeIntervalSince1970: Double(milliseconds) / 1000)
        // Describing a date that is not finite traps in Foundation.
        case .double(let milliseconds) where milliseconds.isFinite:
            Date(timeIntervalSince1970: milliseconds / 1000)
        default: nil
        }
    }

    /// The data of bytes or of base64 text.
    public var dataValue: Data? {
        switch self {
        case .bytes(let bytes): Data(bytes)
        case .string(let text): Base64.bytes(text).map { Data($0) }
        default: nil
        }
    }

    /// The UUID, also of its text.
    public var uuidValue: UUID? {
        switch self {
        case .uuid(let id): UUID(id)
        case .string(let text): UniqueID(text).map { UUID($0) }
        default: nil
        }
    }

    /// The URL of a URI or of text.
    public var urlValue: URL? {
        switch self {
        case .uri(let text), .string(let text): URL(string: text)
        default: nil
        }
    }

    /// The decimal of a number or of its text; more than 38 digits are rounded.
    public var decimalValue: Decimal? {
        switch self {
        case .integer(let integer): Decimal(integer)
        case .bigInteger(let integer): Decimal(string: integer.description)
        case .decimal(let decimal): Decimal(string: decimal.description)
        case .double(let double) where double.isFinite: Decimal(string: double.description)
        case .string(let text): BigDecimal(text).flatMap { Decimal(string: $0.description) }
        default: nil
        }
    }
}

extension ValueWriting {
    /// The value of one of Foundation's types; nil for all others.
    func bridged<T: Encodable>(_ value: T) throws -> Value? {
        if T.self == Date.self, let date = value as? Date {
            let seconds = date.timeIntervalSince1970
            guard seconds.isFinite else {
                // The number, not the date: describing such a date traps in Foundation.
                throw EncodingError.invalidValue(
                    seconds, context("The date is not a finite number of seconds."))
            }
            return Value(date)
        }
        if T.self == Data.self, let data = value as? Data { return Value(data) }
        if T.self == UUID.self, let uuid = value as? UUID { return Value(uuid) }
        if T.self == URL.self, let url = value as? URL { return Value(url) }
        if T.self == Decimal.self, let decimal = value as? Decimal { return Value(decimal) }
        return nil
    }
}

extension ValueReading {
    static func isBridged(_ type: Any.Type) -> Bool {
        type == Date.self || type == Data.self || type == UUID.self || type == URL.self
            || type == Decimal.self
    }

    /// One of Foundation's types.
    func bridged<T: Decodable>(_ type: T.Type) throws -> T {
        switch type {
        case is Date.Type:
            try wanted(
                value.dateValue, type,
                "an instant, text as 2026-11-21T10:00:00Z or a finite number of milliseconds since 1970")
        case is Data.Type: try wanted(value.dataValue, type, "bytes or text in base64")
        case is UUID.Type:
            try wanted(value.uuidValue, type, "a UUID or text of 8-4-4-4-12 hexadecimal digits")
        case is URL.Type: try wanted(value.urlValue, type, "a URI that Foundation reads or its text")
        default: try wanted(value.decimalValue, type, "a number that Decimal holds or its text")
        }
    }

    private func wanted<T>(_ found: Any?, _ type: T.Type, _ name: String) throws -> T {
        guard let found = found as? T else {
            throw mismatch(type, name, isContentWrong: value.stringValue != nil)
        }
        return found
    }
}
