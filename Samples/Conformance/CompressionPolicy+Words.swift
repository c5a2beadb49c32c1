// SPDX-License-Identifier: Apache-2.0

import SenteBase

extension CompressionPolicy {
    /// What the command line may say of compression, each by a word: `plain` for none, which goes alone, and what makes
    /// a client's offer another one.
    static let words =
        "plain | [outgoing=BITS] [incoming=BITS] [forget-outgoing] [forget-incoming] [threshold=BYTES]"

    /// Reads the words; nil for one that is none of them.
    static func read(_ words: [String]) -> CompressionPolicy?? {
        if words == ["plain"] { return .some(nil) }
        var policy = CompressionPolicy()
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            let number = parts.count == 2 ? Int(parts[1]) : nil
            switch (parts.first, number) {
            case ("outgoing", let bits?) where (9...15).contains(bits): policy.outgoingWindowBits = bits
            case ("incoming", let bits?) where (9...15).contains(bits): policy.incomingWindowBits = bits
            case ("threshold", let bytes?): policy.threshold = bytes
            case ("forget-outgoing", nil) where parts.count == 1: policy.keepsOutgoingContext = false
            case ("forget-incoming", nil) where parts.count == 1: policy.keepsIncomingContext = false
            default: return nil
            }
        }
        return .some(policy)
    }
}
