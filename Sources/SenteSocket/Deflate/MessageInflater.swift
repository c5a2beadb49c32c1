// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Decompresses the messages one link receives, as their bytes come (RFC 7692 §7.2.2).
///
/// Compressed bytes are never kept, and what they unfold to never grows beyond the limit.
struct MessageInflater: Sendable {
    /// What a sender leaves out at the end of each message (§7.2.1).
    private static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]

    private let compression: LinkCompression
    private let limit: Int
    private let windowBits: Int
    private let keepsContext: Bool
    private var stream: (any Inflater)?
    /// Compressed bytes of the message under way, as its frames announce them; nil between messages.
    private var announced: Int?
    private var isUsed = false

    /// Whether there is a stream that `sweep` may free: one that later messages cannot refer to.
    var holdsStream: Bool { stream != nil && !keepsContext }

    /// `limit`: bytes a message may unfold to.
    init(_ compression: LinkCompression, _ terms: DeflateTerms, limit: Int) {
        self.compression = compression
        self.limit = limit
        windowBits = terms.incomingWindowBits
        keepsContext = terms.keepsIncomingContext
    }

    /// A frame of a compressed message begins.
    ///
    /// No compressor adds more than an eighth (stored blocks add 5 bytes to 65,535, RFC 1951 §3.2.4): whoever announces
    /// more has too large a message, or pads it without end.
    mutating func begin(frame length: Int) throws(FrameError) {
        let most = limit.addingReportingOverflow(limit >> 3 &+ 64)
        let (sum, overflow) = (announced ?? 0).addingReportingOverflow(length)
        guard !overflow, most.overflow || sum <= most.partialValue else { throw .tooBig(limit: limit) }
        announced = sum
    }

    /// Adds what a piece of the payload unfolds to.
    mutating func inflate(
        _ bytes: UnsafeRawBufferPointer, into message: inout [UInt8]
    ) throws(FrameError) {
        if stream == nil { stream = compression.library.makeInflater(windowBits: windowBits) }
        do throws(InflateError) {
            guard let stream else { throw .outOfMemory }
            isUsed = true
            try stream.inflate(bytes, into: &message, limit: limit)
        } catch {
            throw .inflating(error, limit: limit)
        }
    }

    /// Ends the message.
    mutating func finish(into message: inout [UInt8]) throws(FrameError) {
        // Whoever sent whole blocks to the end of a byte, a final one or a flush in full, left nothing out.
        if stream?.isAtBoundary == false {
            let result = Self.tail.withUnsafeBytes { bytes in
                Result { () throws(FrameError) in try inflate(bytes, into: &message) }
            }
            try result.get()
            guard stream?.isAtBoundary == true else { throw .inflating(.damaged, limit: limit) }
        }
        if !keepsContext { stream?.reset() }
        announced = nil
    }

    /// Frees the stream unless it is needed or was used since the last sweep.
    mutating func sweep() {
        if !isUsed, !keepsContext, announced == nil { stream = nil }
        isUsed = false
    }
}

extension FrameError {
    /// RFC 7692 names no code for damaged data; 1007 says that a message is not what it claims to be.
    fileprivate static func inflating(_ fault: InflateError, limit: Int) -> FrameError {
        switch fault {
        case .damaged: FrameError(code: .invalidData, message: "a compressed message is damaged")
        case .tooLarge: .tooBig(limit: limit)
        case .outOfMemory:
            FrameError(code: .internalError, message: "there is no memory to decompress a message")
        }
    }
}
