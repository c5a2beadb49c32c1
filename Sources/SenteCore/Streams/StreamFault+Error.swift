// SPDX-License-Identifier: Apache-2.0

/// What the app is told of a stream that ended before its time.
extension StreamEnding {
    /// What the receiver said to it, or why it did not come to that.
    package var result: Result<StreamReceipt, SenteError> {
        switch self {
        case .completed(let receipt): .success(receipt)
        case .failed(let fault): .failure(fault.error)
        case .cancelled(isRemote: true, let reason):
            .failure(
                SenteError(
                    .streamFailed, "The server called the stream off. It may be begun anew.",
                    underlying: reason))
        case .cancelled(isRemote: false, let reason):
            .failure(SenteError(.cancelled, reason ?? "The stream was called off by this client."))
        }
    }

    /// Nil when it is complete.
    var error: SenteError? {
        if case .failure(let error) = result { error } else { nil }
    }
}

extension StreamFault {
    /// The same for the app; what the server says of it is the text below.
    package var error: SenteError {
        let (code, advice): (SenteError.Code, String) =
            switch self.code {
            case .checksumMismatch:
                (.checksumMismatch, "What came of the stream is not what was sent: begin it anew.")
            case .quotaExceeded:
                (
                    .quotaExceeded,
                    "The server takes no such stream, or not so many: make it smaller, or end one first."
                )
            case .notResumable:
                (.notResumable, "The stream cannot go on from where it was: begin it anew.")
            case .unknownStream:
                (.notResumable, "The server has forgotten the stream: begin it anew.")
            case .refused: (.streamFailed, "The server did not take the stream.")
            case .timeout: (.streamFailed, "The server waited for the stream for too long: begin it anew.")
            case .tooSlow:
                (.streamFailed, "The server went on without this client, which was too slow for it.")
            default: (.streamFailed, "The server ended the stream (\(self.code.rawValue)).")
            }
        guard isRemote else { return SenteError(code, message) }
        return SenteError(code, advice, underlying: message.isEmpty ? nil : message.excerpt(500))
    }
}
