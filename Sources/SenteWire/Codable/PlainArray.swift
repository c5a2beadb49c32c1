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
        switch ObjectIdentifier(type) {
        case Self.stringArray: self.init(strings: items)
        case Self.doubleArray: self.init(doubles: items)
        case Self.integerArray: self.init(integers: items)
        default: return nil
        }
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

    private init?(strings items: [Value]) {
        var strings: [String] = []
        strings.reserveCapacity(items.count)
        for item in items {
            guard case .string(let text) = item else { return nil }
            strings.append(text)
        }
        self = .strings(strings)
    }

    private init?(doubles items: [Value]) {
        var doubles: [Double] = []
        doubles.reserveCapacity(items.count)
        for item in items {
            switch item {
            case .double(let double): doubles.append(double)
            case .integer(let integer): doubles.append(Double(integer))
            default: return nil
            }
        }
        self = .doubles(doubles)
    }

    private init?(integers items: [Value]) {
        var integers: [Int] = []
        integers.reserveCapacity(items.count)
        for item in items {
            guard case .integer(let integer) = item, let number = Int(exactly: integer) else { return nil }
            integers.append(number)
        }
        self = .integers(integers)
    }
}
