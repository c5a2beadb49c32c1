// SPDX-License-Identifier: Apache-2.0

/// Text compared by its UTF-8 bytes.
///
/// Swift's own `==` takes canonically equivalent strings for equal. On the wire they are two texts, and two
/// keys of one map, so values compare by bytes: exact, and no slower for text that is not ASCII.
extension String {
    func isSameText(as other: String) -> Bool {
        guard utf8.count == other.utf8.count, self == other else { return false }
        // What is equivalent and just as long may still be written otherwise.
        let equal = utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in
                UnsafeRawBufferPointer(left).isSame(as: UnsafeRawBufferPointer(right))
            }
        }
        return (equal ?? nil) ?? utf8.elementsEqual(other.utf8)
    }

    func hashText(into hasher: inout Hasher) {
        let done: Void? = utf8.withContiguousStorageIfAvailable {
            hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if done == nil {
            for byte in utf8 { hasher.combine(byte) }
        }
        hasher.combine(0xFF as UInt8)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether both hold the same bytes, looked at eight at a time; both are equally long.
    fileprivate func isSame(as other: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while offset + 8 <= count {
            let left = loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            guard left == other.loadUnaligned(fromByteOffset: offset, as: UInt64.self) else { return false }
            offset += 8
        }
        while offset < count {
            guard self[offset] == other[offset] else { return false }
            offset += 1
        }
        return true
    }
}
