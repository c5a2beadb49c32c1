// SPDX-License-Identifier: Apache-2.0

/// Text compared by its UTF-8 bytes.
///
/// Swift's own `==` takes canonically equivalent strings for equal. On the wire they are two texts, and two
/// keys of one map, so values compare by bytes: exact, and no slower for text that is not ASCII.
extension String {
    @inline(__always)
    func isSameText(as other: String) -> Bool {
        isSameString(as: other) || hasSameBytes(as: other)
    }

    /// Whether both are surely the same text: short ones stand in the string itself, long ones often in the same memory.
    @inline(__always)
    func isSameString(as other: String) -> Bool {
        MemoryLayout<String>.size == MemoryLayout<(UInt64, UInt64)>.size
            && unsafeBitCast(self, to: (UInt64, UInt64).self)
                == unsafeBitCast(other, to: (UInt64, UInt64).self)
    }

    func hasSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        return readUTF8 { left in
            other.readUTF8 { right in
                Self.isSame(UnsafeRawBufferPointer(left), UnsafeRawBufferPointer(right))
            }
        }
    }

    /// Compares as many bytes of both, eight at a time.
    static func isSame(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        while position + 8 <= left.count {
            let leftWord = left.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            guard leftWord == right.loadUnaligned(fromByteOffset: position, as: UInt64.self) else {
                return false
            }
            position += 8
        }
        while position < left.count {
            guard left[position] == right[position] else { return false }
            position += 1
        }
        return true
    }

    func hashText(into hasher: inout Hasher) {
        readUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }
}
