// SPDX-License-Identifier: Apache-2.0

/// An array of one of the types that values hold as they are.
///
/// Decoding the elements one by one would make a container and look a type up for each. This is no optional of the
/// wanted type, because the runtime would have to look that type up, too.
enum PlainArray {
    case strings([String])
    case doubles([Double])
    case integers([Int])

    /// Makes the array that is wanted; nil for all other types, which are decoded one by one.
    init?(_ items: [Value], _ type: Any.Type) {
        let array: PlainArray? =
            switch ObjectIdentifier(type) {
            case Self.stringArray: Self.array(items) { $0.stringValue }.map(PlainArray.strings)
            case Self.doubleArray: Self.array(items, Self.double).map(PlainArray.doubles)
            case Self.integerArray: Self.array(items, Self.integer).map(PlainArray.integers)
            default: nil
            }
        guard let array else { return nil }
        self = array
    }

    /// The array as the type that it was made for.
    func cast<T>(to type: T.Type) -> T {
        switch self {
        case .strings(let strings): unsafeBitCast(strings, to: type)
        case .doubles(let doubles): unsafeBitCast(doubles, to: type)
        case .integers(let integers): unsafeBitCast(integers, to: type)
        }
    }

    // Naming a generic type is a search in the runtime's tables.
    private static let stringArray = ObjectIdentifier([String].self)
    private static let doubleArray = ObjectIdentifier([Double].self)
    private static let integerArray = ObjectIdentifier([Int].self)

    @inline(__always)
    private static func array<Element>(_ items: [Value], _ content: (Value) -> Element?) -> [Element]? {
        var array: [Element] = []
        array.reserveCapacity(items.count)
        for item in items {
            guard let element = content(item) else { return nil }
            array.append(element)
        }
        return array
    }

    private static func double(_ item: Value) -> Double? {
        switch item {
        case .double(let double): double
        case .integer(let integer): Double(integer)
        default: nil
        }
    }

    private static func integer(_ item: Value) -> Int? {
        guard case .integer(let integer) = item else { return nil }
        return Int(exactly: integer)
    }
}
