// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Bytes as text and back (RFC 4648 §4, padded).
package enum Base64 {
    package static func text(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    /// The bytes of padded base64; nil for anything else, stray bits in the last digit included.
    package static func bytes(_ text: String) -> [UInt8]? {
        guard let data = Data(base64Encoded: text) else { return nil }
        // Foundation lets stray bits pass (RFC 4648 §3.5).
        let odd = [UInt8](data.suffix(data.count % 3))
        guard odd.isEmpty || text.hasSuffix(Self.text(odd)) else { return nil }
        return [UInt8](data)
    }
}
