// SPDX-License-Identifier: Apache-2.0

/// The extension types of Sente's packer (`taoensso.msgpack.impl`, "Built-in extensions").
enum SenteExtension {
    static let keyword: Int8 = 0
    static let symbol: Int8 = 1
    static let character: Int8 = 2
    static let ratio: Int8 = 3
    static let set: Int8 = 4
    static let integers: Int8 = 5
    static let floats: Int8 = 6
    static let doubles: Int8 = 7
    static let cachedKey: Int8 = 8
    static let uuid: Int8 = 9
    static let timestamp: Int8 = -1

    /// How many keys of a message have a number.
    static let cachedKeys = 256

    /// The tag under which an extension of another type is kept.
    static func tag(_ type: Int8) -> String { "msgpack/ext\(type)" }

    /// The type that a tag of `tag(_:)` stands for; nil for other tags and for types that have a meaning.
    static func type(_ tag: String) -> Int8? {
        guard tag.hasPrefix("msgpack/ext"), let type = Int8(tag.dropFirst(11)), !(timestamp...uuid ~= type),
            self.tag(type) == tag
        else { return nil }
        return type
    }
}
