// SPDX-License-Identifier: Apache-2.0

extension String {
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
