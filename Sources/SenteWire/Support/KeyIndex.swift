// SPDX-License-Identifier: Apache-2.0

/// Finds keys in an array that keeps them in order, one every `stride` elements: an open-addressed table of
/// positions, empty while there are so few keys that looking at each is faster.
///
/// Hashes are Swift's, seeded anew in each process, so that no peer can choose keys that collide.
struct KeyIndex: Sendable {
    /// Up to this many keys there is no table.
    static let smallCount = 16

    /// Position + 1 of a key, 0 for free; a power of two long, at most half full.
    private var slots: [UInt32] = []

    /// Makes the table of a small or empty array.
    init() {}

    /// Makes the table of these keys, or nil if two of them are equal.
    init?(distinct items: [Value], stride: Int) {
        guard items.count > Self.smallCount * stride else {
            for position in Swift.stride(from: stride, to: items.count, by: stride)
            where Self.scan(items, to: position, for: items[position], stride) != nil {
                return nil
            }
            return
        }
        makeRoom(for: items.count / stride)
        for position in Swift.stride(from: 0, to: items.count, by: stride) {
            let (slot, found) = slot(of: items[position], in: items)
            if found { return nil }
            slots[slot] = UInt32(position + 1)
        }
    }

    /// Where the key stands in the array.
    func position(of key: Value, in items: [Value], stride: Int) -> Int? {
        guard !slots.isEmpty else { return Self.scan(items, to: items.count, for: key, stride) }
        let (slot, found) = slot(of: key, in: items)
        return found ? Int(slots[slot]) - 1 : nil
    }

    /// Where a text stands as a key, as `position(of:)` finds it, and faster among few.
    func position(of key: String, in items: [Value], stride: Int) -> Int? {
        guard slots.isEmpty else { return position(of: .string(key), in: items, stride: stride) }
        return Self.scan(items, to: items.count, for: key, stride)
    }

    /// Where a text, or else the keyword of that text, stands as a key.
    func position(named name: String, in items: [Value], stride: Int) -> Int? {
        guard slots.isEmpty else {
            return position(of: .string(name), in: items, stride: stride)
                ?? position(of: .keyword(Keyword(exactly: name)), in: items, stride: stride)
        }
        return items.lend { items in
            // The names of protocols are short, so that most are found without a look at their bytes.
            var position = 0
            while position < items.count {
                if case .string(let text) = items[position].value, text.isSameString(as: name) {
                    return position
                }
                position += stride
            }
            return Self.positionByBytes(named: name, in: items, stride)
        }
    }

    /// A name that is not there differs from most that are in length, and Swift tells short ones apart by their words.
    private static func positionByBytes(
        named name: String, in items: UnsafeBufferPointer<ValueInPlace>, _ stride: Int
    ) -> Int? {
        let length = name.utf8.count
        var keyword: Int?
        var position = 0
        while position < items.count {
            if case .string(let text) = items[position].value {
                if text.utf8.count == length, text == name, text.hasSameBytes(as: name) { return position }
            } else if case .keyword(let key) = items[position].value, key.text.isSameText(as: name) {
                keyword = position
            }
            position += stride
        }
        return keyword
    }

    /// Notes the key that was just appended at `position`.
    mutating func added(at position: Int, in items: [Value], stride: Int) {
        let count = items.count / stride
        guard count > Self.smallCount else { return }
        if count * 2 > slots.count {
            rebuild(items, stride: stride)
        } else {
            slots[slot(of: items[position], in: items).slot] = UInt32(position + 1)
        }
    }

    /// Makes the table anew after keys were removed or moved.
    mutating func rebuild(_ items: [Value], stride: Int) {
        slots = []
        guard items.count > Self.smallCount * stride else { return }
        makeRoom(for: items.count / stride)
        for position in Swift.stride(from: 0, to: items.count, by: stride) {
            slots[slot(of: items[position], in: items).slot] = UInt32(position + 1)
        }
    }

    private mutating func makeRoom(for count: Int) {
        var size = 64
        while size < count * 4 { size *= 2 }
        slots = [UInt32](repeating: 0, count: size)
    }

    private func slot(of key: Value, in items: [Value]) -> (slot: Int, found: Bool) {
        let mask = slots.count - 1
        var slot = key.hashValue & mask
        while slots[slot] != 0 {
            if items[Int(slots[slot]) - 1] == key { return (slot, true) }
            slot = (slot + 1) & mask
        }
        return (slot, false)
    }

    private static func scan(_ items: [Value], to end: Int, for key: Value, _ stride: Int) -> Int? {
        if case .string(let text) = key { return scan(items, to: end, for: text, stride) }
        return items.lend { items in
            var position = 0
            while position < end {
                if items[position].value == key { return position }
                position += stride
            }
            return nil
        }
    }

    private static func scan(_ items: [Value], to end: Int, for key: String, _ stride: Int) -> Int? {
        items.lend { items in
            var position = 0
            while position < end {
                if case .string(let text) = items[position].value, text.isSameText(as: key) {
                    return position
                }
                position += stride
            }
            return nil
        }
    }
}
