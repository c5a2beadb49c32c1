// SPDX-License-Identifier: Apache-2.0

extension String {
    /// Makes a text of bytes that are known to be UTF-8.
    @inline(__always)
    init(checked utf8: UnsafeBufferPointer<UInt8>) {
        if utf8.count <= 15 {
            // So few stand in the string itself, and this way the library does not validate them again if ASCII.
            self.init(unsafeUninitializedCapacity: utf8.count) { memory in
                if let source = utf8.baseAddress, let target = memory.baseAddress {
                    Self.copyFew(utf8.count, from: source, to: target)
                }
                return utf8.count
            }
        } else {
            self.init(decoding: utf8, as: UTF8.self)
        }
    }

    /// Copies up to 16 bytes by two words that overlap: to call for so few takes longer than to copy them.
    @inline(__always)
    private static func copyFew(
        _ count: Int, from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer
    ) {
        func copy<Word: FixedWidthInteger & BitwiseCopyable>(_ type: Word.Type) {
            let last = count - MemoryLayout<Word>.size
            let words = (
                source.loadUnaligned(as: type), source.loadUnaligned(fromByteOffset: last, as: type)
            )
            target.storeBytes(of: words.0, as: type)
            target.storeBytes(of: words.1, toByteOffset: last, as: type)
        }
        switch count {
        case 8...: copy(UInt64.self)
        case 4...: copy(UInt32.self)
        case 2...: copy(UInt16.self)
        case 1...: copy(UInt8.self)
        default: break
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
