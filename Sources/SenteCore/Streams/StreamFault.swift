// SPDX-License-Identifier: Apache-2.0

/// Why a stream ended before its time, as both ends tell one another.
package struct StreamFault: Error, Hashable, Sendable {
    /// Servers may have codes of their own.
    package struct Code: RawRepresentable, Hashable, Sendable {
        package var rawValue: String

        package init(rawValue: String) {
            self.rawValue = rawValue
        }

        package static let checksumMismatch = Code(rawValue: "checksum-mismatch")
        /// More than the other end takes: too many streams, or too many bytes.
        package static let quotaExceeded = Code(rawValue: "quota-exceeded")
        /// The other end was silent for too long.
        package static let timeout = Code(rawValue: "timeout")
        /// What would have to be sent again is not there any more.
        package static let notResumable = Code(rawValue: "not-resumable")
        /// The other end knows nothing of the stream.
        package static let unknownStream = Code(rawValue: "unknown-stream")
        /// One end did not keep to the rules.
        package static let protocolError = Code(rawValue: "protocol-error")
        /// Nobody takes it.
        package static let refused = Code(rawValue: "refused")
        /// The app that gives the bytes, or takes them, could not go on.
        package static let sourceFailed = Code(rawValue: "source-failed")
        /// A receiver of a broadcast could not keep up.
        package static let tooSlow = Code(rawValue: "too-slow")
    }

    package var code: Code
    /// A sentence for people.
    package var message: String
    /// Whether the other end said so.
    package var isRemote: Bool

    package init(_ code: Code, _ message: String, isRemote: Bool = false) {
        self.code = code
        self.message = message
        self.isRemote = isRemote
    }

    static func violation(_ what: String) -> StreamFault {
        StreamFault(.protocolError, "The other end broke the rules of streams: \(what).")
    }
}
