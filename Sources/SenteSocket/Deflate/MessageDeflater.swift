// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Compresses the messages one link sends (RFC 7692 §7.2.1).
///
/// Its stream is made for the first message that is long enough. It may be freed at any time: a message need not refer
/// to those before it.
struct MessageDeflater: Sendable {
    private let compression: LinkCompression
    private let windowBits: Int
    private let keepsContext: Bool
    private var stream: (any Deflater)?
    private var trials = CompressionTrials()
    private var isUsed = false

    /// Whether there is a stream that `sweep` may free.
    var holdsStream: Bool { stream != nil }

    init(_ compression: LinkCompression, _ terms: DeflateTerms) {
        self.compression = compression
        windowBits = terms.outgoingWindowBits
        keepsContext = terms.keepsOutgoingContext
    }

    /// The compressed payload; nil for a message that goes as it is, which every message may (§6).
    mutating func deflate(_ message: UnsafeRawBufferPointer) -> [UInt8]? {
        let policy = compression.policy
        guard message.count >= policy.threshold, windowBits >= DeflateParameters.smallestWritable else {
            return nil
        }
        // §7.2.3.6. zlib would write nothing where its last flush had nothing to add either.
        guard !message.isEmpty else { return [0] }
        guard trials.tries(message.count) else { return nil }
        if stream == nil {
            stream = compression.library.makeDeflater(windowBits: windowBits, level: policy.level)
        }
        guard let payload = stream?.deflate(message) else {
            stream = nil
            return nil
        }
        if !keepsContext { stream?.reset() }
        trials.tried(message.count, payload.count)
        isUsed = true
        return payload
    }

    /// Frees the stream unless it was used since the last sweep.
    mutating func sweep() {
        if !isUsed { stream = nil }
        isUsed = false
    }
}
