// SPDX-License-Identifier: Apache-2.0

/// Text compared by its UTF-8 bytes.
///
/// Swift's own `==` takes canonically equivalent strings for equal. On the wire they are two texts, and two
/// keys of one map, so values compare by bytes: exact, and no slower for text that is not ASCII.
extension String {
    func isSameText(as other: String) -> Bool {
        let count = utf8.count
        guard count == other.utf8.count else { return false }
        // Equal ASCII is found here at once; only what differs or is equivalent goes on.
        if self != other { return false }
        let equal = utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in
                left.elementsEqual(right)
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
