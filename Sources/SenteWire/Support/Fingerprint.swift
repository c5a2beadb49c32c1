// SPDX-License-Identifier: Apache-2.0

/// A small print of a map's key, for `ValueStack`: equal keys have equal prints, most others differ.
enum KeyPrint {
    /// The print of a key of any kind; only texts and keywords have one of their own.
    static func of(_ key: Value) -> UInt32 {
        switch key {
        case .string(let text): UTF8Scan.print(text)
        case .keyword(let keyword): ~UTF8Scan.print(keyword.text)
        default: 0
        }
    }
}
