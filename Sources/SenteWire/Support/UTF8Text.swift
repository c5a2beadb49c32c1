// SPDX-License-Identifier: Apache-2.0

/// Whether bytes are text.
package enum UTF8Text {
    /// Whether bytes are well-formed UTF-8.
    package static func isValid(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return true }
            var position = 0
            while position < buffer.count {
                if position + 8 <= buffer.count,
                    UnsafeRawPointer(start + position).loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080
                        == 0
                {
                    position += 8
                } else if start[position] < 0x80 {
                    position += 1
                } else {
                    let length = UTF8Scan.sequenceLength(start, at: position, end: buffer.count)
                    guard length > 0 else { return false }
                    position += length
                }
            }
            return true
        }
    }
}
