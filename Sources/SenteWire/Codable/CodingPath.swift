// SPDX-License-Identifier: Apache-2.0

/// Where an encoder or decoder stands: linked, so that going one step deeper costs one object and the array
/// that Codable wants is made only for those who ask.
final class CodingPath: Sendable {
    let parent: CodingPath?
    let key: any CodingKey
    let depth: Int

    init(_ parent: CodingPath?, _ key: any CodingKey) {
        self.parent = parent
        self.key = key
        depth = (parent?.depth ?? 0) + 1
    }

    static func keys(_ path: CodingPath?) -> [any CodingKey] {
        var keys: [any CodingKey] = []
        var next = path
        while let step = next {
            keys.append(step.key)
            next = step.parent
        }
        return keys.reversed()
    }
}

/// A key that no type declared: an index, a key of a dictionary, or "super".
struct FreeKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }

    static let parent = FreeKey(stringValue: "super")
}
