// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Gives back the messages that were compressed or came in parts.
///
/// It needs nothing but what it holds, so that what is large can be unfolded elsewhere than on the loop.
package struct Unfolding: Sendable {
    private let format: WireFormat
    var limit: Int
    private let compressor: @Sendable (MessageCompression.Algorithm) -> Compressor

    /// Messages of a format, none of more bytes than the limit.
    package init(
        format: WireFormat, limit: Int,
        compressor: @escaping @Sendable (MessageCompression.Algorithm) -> Compressor
    ) {
        self.format = format
        self.limit = limit
        self.compressor = compressor
    }

    package func message(of assembled: Assembled) throws(UnreadableError) -> Message {
        let bytes =
            if let algorithm = assembled.algorithm {
                try inflated(assembled.bytes, algorithm)
            } else {
                Array(assembled.bytes)
            }
        guard bytes.count <= limit else { throw tooLarge("in parts") }
        guard format.isBinary || UTF8Text.isValid(bytes) else {
            throw UnreadableError(
                reason: "The server sent text, compressed or in parts, that is not UTF-8; it was skipped.",
                isOfBytes: true)
        }
        return Message(format.isBinary ? .binary : .text, bytes)
    }

    private func inflated(
        _ bytes: ArraySlice<UInt8>, _ algorithm: MessageCompression.Algorithm
    ) throws(UnreadableError) -> [UInt8] {
        var output: [UInt8] = []
        do throws(WireError) {
            try bytes.withUnsafeBufferPointer { bytes throws(WireError) in
                try compressor(algorithm).decompress(UnsafeRawBufferPointer(bytes), &output, limit)
            }
        } catch {
            if error.kind == .tooLarge { throw tooLarge(algorithm.rawValue) }
            throw UnreadableError(
                reason:
                    "The server sent a message that is no \(algorithm.rawValue): \(error) It was skipped.",
                isOfBytes: true)
        }
        return output
    }

    private func tooLarge(_ how: String) -> UnreadableError {
        UnreadableError(
            reason:
                "The server sent a message that unfolds (\(how)) to more than \(limit) bytes: "
                + "raise the limit, or have it send less at once.", isTooLarge: true)
    }
}
