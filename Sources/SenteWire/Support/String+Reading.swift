// SPDX-License-Identifier: Apache-2.0

extension String {
    /// Makes a text of bytes that are known to be UTF-8.
    @inline(__always)
    init(checked utf8: UnsafeBufferPointer<UInt8>) {
        if utf8.count <= 15 {
            // So few stand in the string itself, and this way the library does not validate them again if ASCII.
            self.init(unsafeUninitializedCapacity: utf8.count) { memory in
                _ = memory.update(fromContentsOf: utf8)
                return utf8.count
            }
        } else {
            self.init(decoding: utf8, as: UTF8.self)
        }
    }

    /// Reads the text's UTF-8 in place; unlike `withUTF8` it needs no copy of the string that could be changed.
    @inline(__always)
    func readUTF8<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        utf8.withContiguousStorageIfAvailable(body) ?? readBridged(body)
    }

    /// Only strings of Objective-C are not stored as UTF-8.
    @inline(never)
    private func readBridged<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        var text = self
        return text.withUTF8(body)
    }
}
