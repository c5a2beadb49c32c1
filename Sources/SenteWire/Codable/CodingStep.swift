// SPDX-License-Identifier: Apache-2.0

/// One step of the way to where an encoder or decoder stands.
///
/// Codable wants an array of keys; it is made only when somebody asks for it.
protocol CodingStep: AnyObject {
    var parent: Self? { get }
    var key: (any CodingKey)? { get }
}

extension CodingStep {
    /// The keys from the outermost value to here.
    var codingPath: [any CodingKey] {
        var keys: [any CodingKey] = []
        var next: Self? = self
        while let step = next {
            if let key = step.key { keys.append(key) }
            next = step.parent
        }
        return keys.reversed()
    }
}

/// A key that no type declared: one of a dictionary, or "super".
struct FreeKey: CodingKey {
    let stringValue: String

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        self.init(stringValue: String(intValue))
    }

    var intValue: Int? { Int(stringValue) }

    static let parent = FreeKey(stringValue: "super")
}

/// The place of an element in a sequence.
struct IndexKey: CodingKey {
    let index: Int

    init(_ index: Int) {
        self.index = index
    }

    init?(intValue: Int) {
        index = intValue
    }

    init?(stringValue: String) {
        guard let index = Int(stringValue) else { return nil }
        self.index = index
    }

    var stringValue: String { String(index) }
    var intValue: Int? { index }
}
