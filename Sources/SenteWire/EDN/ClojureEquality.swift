// SPDX-License-Identifier: Apache-2.0

/// Where Clojure takes values for equal that are not `==`, as keys of one map or elements of one set.
enum ClojureEquality {
    /// Whether Clojure can tell all keys apart that stand every `stride` items; they are known to differ.
    static func tellsApart(_ items: [Value], stride: Int) -> Bool {
        var position = 0
        while position < items.count, twin(of: items[position]) == nil { position += stride }
        guard position < items.count else { return true }
        let keys = Swift.stride(from: 0, to: items.count, by: stride).map { twin(of: items[$0]) ?? items[$0] }
        return KeyIndex(distinct: keys, stride: 1) != nil
    }

    /// Another value that Clojure takes for this one: only the outermost is looked at, so that keys within keys
    /// cost no time of their own.
    private static func twin(of value: Value) -> Value? {
        switch value {
        case .list(let items): .vector(items)
        case .bigInteger(let integer): Int64(exactly: integer).map(Value.integer)
        case .double(let double) where double == 0: 0.0
        default: nil
        }
    }
}
